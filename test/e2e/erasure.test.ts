/** What is left on disk of what was deleted: the SQLite files of a real server, byte by byte. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";

/** In no code, page or log. */
const SECRET = "heliotrope-marmalade";

let server: DevServer;
let state: string;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "throughline-erasure-"));
  server = await startDevServer({ persist_to: state });
});

afterAll(async () => {
  await server?.stop();
  await rm(state, { recursive: true, force: true, maxRetries: 5 });
});

async function tokenOf(sub: string): Promise<string> {
  const response = await fetch(`${server.url}/v1/dev/token`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ sub }),
  });
  return ((await response.json()) as { token: string }).token;
}

async function ask(token: string, method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.status).toBe(200);
  return await response.json();
}

/** The files that hold the secret; a database's log beside it included. */
async function filesWithSecret(): Promise<string[]> {
  const names = await readdir(state, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const holding = await Promise.all(
    files.map(async (file) => ((await readFile(file)).includes(SECRET) ? [file] : [])),
  );
  return holding.flat();
}

describe("what is left of what was deleted", () => {
  test("[H6] is nothing: after an erasure no file of the server holds a word of it", async () => {
    const token = await tokenOf("erased");
    const content = `${SECRET} ${"x".repeat(20_000)}`;
    for (let i = 0; i < 5; i += 1) await ask(token, "POST", "/v1/messages", { content, respond: false });
    await ask(token, "POST", "/v1/messages?wait=true", { content: `${SECRET}: where does our money go?` });
    await ask(token, "PATCH", "/v1/state", {
      base_version: 0,
      patch: [{ op: "add", path: "/draft", value: SECRET }],
    });
    expect(await filesWithSecret()).not.toEqual([]);
    await ask(token, "DELETE", "/v1/me");
    await server.stop();
    expect(await filesWithSecret()).toEqual([]);
  });
});
