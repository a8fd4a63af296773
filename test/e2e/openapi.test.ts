/** The document of the HTTP API, taken at its word: every operation is called over TCP, and its answer held to its schema. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";

interface Called {
  readonly status: number;
  readonly body: any;
}

/** What a call needs besides the token: the parts of the path, and a body. */
interface Parts {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly token?: string;
  /** As a form, not as JSON. */
  readonly form?: Readonly<Record<string, string>>;
}

let server: DevServer;
let document: any;
const tokens: Record<string, string> = {};
let user_id = "";
const called = new Set<string>();
const ajv = new Ajv2020({ strict: false, validateFormats: false });

beforeAll(async () => {
  server = await startDevServer();
  const response = await fetch(`${server.url}/v1/openapi.json`);
  document = await response.json();
  ajv.addSchema(document, "api");
  for (const power of ["chat", "service", "admin"]) {
    const permissions = power === "chat" ? ["chat", "agents"] : [power];
    const answer = await fetch(`${server.url}/v1/dev/token`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sub: `openapi-${power}`, permissions }),
    });
    const { token, user_id: id } = (await answer.json()) as { token: string; user_id: string };
    tokens[power] = token;
    if (power === "chat") user_id = id;
  }
});

afterAll(() => server?.stop());

/** Where an operation is, and what is said of it. */
function operation(operationId: string): { path: string; method: string; said: any } {
  for (const [path, methods] of Object.entries<any>(document.paths)) {
    for (const [method, said] of Object.entries<any>(methods)) {
      if (said.operationId === operationId) return { path, method, said };
    }
  }
  throw new Error(`no operation is called ${operationId}`);
}

/** Calls an operation; what it answers has to be what the document says of that status. */
async function call(
  operationId: string,
  { path = {}, query = "", body, form, token }: Parts = {},
): Promise<Called> {
  const { path: template, method, said } = operation(operationId);
  called.add(operationId);
  const place = template.replaceAll(/\{(\w+)\}/g, (_, name) => path[name] ?? `no-${name}`);
  const power = /`(\w+)`/.exec(said.description ?? "")?.[1];
  const headers: Record<string, string> = {};
  if (power !== undefined) headers.Authorization = `Bearer ${token ?? tokens[power]}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  const sent = form === undefined ? text : new URLSearchParams(form);
  const response = await fetch(`${server.url}${place}${query}`, {
    method: method.toUpperCase(),
    headers,
    ...(sent === undefined ? {} : { body: sent }),
  });
  const answer: unknown = await response.json();
  const status = said.responses[response.status] === undefined ? "default" : `${response.status}`;
  const at = [template, method, "responses", status, "content", "application/json", "schema"];
  const pointer = at
    .map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")))
    .join("/");
  const validate = ajv.compile({ $ref: `api#/paths/${pointer}` });
  const fits = validate(answer);
  expect(fits ? [] : validate.errors, `${operationId} answered ${response.status}`).toEqual([]);
  return { status: response.status, body: answer };
}

const THREAD = "018f0000-0000-7000-8000-000000000001";

describe("the document of the HTTP API", () => {
  test("[H8] is valid OpenAPI 3.1", async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect([result.valid, result.errors]).toEqual([true, undefined]);
    expect(document.openapi).toBe("3.1.0");
  });

  test("[H8] may be read by tools on other origins", async () => {
    const { headers } = await fetch(`${server.url}/v1/openapi.json`);
    expect(headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(headers.get("Content-Type")).toContain("application/json");
  });

  test("[H8] holds for every route, where it is asked for something and where it refuses", async () => {
    const ok = async (operationId: string, parts?: Parts) => {
      const { status, body } = await call(operationId, parts);
      expect([operationId, status]).toEqual([operationId, status === 201 ? 201 : 200]);
      return body;
    };
    const of = { path: { user_id } };
    await ok("getHealth");
    await ok("getConfig");
    await ok("createThread", { body: { thread_id: THREAD, title: "Costs" } });
    await ok("updateThread", { path: { thread_id: THREAD }, body: { title: "Bills" } });
    const question = { content: "hello" };
    const asked = await ok("sendMessage", { query: "?wait=true", body: question });
    const { message_id } = asked.answer;
    await ok("readJournal", { path: { run_id: asked.run_id } });
    await ok("readUserJournal", { path: { user_id, run_id: asked.run_id } });
    await ok("regenerateMessage", { path: { message_id }, query: "?wait=true" });
    await ok("rateMessage", { path: { message_id }, body: { rating: 1, comment: "good" } });
    await ok("listThreads", { query: "?limit=1" });
    await ok("listMessages", { path: { thread_id: "main" }, query: "?steps=true&alternatives=true" });
    await ok("updateState", { body: { base_version: 0, patch: [{ op: "add", path: "/a", value: 1 }] } });
    await ok("readState");
    await ok("publishEvents", { ...of, body: { events: [{ topic: "t", data: { due: 1 } }] } });
    await ok("broadcastEvents", {
      body: { user_ids: [user_id], events: [{ topic: "t", data: 1 }] },
    });
    const start = { executor: "feed", content: "?", agent_name: "elsewhere" };
    const { run_id } = await ok("startRun", { ...of, body: start });
    const thought = { type: "agent_thinking", run_seq: 1, payload: { step: 1, thought: "hm" } };
    await ok("feedRun", { path: { user_id, run_id }, body: { events: [thought] } });
    await ok("showUser", of);
    await ok("cancelRun", { path: { run_id } });
    await ok("readEvents", { query: "?since=0&limit=1000" });
    await ok("readUsage");
    await ok("exportMe");
    await ok("deleteThread", { path: { thread_id: THREAD } });
    await ok("issueTicket");
    await ok("eraseMe");
    await ok("sendMessage", { body: { content: "anew", respond: false } });
    await ok("invalidateUser", of);
    const form = {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: "x",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    };
    expect((await call("exchangeToken", { form })).status).toBe(400);
    for (const { said } of Object.keys(document.paths).flatMap((path) =>
      Object.keys(document.paths[path]).map((method) => ({ said: document.paths[path][method] })),
    )) {
      if (said.description === undefined) continue;
      expect((await call(said.operationId, { token: "none", path: { user_id } })).status).toBe(401);
    }
    await ok("signOutUser", of);
    expect((await call("signOut")).status).toBe(401);
    const all = Object.values<any>(document.paths).flatMap((methods) =>
      Object.values<any>(methods).map(({ operationId }) => operationId),
    );
    expect(all.filter((operationId) => !called.has(operationId))).toEqual([]);
  });
});
