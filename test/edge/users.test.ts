/** What services, operators and readers without a socket may do, over HTTP against the real object. */
import { describe, expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";
import { connect, newUser } from "../support/client.ts";
import { countSessions, HOST, send } from "../support/edge.ts";
import { signToken } from "../support/tokens.ts";

const SERVICE = { sub: "billing", permissions: ["service"] };
const ADMIN = { sub: "operator", permissions: ["admin"] };

async function request(path: string, claims: Record<string, unknown>, init: RequestInit = {}) {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${await signToken(claims)}`);
  if (init.body !== undefined) headers.set("Content-Type", "application/json");
  return send(new Request(new URL(path, HOST), { ...init, headers }));
}

async function publish(sub: string, body: unknown, headers: Record<string, string> = {}, claims = SERVICE) {
  const path = `/v1/users/${await userId("local", sub)}/events`;
  return request(path, claims, { method: "POST", body: JSON.stringify(body), headers });
}

const ONE = { events: [{ topic: "billing", data: { due: 3 } }] };

describe("publishing to a user", () => {
  test("[E19] reaches the user's sockets, and says where it went", async () => {
    const sub = newUser();
    const tab = await connect(sub);
    const response = await publish(sub, { events: [...ONE.events, { topic: "t", data: null, ttl_s: 60 }] });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ seq: 2, duplicate: false });
    expect((await tab.next("notification")).payload).toMatchObject({ topic: "billing", data: { due: 3 } });
    expect((await tab.next("notification")).payload).toMatchObject({ topic: "t", data: null });
  });

  test("[E19] twice with the same Idempotency-Key is published once", async () => {
    const sub = newUser();
    const headers = { "Idempotency-Key": "invoice-7" };
    const both = await Promise.all([publish(sub, ONE, headers), publish(sub, ONE, headers)]);
    const answers = await Promise.all(both.map((response) => response.json()));
    expect(answers).toEqual([
      { seq: 1, duplicate: false },
      { seq: 1, duplicate: true },
    ]);
    const other = await publish(sub, { events: [{ topic: "other", data: 1 }] }, headers);
    expect(other.status).toBe(409);
    expect(await other.json()).toMatchObject({ error: { code: "id_conflict" } });
  });

  test("[E20] that could not be remembered under its key is refused before anything is written", async () => {
    const sub = newUser();
    const before = await countSessions();
    const notice = `{"topic":"t","data":[${Array(2_700).fill("1e20").join(",")}]}`;
    const body = `{"events":[${Array(40).fill(notice).join(",")}]}`;
    const path = `/v1/users/${await userId("local", sub)}/events`;
    const response = await request(path, SERVICE, {
      method: "POST",
      body,
      headers: { "Idempotency-Key": "k" },
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: "too_large", field: "events" } });
    expect(await countSessions()).toBe(before);
  });

  test("[E19] beyond what is unread is 429 with Retry-After", async () => {
    const sub = newUser();
    const events = Array.from({ length: 100 }, (_, i) => ({ topic: "t", data: i }));
    for (let i = 0; i < 10; i += 1) expect((await publish(sub, { events })).status).toBe(200);
    const full = await publish(sub, ONE);
    expect(full.status).toBe(429);
    expect(full.headers.get("Retry-After")).toBe("60");
    expect(await full.json()).toMatchObject({ error: { code: "queue_full", limit: 1_000 } });
  });

  test.each([
    ["{}", "invalid_payload", "events", undefined],
    ['{"events":[]}', "invalid_payload", "events", 1],
    ['{"events":[{"data":1}]}', "invalid_payload", "events.0.topic", undefined],
    ['{"events":[{"topic":"","data":1}]}', "invalid_payload", "events.0.topic", 1],
    [`{"events":[{"topic":"${"x".repeat(65)}","data":1}]}`, "invalid_payload", "events.0.topic", 64],
    ['{"events":[{"topic":"t","data":1,"ttl_s":0}]}', "invalid_payload", "events.0.ttl_s", 1],
    ['{"events":[{"topic":"t","data":1,"ttl_s":2592001}]}', "invalid_payload", "events.0.ttl_s", 2_592_000],
    ['{"events":[{"topic":"t","data":1,"ttl_s":1e308}]}', "invalid_payload", "events.0.ttl_s", 2_592_000],
    [`{"events":[{"topic":"t","data":"${"x".repeat(65_536)}"}]}`, "too_large", "events.0.data", 65_536],
    [`{"events":[${Array(101).fill('{"topic":"t","data":1}').join(",")}]}`, "invalid_payload", "events", 100],
    ["[]", "invalid_payload", "body", undefined],
    ["{", "bad_json", undefined, undefined],
    ['{"events":[{"topic":"t","data":{"__proto__":1}}]}', "invalid_payload", "__proto__", undefined],
    [`{"events":[{"topic":"t","data":${"[".repeat(31)}${"]".repeat(31)}}]}`, "invalid_payload", "body", 32],
    [`{"events":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, "invalid_payload", "body", 32],
    [`{"events":"${"x".repeat(1_048_577)}"}`, "too_large", undefined, 1_048_576],
  ])("[E20] refuses %.60s: %s, and touches no object", async (body, code, field, limit) => {
    const before = await countSessions();
    const path = `/v1/users/${await userId("local", newUser())}/events`;
    const response = await request(path, SERVICE, { method: "POST", body });
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect([error.code, error.field, error.limit]).toEqual([code, field, limit]);
    expect(response.status).toBe(code === "too_large" ? 413 : 400);
    expect(await countSessions()).toBe(before);
  });

  test("[E20] needs the permission, a real user id, a usable key and POST", async () => {
    const before = await countSessions();
    const path = `/v1/users/${await userId("local", newUser())}/events`;
    const body = JSON.stringify(ONE);
    const plain = await request(path, { sub: "a" }, { method: "POST", body });
    expect(plain.status).toBe(403);
    expect((await request(path, ADMIN, { method: "POST", body })).status).toBe(403);
    const nobody = await request("/v1/users/alice/events", SERVICE, { method: "POST", body });
    expect(await nobody.json()).toMatchObject({ error: { code: "invalid_payload", field: "user_id" } });
    const key = { "Idempotency-Key": "k".repeat(65) };
    const long = await request(path, SERVICE, { method: "POST", body, headers: key });
    expect(await long.json()).toMatchObject({ error: { field: "Idempotency-Key", limit: 64 } });
    const get = await request(path, SERVICE);
    expect([get.status, get.headers.get("Allow")]).toEqual([405, "POST"]);
    expect(await countSessions()).toBe(before);
  });
});

