/** A server of one's own: used by the demo and by the tests that need a real one. */
import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { devVars, newSecret } from "./dev-vars.ts";
import { freePort } from "./ports.ts";
import { runWrangler, type Wrangler } from "./wrangler.ts";

/** Starting takes about 3 s; on a loaded machine several times that. */
const READY_TIMEOUT_MS = 60_000;

/** One per process: tokens outlive a restart of the server, as they do in production. */
const SECRET = newSecret();

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface DevServerOptions {
  readonly port?: number;
  /** Where the state lives; it survives the server only if this is given. */
  readonly persist_to?: string;
  /** Another wrangler configuration, such as one with a scripted agent. */
  readonly config?: string;
  /** Variables of the Worker, besides `ENVIRONMENT` and `JWT_SECRET`. */
  readonly vars?: Readonly<Record<string, string>>;
}

export interface DevServer {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly pid: number | undefined;
  /** What the server has written so far. */
  readonly output: () => string;
  stop(): Promise<void>;
  /** Ends the whole tree at once, as a crash does. */
  kill(): Promise<void>;
}

/**
 * Starts a server on a free port, with its own state and its own secret.
 *
 *     const server = await startDevServer();
 *     try { await fetch(`${server.url}/v1/config`); } finally { await server.stop(); }
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  if (options.port !== undefined) return await startOn(options.port, options);
  for (let left = PORTS_TRIED; ; left -= 1) {
    try {
      return await startOn(await freePort(), options);
    } catch (error) {
      if (left === 1 || !isTaken(error)) throw error;
    }
  }
}

/** A port that was free is not reserved: another process may have taken it before the server did. */
const PORTS_TRIED = 3;

function isTaken(error: unknown): boolean {
  return error instanceof Error && error.message.includes("Address already in use");
}

async function startOn(port: number, options: DevServerOptions): Promise<DevServer> {
  const home = await mkdtemp(join(tmpdir(), "throughline-"));
  const wrangler = runWrangler(await argumentsFor(home, port, options));
  const discard = () => rm(home, { recursive: true, force: true, maxRetries: 5 });
  const server = serverOf(wrangler, `http://127.0.0.1:${port}`, () => discard().then(forget));
  const forget = endWithThisProcess(server, home);
  await ready(server, wrangler).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  return server;
}

/**
 * Before the server is ready already: a Ctrl+C at any time leaves neither a
 * process nor a secret behind. The returned function is for when nothing is left to end.
 */
function endWithThisProcess(server: DevServer, home: string): () => void {
  const discard = () => rmSync(home, { recursive: true, force: true });
  const leave = () => void server.stop().finally(() => process.exit(130));
  process.once("exit", discard);
  for (const signal of SIGNALS) process.once(signal, leave);
  return () => {
    process.removeListener("exit", discard);
    for (const signal of SIGNALS) process.removeListener(signal, leave);
  };
}

async function argumentsFor(home: string, port: number, options: DevServerOptions): Promise<string[]> {
  const env_file = join(home, "env");
  await writeFile(env_file, devVars({ JWT_SECRET: SECRET, ...options.vars }), { mode: 0o600 });
  const persist_to = options.persist_to ?? join(home, "state");
  const config = options.config === undefined ? [] : ["--config", options.config];
  const place = ["--ip", "127.0.0.1", "--port", `${port}`, "--persist-to", persist_to];
  return [...place, "--env-file", env_file, ...config];
}

function serverOf(wrangler: Wrangler, url: string, discard: () => Promise<void>): DevServer {
  const lines: string[] = [];
  wrangler.onLine((line) => lines.push(line));
  return {
    url,
    pid: wrangler.pid,
    output: () => lines.join("\n"),
    stop: () => wrangler.stop().then(discard),
    kill: () => wrangler.kill().then(discard),
  };
}

async function ready(server: DevServer, { exited }: Wrangler): Promise<void> {
  const given_up = AbortSignal.timeout(READY_TIMEOUT_MS);
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  while (!given_up.aborted && !ended) {
    // Whoever has taken the port meanwhile may answer there just as well: first the server has to say that it is its own.
    if (!server.output().includes("Ready on http")) {
      await pause(100);
      continue;
    }
    const response = await fetch(`${server.url}/v1/config`, {
      signal: AbortSignal.timeout(READY_TIMEOUT_MS),
    }).catch(() => undefined);
    if (response?.ok) return;
    await pause(100);
  }
  throw new Error(`the server ${ended ? "ended" : "did not get ready"}:\n${server.output()}`);
}
