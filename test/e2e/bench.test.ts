/** The bench is run by people, so nobody would notice if it stopped working. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";

function bench(...args: readonly string[]) {
  return spawnSync(process.execPath, ["bench/bench.ts", ...args], { encoding: "utf8" });
}

describe("the bench", () => {
  test("[B1] compares the product with the bare platform and says how each bar fared", () => {
    const { status, stdout, stderr } = bench("--quick", "--only", "ack");
    expect(stderr).toContain("ack: round 1 of 1");
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^\| line +\| bare +\| product +\| ratio +\| bar +\| verdict +\|$/);
    for (const line of lines.slice(2)) {
      expect(line).toMatch(
        /\| durable [\d.]+ ms +\| [\d.]+ ms +\| [\d.]+ +\| ≤ 1\.\d × +\| (held|MISSED) +\|$/,
      );
    }
  });

  test("[B1] refuses a name that is none of its own", () => {
    const { status, stdout, stderr } = bench("--only", "nothing");
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("names: rows, connect, ack");
  });
});
