/** What is deployed and downloaded, as `npm run size` has it. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Scenario } from "../scenario.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export const size: Scenario = {
  name: "size",
  against: undefined,
  rounds: 1,
  lines: [
    {
      what: "Worker bundle without the advisor, gzip minified",
      finding: "server",
      unit: "KiB",
      bar: { kind: "value", at_most: 60 },
    },
    {
      what: "Worker bundle, gzip minified",
      finding: "worker",
      unit: "KiB",
      bar: { kind: "value", at_most: 143 },
    },
    { what: "client SDK, gzip", finding: "client", unit: "KiB", bar: { kind: "value", at_most: 8 } },
  ],
  async measure() {
    const { stdout } = spawnSync("node", ["scripts/size.ts"], { cwd: ROOT, encoding: "utf8" });
    return {
      server: kib(stdout, "Worker without the advisor"),
      worker: kib(stdout, "Worker"),
      client: kib(stdout, "client SDK"),
    };
  },
};

function kib(output: string, what: string): number | undefined {
  const found = output.match(new RegExp(`^${what}: ([\\d.]+) KiB`, "m"))?.[1];
  return found === undefined ? undefined : Number(found);
}
