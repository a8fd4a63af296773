/** `npm run size`: what is deployed and what is downloaded, minified and gzipped; fails above the limits. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type BuildOptions, build, type Plugin } from "esbuild";

/** A Worker starts faster the smaller it is; see docs/decisions/0011-size.md. */
const SERVER_LIMIT_KIB = 84;
const MODELS_LIMIT_KIB = 98;
const WORKER_LIMIT_KIB = 143;

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

/** What stands in the place of modules that are not counted: each with the names that others import. */
type StandIns = readonly { readonly filter: RegExp; readonly contents: string }[];

const NO_ADVISOR: StandIns = [
  { filter: /advisor\/advisor\.ts$/, contents: "export const advisor = {};" },
  { filter: /advisor\/offer\.ts$/, contents: 'export const ADVISOR_PROMPT = "", advisorTools = [];' },
];

const NO_AGENTS: StandIns = [
  { filter: /src\/chosen-agents\.ts$/, contents: "export const chosenAgents = () => [];" },
  { filter: /remote\/ag-ui-agent\.ts$/, contents: "export const runRemote = () => [];" },
];

async function serverKib(standIns: StandIns): Promise<number> {
  const plugin: Plugin = {
    name: "without some modules",
    setup({ onLoad }) {
      for (const { filter, contents } of standIns) onLoad({ filter }, () => ({ contents }));
    },
  };
  return await bundledKib("src/index.ts", {
    external: ["cloudflare:*"],
    conditions: ["workerd", "worker"],
    plugins: [plugin],
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
  check("Worker without the advisor", await serverKib(NO_ADVISOR), MODELS_LIMIT_KIB),
  check("Worker with nothing but an agent of one's own", await serverKib(NO_AGENTS), SERVER_LIMIT_KIB),
  check("client SDK", await bundledKib("src/client/index.ts"), CLIENT_LIMIT_KIB),
];
process.exitCode = fits.every(Boolean) ? 0 : 1;
