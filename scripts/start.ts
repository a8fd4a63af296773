/**
 * `npm start`: the whole product on this machine. Makes the local secrets once,
 * runs `wrangler dev`, says where it is, and takes everything down with it.
 * Arguments after `--` go to wrangler: `npm start -- --port 9000`.
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { devVars } from "./dev-vars.ts";
import { isFree } from "./ports.ts";
import { worthShowing } from "./quiet.ts";
import { runWrangler, type Wrangler } from "./wrangler.ts";

const DEV_VARS = fileURLToPath(new URL("../.dev.vars", import.meta.url));
const DEFAULT_PORT = 8787;
const DEFAULT_IP = "127.0.0.1";

/** Addresses that only this machine reaches. */
const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|::1)$/;

const args = process.argv.slice(2);
const port = Number(option("--port") ?? DEFAULT_PORT);
const ip = option("--ip") ?? DEFAULT_IP;

// Whoever reads the output may have had enough of it: `npm start | head -1`.
process.stdout.on("error", () => process.exit(0));

if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  say("--port must be a whole number from 1 to 65535");
  process.exit(1);
}

if (!(await isFree(port, ip))) {
  say(`Port ${port} on ${ip} is in use or not allowed. Try another one: npm start -- --port ${port + 1}`);
  process.exit(1);
}
if (await makeDevVars()) say("Made .dev.vars with a random JWT_SECRET for this machine.");
say("Starting…");
const wrangler = runWrangler(["--ip", ip, "--port", `${port}`, ...safely(), ...without("--ip", "--port")]);
show(wrangler);
process.exitCode = await endOf(wrangler);

/** True if the file was made; one that is there is never touched. */
async function makeDevVars(): Promise<boolean> {
  return writeFile(DEV_VARS, devVars(), { flag: "wx", mode: 0o600 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
}

/** Development tokens are for the asking, so a server that others can reach must not hand them out. */
function safely(): string[] {
  if (LOOPBACK.test(ip)) return [];
  say(`Others can reach ${ip}: this server runs as in production and hands out no development tokens.`);
  return ["--var", "ENVIRONMENT:production"];
}

function show(of: Wrangler): void {
  const isWorthShowing = worthShowing();
  of.onLine((line) => {
    if (line.includes("Ready on http")) announce();
    else if (isWorthShowing(line)) say(line);
  });
}

function announce(): void {
  const host = ip === "0.0.0.0" || ip === "::" || ip === "*" ? "localhost" : ip;
  const shown = host.includes(":") ? `[${host}]` : host;
  say(`\n  Throughline is ready:  http://${shown}:${port}\n\n  Ctrl+C stops it.\n`);
}

/** The exit code to pass on; a stop that was asked for is a success. */
async function endOf({ exited, stop }: Wrangler): Promise<number> {
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      asked = true;
      void stop();
    });
  }
  const code = await exited;
  await stop();
  return asked ? 0 : (code ?? 1);
}

function option(name: string): string | undefined {
  const inline = args.find((arg) => arg.startsWith(`${name}=`));
  if (inline !== undefined) return inline.slice(name.length + 1);
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

/** What is left for wrangler once the named options are taken out. */
function without(...names: readonly string[]): string[] {
  return args.filter((arg, index) => {
    const before = args[index - 1];
    const taken = names.includes(arg) || (before !== undefined && names.includes(before));
    return !taken && !names.some((name) => arg.startsWith(`${name}=`));
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
