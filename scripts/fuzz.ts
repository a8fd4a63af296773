/** `npm run fuzz [-- --seed N]`: a hundred thousand random and mutated frames and requests against a running Worker. */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { seed: { type: "string" } } });

const { status } = spawnSync("vitest", ["run", "--project", "e2e", "test/e2e/fuzz.test.ts"], {
  stdio: "inherit",
  env: {
    ...process.env,
    FUZZ_FRAMES: "95000",
    FUZZ_REQUESTS: "6000",
    ...(values.seed !== undefined && { SEED: values.seed }),
  },
});
process.exitCode = status ?? 1;
