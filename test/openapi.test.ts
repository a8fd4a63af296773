/** The document against the routes there are. */
import { describe, expect, test } from "vitest";
import { app } from "../src/edge/app.ts";
import { openapi } from "../src/openapi/document.ts";

/** For development only, and found in the discovery document where it exists. */
const HIDDEN = ["POST /v1/dev/token"];

describe("the document of the HTTP API", () => {
  test("[H8] has every route there is, and no other", () => {
    const served = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    const documented = Object.entries(openapi().paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.toSorted()).toEqual(
      [...new Set(served)].filter((route) => !HIDDEN.includes(route)).toSorted(),
    );
  });

  test("[H8] refers to nothing it does not have", () => {
    const document = openapi();
    const named = new Set(Object.keys(document.components.schemas));
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(refs.length).toBeGreaterThan(20);
    expect(refs.map((ref) => ref[1] ?? "").filter((name) => !named.has(name))).toEqual([]);
  });
});
