/** `npm run types`: the compiler over every part of the project, each with its own globals. */
import { spawnSync } from "node:child_process";

const PROJECTS = [
  "tsconfig.json",
  "src/web/tsconfig.json",
  "scripts/tsconfig.json",
  "scripts/replay/tsconfig.json",
  "test/tsconfig.json",
  "bench/tsconfig.json",
  "bench/workers/tsconfig.json",
];

const failed = PROJECTS.filter(
  (project) => spawnSync("tsc", ["-p", project], { stdio: "inherit" }).status !== 0,
);
if (failed.length > 0) console.error(`types: errors in ${failed.join(", ")}`);
process.exitCode = failed.length;
