import { describe, expect, test } from "vitest";

const SDK = import.meta.glob<string>("../src/client/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Imports and re-exports that leave something behind after the types are stripped. */
function valueImports(source: string): string[] {
  const statements = source.matchAll(
    /^(?:import|export)\s+(?!type\b)(?:[^;"']*?\bfrom\s+)?["']([^"']+)["']/gm,
  );
  const dynamic = source.matchAll(/\bimport\(\s*["']([^"']+)["']/g);
  return [...statements, ...dynamic].map((match) => match[1] ?? "");
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
    expect(valueImports('export { a } from "../protocol/events.ts";')).toEqual(["../protocol/events.ts"]);
    expect(valueImports('await import("../protocol/events.ts")')).toEqual(["../protocol/events.ts"]);
    expect(valueImports('import type { A } from "../protocol/events.ts";')).toEqual([]);
    expect(valueImports('export type { A } from "../protocol/events.ts";')).toEqual([]);
    expect(valueImports('export const a = 1;\nconst b = "from";')).toEqual([]);
  });
});
