/** Starts a candidate: its worker built by esbuild, in a workerd process of its own, its storage in a temporary directory. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { childrenOf } from "./process.ts";

/** The three that run side by side, and the product again with a meter on its storage. */
export type CandidateName = "durable" | "grouped" | "product" | "metered";

export interface Candidate {
  readonly name: CandidateName;
  /** `ws://127.0.0.1:…` */
  readonly url: string;
  /** Of workerd; undefined where there is no /proc to find it in. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Signs for every candidate; worth nothing outside a bench that listens on the loopback interface. */
export const SECRET = "bench-secret-of-more-than-thirty-two-bytes";

export async function start(name: CandidateName): Promise<Candidate> {
  const storage = await mkdtemp(join(tmpdir(), "throughline-bench-"));
  const options = await optionsFor(name, storage);
  // Only now: building has started a process as well.
  const before = childrenOf(process.pid);
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  const url = await miniflare.ready;
  const pid = childrenOf(process.pid).find((child) => !before.includes(child));
  return {
    name,
    url: `ws://${url.host}`,
    pid,
    async stop() {
      await miniflare.dispose();
      await rm(storage, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function optionsFor(name: CandidateName, storage: string) {
  return {
    name: "bench",
    host: "127.0.0.1",
    port: 0,
    modules: true,
    script: await bundle(name),
    compatibilityDate: "2026-10-01",
    durableObjects: { USER_SESSION: { className: "UserSession", useSQLite: true } },
    durableObjectsPersist: storage,
    bindings: { JWT_SECRET: SECRET, ENVIRONMENT: "production" },
    log: new Log(LogLevel.ERROR),
  };
}

async function bundle(name: CandidateName): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`workers/${name}.ts`, import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:workers"],
    write: false,
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}
