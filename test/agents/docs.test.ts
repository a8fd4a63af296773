/** docs/agents.md: a row for every failure, and tests for every row. */
import { describe, expect, test } from "vitest";
import page from "../../docs/agents.md?raw";
import protocol from "../../docs/protocol.md?raw";
import remote from "../../docs/remote.md?raw";
import spec from "../../docs/spec.md?raw";
import { FAILURES } from "../../src/agents/models/failure.ts";

const TESTS = import.meta.glob<string>("../{agents,edge,session}/**/*.test.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});
const SOURCES = import.meta.glob<string>("../../src/{session,agents,agents/remote}/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** What a tool that keeps to nothing gives: a bug of ours, not a failure anybody has to expect. */
const BUGS = new Set(["internal"]);

const rows = page
  .slice(page.indexOf("## When something fails"))
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| failure"))
  .map((line) => {
    const [, failure = "", seen = "", , rules = "", files = ""] = line.split("|").map((cell) => cell.trim());
    const codes = codesIn(seen).filter((code) => code !== "failed" && code !== "interrupted");
    return { failure, codes, rules: rules.split(" "), files: files.split(", ") };
  });

function codesIn(text: string): string[] {
  return [...text.matchAll(/`([a-z_]+)`/g)].map(([, code = ""]) => code);
}

/** The codes that the host and the agents give, as they stand in the sources. */
function codesInSources(): string[] {
  const given = /(?:\bcode: |\b(?:failed|interrupted|problem|failing)\()"([a-z_]+)"/g;
  return Object.values(SOURCES).flatMap((text) => [...text.matchAll(given)].map(([, code = ""]) => code));
}

describe("the page on agents", () => {
  const stated = new Set(rows.flatMap(({ codes }) => codes));

  test("[O26] has a row for every failure of a model", () => {
    expect(Object.keys(FAILURES).filter((code) => !stated.has(code))).toEqual([]);
  });

  test("[O26] has one for every failure of a remote agent, and of a run", () => {
    const table = remote.slice(remote.indexOf("## What becomes of it"));
    const named = codesIn(table).filter((code) => /^agent_[a-z_]+$/.test(code));
    const ends = codesIn(/Error codes: ([^\n]+)/.exec(protocol)?.[1] ?? "");
    expect([named.length > 5, ends.length > 5]).toEqual([true, true]);
    expect([...named, ...ends].filter((code) => !stated.has(code))).toEqual([]);
  });

  test("[O26] has one for every code in the sources", () => {
    const given = codesInSources();
    expect(given.length).toBeGreaterThan(30);
    expect(given.filter((code) => !stated.has(code) && !BUGS.has(code))).toEqual([]);
  });

  test.each(rows)("[O26] names tests that cite the rules and have the codes: $failure", (row) => {
    const texts = row.files.map((file) => TESTS[`../${file}.test.ts`] ?? TESTS[`./${file.slice(7)}.test.ts`]);
    expect(row.files.filter((_, index) => texts[index] === undefined)).toEqual([]);
    const all = texts.join("\n");
    expect(row.rules.filter((rule) => !spec.includes(`- **${rule}** `))).toEqual([]);
    expect(row.rules.filter((rule) => !all.includes(`[${rule}]`))).toEqual([]);
    expect(row.codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(all))).toEqual([]);
    const cites = (text = "") => row.rules.some((rule) => text.includes(`[${rule}]`));
    expect(row.files.filter((_, index) => !cites(texts[index]))).toEqual([]);
  });
});
