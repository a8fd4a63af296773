import { randomInt } from "node:crypto";
import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { MUTANTS } from "./test/model/mutants.ts";

/** For what hangs, not for what a busy machine makes slow: a quiet one needs under 3 s for the longest. */
const HANGS_AFTER_MS = 30_000;

/** Server code, in the Workers runtime, on real SQLite. Nothing here sleeps, nothing is tried twice. */
const core = {
  plugins: [
    cloudflareTest({
      main: "./test/support/worker.ts",
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          ENVIRONMENT: "production",
          JWT_SECRET: "test-secret-of-more-than-thirty-two-bytes",
        },
      },
    }),
  ],
  test: {
    name: "core",
    include: ["test/**/*.test.ts"],
    exclude: ["test/client/**", "test/web/**", "test/e2e/**", "test/model/**"],
    testTimeout: HANGS_AFTER_MS,
    // One runtime for all files: users are unique to a test, so nothing is shared but the start-up time.
    isolate: false,
  },
};

/** Random histories against the same code; every run explores anew, from a seed that it prints. */
const model = {
  plugins: [
    mutation(process.env.MUTANT),
    cloudflareTest({
      main: "./test/support/worker.ts",
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        bindings: {
          ENVIRONMENT: "production",
          JWT_SECRET: "test-secret-of-more-than-thirty-two-bytes",
          MODEL_SEED: process.env.MODEL_SEED ?? String(randomInt(2 ** 31)),
          MODEL_RUNS: process.env.MODEL_RUNS ?? "10000",
          MODEL_PATH: process.env.MODEL_PATH ?? "",
        },
      },
    }),
  ],
  test: {
    name: "model",
    include: ["test/model/**/*.test.ts"],
    // Ten thousand histories take two minutes where nothing else runs, and an hour is nobody's patience.
    testTimeout: 1_200_000,
    isolate: false,
  },
};

/** The SDK, as a browser or a server would run it. */
const client = {
  test: {
    name: "client",
    include: ["test/client/**/*.test.ts", "test/web/**/*.test.ts"],
    testTimeout: HANGS_AFTER_MS,
  },
};

/** The whole thing over TCP: `wrangler dev`, a browser, the demo. */
const e2e = {
  test: {
    name: "e2e",
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: ["test/e2e/support/build.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: HANGS_AFTER_MS } },
    // They mostly wait, and measure seconds: alongside each other, but after everything else.
    maxWorkers: 3,
    sequence: { groupOrder: 1 },
  },
};

/** Puts one deliberate fault into the code as it is loaded; nothing on disk changes. */
function mutation(name: string | undefined): Plugin {
  const edits = MUTANTS.find((mutant) => mutant.name === name)?.edits ?? [];
  if (name !== undefined && edits.length === 0) throw new Error(`no mutant is called ${name}`);
  return {
    name: "mutation",
    enforce: "pre",
    transform(code, id) {
      const mine = edits.filter(({ file }) => id.endsWith(file));
      return mine.reduce((text, edit) => text.replace(edit.find, () => edit.replace), code);
    },
  };
}

export default defineConfig({
  test: {
    projects: [core, model, client, e2e],
    retry: 0,
    // A module with a fault in it must not be kept for the next run.
    fsModuleCache: process.env.MUTANT === undefined,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/web/**"],
      reporter: ["text-summary", "json-summary"],
      reportsDirectory: "coverage",
      thresholds: { lines: 95, "src/{agents,auth,dialects,edge,protocol,session}/**": { lines: 95 } },
    },
  },
});
