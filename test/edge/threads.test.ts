/** Reading threads over HTTP: who may, and what reaches the user's object. */
import { describe, expect, test } from "vitest";
import type { Principal } from "../../src/auth/principal.ts";
import type { Message, Thread } from "../../src/protocol/pure/conversation.ts";
import { refuse } from "../../src/protocol/result.ts";
import type { MessageQuery } from "../../src/session/rpc.ts";
import { countSessions, HOST, send } from "../support/edge.ts";
import { nowS, signToken } from "../support/tokens.ts";

const THREAD: Thread = {
  thread_id: "main",
  title: "Costs",
  head_message_id: "m_1_x",
  updated_at: "2026-11-21T00:00:00.000Z",
};

const MESSAGE: Message = {
  message_id: "m_1_x",
  thread_id: "main",
  role: "user",
  content: "hello",
  seq: 1,
  parent_message_id: null,
  timestamp: "2026-11-21T00:00:00.000Z",
};

/** Sessions that have one thread with one message, and note what they are asked. */
function sessions() {
  const asked: (string | MessageQuery)[] = [];
  const getByName = (name: string) => ({
    listThreads: async () => {
      asked.push(name);
      return { ok: true, value: { threads: [THREAD] } };
    },
    listMessages: async (_: Principal, query: MessageQuery) => {
      asked.push(name, query);
      if (query.thread_id !== "main") return refuse("not_found", "there is no such thread");
      return { ok: true, value: { messages: [MESSAGE], next: 1 } };
    },
  });
  return { asked, USER_SESSION: { getByName } };
}

function get(path: string, token?: string, headers: Record<string, string> = {}) {
  const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return new Request(new URL(path, HOST), { headers: { ...authorization, ...headers } });
}

describe("threads", () => {
  test("[E16] are listed to their owner", async () => {
    const { asked, USER_SESSION } = sessions();
    const response = await send(get("/v1/threads", await signToken()), { USER_SESSION });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ threads: [THREAD] });
    expect(asked).toEqual(["u_o33fvxoyt43fdbpvkiws32hmmz3nmwtidyd2hpyuk2wtegmvb2ja"]);
  });

  test("[E16] have their messages listed page by page", async () => {
    const { USER_SESSION } = sessions();
    const response = await send(get("/v1/threads/main/messages", await signToken()), { USER_SESSION });
    expect(await response.json()).toEqual({ messages: [MESSAGE], next: 1 });
  });

  test("[E16] that do not exist are 404", async () => {
    const { USER_SESSION } = sessions();
    const response = await send(get("/v1/threads/other/messages", await signToken()), { USER_SESSION });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "not_found" } });
  });

  test("[E16] asked for too often say when to come back", async () => {
    const refusal = refuse("rate_limited", "wait a little", { retry_after_ms: 1_001 });
    const USER_SESSION = { getByName: () => ({ listMessages: async () => refusal }) };
    const response = await send(get("/v1/threads/main/messages", await signToken()), { USER_SESSION });
    expect([response.status, response.headers.get("Retry-After")]).toEqual([429, "2"]);
  });

  test("[E16] of a user nobody has heard of are none", async () => {
    const token = await signToken({ sub: crypto.randomUUID() });
    expect(await (await send(get("/v1/threads", token))).json()).toEqual({ threads: [] });
    expect((await send(get("/v1/threads/main/messages", token))).status).toBe(404);
  });

  test.each([
    ["no token", async () => get("/v1/threads"), 401, "token_missing"],
    [
      "an expired token",
      async () => get("/v1/threads", await signToken({ exp: nowS() - 60 })),
      401,
      "token_expired",
    ],
    [
      "no permission",
      async () => get("/v1/threads", await signToken({ permissions: ["admin"] })),
      403,
      "forbidden",
    ],
    ["a token in the URL", async () => get(`/v1/threads?token=${await signToken()}`), 401, "token_missing"],
    [
      "a token in a subprotocol",
      async () => get("/v1/threads", undefined, { "Sec-WebSocket-Protocol": `jwt.${await signToken()}` }),
      401,
      "token_missing",
    ],
    ["a bad query but no token", async () => get("/v1/threads/main/messages?limit=0"), 401, "token_missing"],
  ])("[E16] are not shown to %s", async (_, make, status, code) => {
    const before = await countSessions();
    const response = await send(await make());
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
    expect(response.headers.has("WWW-Authenticate")).toBe(status === 401);
    expect(await countSessions()).toBe(before);
  });
});

describe("a page of messages", () => {
  test.each([
    ["main/messages", { thread_id: "main", limit: 50 }],
    ["main/messages?limit=1", { thread_id: "main", limit: 1 }],
    ["main/messages?limit=200&before=12", { thread_id: "main", limit: 200, before: 12 }],
    ["a%2Fb%20c/messages?before=1", { thread_id: "a/b c", limit: 50, before: 1 }],
    [`${"x".repeat(64)}/messages`, { thread_id: "x".repeat(64), limit: 50 }],
  ])("[E17] is asked for by %s", async (path, query) => {
    const { asked, USER_SESSION } = sessions();
    await send(get(`/v1/threads/${path}`, await signToken()), { USER_SESSION });
    expect(asked[1]).toEqual(query);
  });

  test.each([
    ["main/messages?limit=0", "limit"],
    ["main/messages?limit=201", "limit"],
    ["main/messages?limit=", "limit"],
    ["main/messages?limit=-1", "limit"],
    ["main/messages?limit=1.5", "limit"],
    ["main/messages?limit=1e2", "limit"],
    ["main/messages?before=0", "before"],
    ["main/messages?before=abc", "before"],
    ["main/messages?before=9007199254740992", "before"],
    [`${"x".repeat(65)}/messages`, "thread_id"],
  ])("[E17] is refused to %s, naming the field", async (path, field) => {
    const { asked, USER_SESSION } = sessions();
    const response = await send(get(`/v1/threads/${path}`, await signToken()), { USER_SESSION });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_payload", field } });
    expect(asked).toEqual([]);
  });
});
