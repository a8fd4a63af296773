/** `npm run size`: what is deployed and what is downloaded, minified and gzipped; fails above the limits. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type BuildOptions, build, type Plugin } from "esbuild";

/** A Worker starts faster the smaller it is; see docs/decisions/0011-size.md. */
const SERVER_LIMIT_KIB = 72;
const WORKER_LIMIT_KIB = 100;

/** The SDK is on every page of an application that uses it. */
const CLIENT_LIMIT_KIB = 8;

const OUT = "dist/worker";

function gzippedKib(contents: Uint8Array): number {
  return gzipSync(contents, { level: 9 }).byteLength / 1024;
}

/** The very bundle that `wrangler deploy` would upload. */
function workerKib(): number {
  const { status, stdout, stderr } = spawnSync(
    "wrangler",
    ["deploy", "--dry-run", "--minify", "--outdir", OUT],
    { encoding: "utf8", env: { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" } },
  );
  if (status !== 0) throw new Error(`the Worker could not be built:\n${stdout}${stderr}`);
  return gzippedKib(readFileSync(`${OUT}/index.js`));
}

/** The Worker as it is for someone who brings an agent of their own. */
async function serverKib(): Promise<number> {
  const withoutAdvisor: Plugin = {
    name: "without the advisor",
    setup({ onLoad }) {
      onLoad({ filter: /advisor\/advisor\.ts$/ }, () => ({ contents: "export const advisor = {};" }));
      const nothing = 'export const ADVISOR_PROMPT = "", advisorTools = [];';
      onLoad({ filter: /advisor\/offer\.ts$/ }, () => ({ contents: nothing }));
    },
  };
  return await bundledKib("src/index.ts", {
    external: ["cloudflare:*"],
    conditions: ["workerd", "worker"],
    plugins: [withoutAdvisor],
  });
}

async function bundledKib(entry: string, options: BuildOptions = {}): Promise<number> {
  const { outputFiles } = await build({
    ...options,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles.reduce((sum, { contents }) => sum + gzippedKib(contents), 0);
}

function check(what: string, kib: number, limit: number): boolean {
  const fits = kib <= limit;
  console.log(`${what}: ${kib.toFixed(1)} KiB gzip minified, limit ${limit}${fits ? "" : ": TOO LARGE"}`);
  return fits;
}

const fits = [
  check("Worker", workerKib(), WORKER_LIMIT_KIB),
  check("Worker without the advisor", await serverKib(), SERVER_LIMIT_KIB),
  check("client SDK", await bundledKib("src/client/index.ts"), CLIENT_LIMIT_KIB),
];
process.exitCode = fits.every(Boolean) ? 0 : 1;