describe("reading events over HTTP", () => {
  test("[E21] gives the log page by page, as a socket would have been sent it", async () => {
    const sub = newUser();
    const tab = await connect(sub);
    for (let i = 1; i <= 5; i += 1) tab.say(`m${i}`, `${i}`, { respond: false });
    for (let i = 1; i <= 5; i += 1) await tab.next("user_message");
    const epoch = tab.frames[0]?.payload.epoch;
    const first = await request(`/v1/events?limit=3&epoch=${epoch}`, { sub });
    expect(first.headers.get("Content-Type")).toBe("application/json");
    expect(first.headers.get("Cache-Control")).toBe("no-store");
    const page = (await first.json()) as { events: unknown[]; next: number };
    expect(page).toMatchObject({ epoch, head_seq: 5, next: 3 });
    expect(page.events).toEqual(tab.events().slice(0, 3));
    const rest = (await (await request(`/v1/events?since=${page.next}`, { sub })).json()) as typeof page;
    expect(rest.events).toEqual(tab.events().slice(3));
    expect(rest.next).toBeUndefined();
  });

  test("[E21] of a user who does not exist is empty", async () => {
    const response = await request("/v1/events", { sub: newUser() });
    expect(await response.json()).toEqual({ events: [], head_seq: 0 });
  });

  test.each([
    ["since=-1", "since"],
    ["since=1e3", "since"],
    ["since=abc", "since"],
    ["since=9007199254740992", "since"],
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
  ])("[E21] refuses %s, naming the field", async (query, field) => {
    const response = await request(`/v1/events?${query}`, { sub: newUser() });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "invalid_payload", field } });
  });

  test("[E21] refuses a position of another epoch or ahead of the log with 409", async () => {
    const sub = newUser();
    await publish(sub, ONE);
    const other = await request("/v1/events?epoch=other", { sub });
    expect([other.status, await other.json()]).toMatchObject([409, { error: { code: "state_invalidated" } }]);
    const ahead = await request("/v1/events?since=2", { sub });
    expect([ahead.status, await ahead.json()]).toMatchObject([
      409,
      { error: { code: "ack_ahead", limit: 1 } },
    ]);
  });

  test("[E21] needs a token with chat, and GET", async () => {
    expect((await request("/v1/events", SERVICE)).status).toBe(403);
    expect((await request("/v1/events", { sub: "a" }, { method: "DELETE" })).status).toBe(405);
    expect((await send(new Request(new URL("/v1/events", HOST)))).status).toBe(401);
  });
});

describe("invalidating a user", () => {
  test("[E22] is an operator's: sockets close with 4300 and come back to a new epoch", async () => {
    const sub = newUser();
    const tab = await connect(sub);
    const path = `/v1/users/${await userId("local", sub)}/invalidate`;
    const done = await request(path, ADMIN, { method: "POST" });
    expect(await done.json()).toEqual({ invalidated: true });
    expect(await tab.untilClosed()).toEqual({ code: 4300, reason: "state_invalidated" });
    const back = await connect(sub, { epoch: tab.frames[0]?.payload.epoch, since: 0 });
    expect(back.frames[0]?.payload).toMatchObject({ resume: "gap", gap_reason: "epoch_changed" });
  });

  test("[E22] is refused to others, by other methods, and of who does not exist", async () => {
    const path = `/v1/users/${await userId("local", newUser())}/invalidate`;
    expect((await request(path, SERVICE, { method: "POST" })).status).toBe(403);
    expect((await request(path, ADMIN)).status).toBe(405);
    expect((await request(path, ADMIN, { method: "POST" })).status).toBe(404);
    expect((await request("/v1/users/bob/invalidate", ADMIN, { method: "POST" })).status).toBe(400);
  });
});
