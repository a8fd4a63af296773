import { describe, expect, test } from "vitest";
import delivery from "../docs/delivery.md?raw";
import spec from "../docs/spec.md?raw";

const TESTS = import.meta.glob<string>(["./**/*.test.ts", "!./spec.test.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});

const stated = new Set([...spec.matchAll(/^- \*\*([A-Z]\d+)\*\* /gm)].map((match) => match[1] ?? ""));
const titles = Object.values(TESTS).join("\n");
const cited = new Set(
  [...titles.matchAll(/["'`]((?:\[[A-Z]\d+\] ?)+)/g)].flatMap((match) => match[1]?.match(/[A-Z]\d+/g) ?? []),
);

describe("the specification", () => {
  test("[P8] every rule is cited by a test title", () => {
    expect([...stated].filter((rule) => !cited.has(rule))).toEqual([]);
  });

  test("[P8] every rule a test title cites is stated", () => {
    expect([...cited].filter((rule) => !stated.has(rule))).toEqual([]);
  });

  test("[P8] each of the thirty-one ways to go wrong is answered by rules that are stated", () => {
    const rows = [...delivery.matchAll(/^\| (\d+) \|.*\| ([A-Z]\d+(?: [A-Z]\d+)*)[^|]* \|$/gm)];
    expect(rows.map((row) => Number(row[1]))).toEqual(Array.from({ length: 31 }, (_, i) => i + 1));
    const cited = rows.flatMap((row) => row[2]?.split(" ") ?? []);
    expect(cited.filter((rule) => !stated.has(rule))).toEqual([]);
  });

  test("[P8] no rule is stated twice", () => {
    const all = [...spec.matchAll(/^- \*\*([A-Z]\d+)\*\* /gm)];
    expect(all).toHaveLength(stated.size);
  });
});
