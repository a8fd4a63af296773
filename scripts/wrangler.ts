/**
 * Runs `wrangler dev` and takes it down again, always as a whole tree: wrangler
 * leaves its workerd behind when only it is killed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));
const WRANGLER = join(PROJECT, "node_modules", "wrangler", "bin", "wrangler.js");
const TOOLS = join(PROJECT, "node_modules", ".bin");

/** After this long a process that was asked to end is killed. */
const STOP_TIMEOUT_MS = 5_000;

export interface Wrangler {
  readonly pid: number | undefined;
  /** Resolves with the exit code; null if a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Calls back for each line it writes. */
  onLine(listener: (line: string) => void): void;
  stop(): Promise<void>;
  /** Ends everything at once, as a crash does. */
  kill(): Promise<void>;
}

export function runWrangler(args: readonly string[]): Wrangler {
  // The leader of a process group of its own, so that the group can be ended together.
  const child = spawn(process.execPath, [WRANGLER, "dev", "--inspector-port", "0", ...args], {
    cwd: PROJECT,
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
    env: environment(),
  });
  const exited = exitOf(child);
  endWithThisProcess(child, exited);
  return {
    pid: child.pid,
    exited,
    onLine: (listener) => readLines(child, listener),
    stop: () => stop(child, exited),
    kill: () => kill(child, exited),
  };
}

function environment(): NodeJS.ProcessEnv {
  // The build command in wrangler.toml must find this project's tools, whatever `node` is installed besides.
  const PATH = [TOOLS, process.env.PATH ?? ""].join(delimiter);
  return { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", NO_COLOR: "1", FORCE_COLOR: "0", PATH };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code));
    child.once("error", () => resolve(1));
  });
}

/** A script that fails must not leave a server behind. */
function endWithThisProcess(child: ChildProcess, exited: Promise<unknown>): void {
  const end = () => signalTree(child, "SIGKILL");
  process.once("exit", end);
  void exited.then(() => process.removeListener("exit", end));
}

function readLines({ stdout, stderr }: ChildProcess, listener: (line: string) => void): void {
  for (const stream of [stdout, stderr]) {
    if (stream !== null) createInterface(stream).on("line", listener);
  }
}

async function stop(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  signalTree(child, "SIGTERM");
  const killer = setTimeout(() => signalTree(child, "SIGKILL"), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(killer);
  // Whatever outlived wrangler itself.
  signalTree(child, "SIGKILL");
}

async function kill(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  signalTree(child, "SIGKILL");
  await exited;
}

function signalTree({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  if (process.platform === "win32") {
    spawn("taskkill", ["/pid", `${pid}`, "/T", "/F"], { stdio: "ignore" });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
