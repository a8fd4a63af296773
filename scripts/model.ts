/**
 * `npm run model -- [--seed N] [--path P] [--runs N]`: random histories against
 * the session (docs/model.md). With the seed and path of a failure, that failure.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { seed: { type: "string" }, path: { type: "string" }, runs: { type: "string" } },
});

const { status } = spawnSync("vitest", ["run", "--project", "model", "test/model/model.test.ts"], {
  stdio: "inherit",
  env: {
    ...process.env,
    ...(values.seed === undefined ? {} : { MODEL_SEED: values.seed }),
    ...(values.path === undefined ? {} : { MODEL_PATH: values.path }),
    ...(values.runs === undefined ? {} : { MODEL_RUNS: values.runs }),
  },
});
process.exitCode = status ?? 1;
