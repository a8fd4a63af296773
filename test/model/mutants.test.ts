import { describe, expect, test } from "vitest";
import { MUTANTS } from "./mutants.ts";

const SOURCES = import.meta.glob<string>("../../src/session/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

describe("the list of faults", () => {
  test.each(MUTANTS.map(({ name, edits }) => [name, edits] as const))(
    "[M2] %s: still fits the code",
    (_, edits) => {
      for (const { file, find } of edits) {
        const source = SOURCES[`../../${file}`] ?? "";
        expect(source.split(find), `${file}: ${find}`).toHaveLength(2);
      }
    },
  );

  test("[M2] has no two faults of the same name", () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(MUTANTS.length).toBeGreaterThanOrEqual(12);
  });
});
