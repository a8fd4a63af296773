import { describe, expect, test } from "vitest";

const SDK = import.meta.glob<string>("../src/client/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Import statements that leave something behind after the types are stripped. */
function valueImports(source: string): string[] {
  const statements = source.matchAll(/^import\s+(?!type\b)([^;]*?from\s+)?["']([^"']+)["']/gm);
  return [...statements].map((match) => match[2] ?? "");
}

describe("the structure", () => {
  test("[C0] the SDK takes nothing from the server at run time but protocol/pure", () => {
    const foreign = Object.entries(SDK).flatMap(([file, source]) =>
      valueImports(source)
        .filter((path) => !path.startsWith("./") && !path.startsWith("../protocol/pure/"))
        .map((path) => `${file}: ${path}`),
    );
    expect(Object.keys(SDK).length).toBeGreaterThan(0);
    expect(foreign).toEqual([]);
  });

  test("[C0] and this test would notice", () => {
    expect(valueImports('import { a } from "../protocol/events.ts";')).toEqual(["../protocol/events.ts"]);
    expect(valueImports('import {\n  a,\n  type B,\n} from "zod/mini";')).toEqual(["zod/mini"]);
    expect(valueImports('import type { A } from "../protocol/events.ts";')).toEqual([]);
  });
});
