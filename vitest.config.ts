import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

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
    exclude: ["test/client/**", "test/web/**", "test/e2e/**"],
    testTimeout: 5_000,
    // One runtime for all files: users are unique to a test, so nothing is shared but the start-up time.
    isolate: false,
  },
};

/** The SDK, as a browser or a server would run it. */
const client = {
  test: {
    name: "client",
    include: ["test/client/**/*.test.ts", "test/web/**/*.test.ts"],
    testTimeout: 5_000,
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
    fileParallelism: false,
  },
};

export default defineConfig({
  test: {
    projects: [core, client, e2e],
    retry: 0,
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
