/** Runs that services start and feed, and publishing to many, over HTTP against the real object. */
import { describe, expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";
import { connect, newUser } from "../support/client.ts";
import { countSessions, HOST, send } from "../support/edge.ts";
import { signToken } from "../support/tokens.ts";

const SERVICE = { sub: "helpdesk", permissions: ["service"] };

async function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  claims: object = SERVICE,
) {
  const response = await send(
    new Request(new URL(path, HOST), {
      method: "POST",
      headers: {
        Authorization: `Bearer ${await signToken(claims as Record<string, unknown>)}`,
        "Content-Type": "application/json",
        ...headers,
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    }),
  );
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
}

async function runsOf(sub: string) {
  return `/v1/users/${await userId("local", sub)}/runs`;
}

const FEED = { executor: "feed", agent_name: "Dana", content: "hello" };
const THINK = { type: "agent_thinking", run_seq: 1, payload: { step: 1, thought: "hm" } };
const DONE = { type: "agent_completed", run_seq: 2, payload: { status: "succeeded", content: "done" } };

describe("starting and feeding a run", () => {
  test("[V12] a whole run over HTTP reaches the user's socket", async () => {
    const sub = newUser();
    const tab = await connect(sub);
    const runs = await runsOf(sub);
    const started = await post(runs, FEED, { "Idempotency-Key": "k" });
    expect(started).toMatchObject({ status: 201, body: { thread_id: "main", seq: 1, duplicate: false } });
    expect((await post(runs, FEED, { "Idempotency-Key": "k" })).body).toEqual({
      ...started.body,
      duplicate: true,
    });
    const events = `${runs}/${started.body.run_id}/events`;
    expect(await post(events, { events: [THINK] })).toMatchObject({
      status: 200,
      body: { next_run_seq: 2, seq: 3, ended: false, next_offset: 0 },
    });
    expect((await post(events, { events: [DONE] })).body).toMatchObject({ ended: true, status: "succeeded" });
    expect((await tab.next("agent_completed")).payload).toMatchObject({
      agent_name: "Dana",
      content: "done",
    });
  });

  test("[V12] a conflict is 409 with what a feeder needs; an unknown run is 404", async () => {
    const sub = newUser();
    const runs = await runsOf(sub);
    const { run_id } = (await post(runs, FEED)).body;
    expect(await post(`${runs}/${run_id}/events`, { events: [DONE] })).toMatchObject({
      status: 409,
      body: { error: { code: "conflict", details: { next_run_seq: 1, ended: false } } },
    });
    const other = await runsOf(newUser());
    expect((await post(`${other}/${run_id}/events`, { events: [THINK] })).status).toBe(404);
    const busy = await post(runs, FEED);
    expect(busy).toMatchObject({ status: 409, body: { error: { code: "conflict", field: "executor" } } });
    const unknown = await post(runs, { ...FEED, content: undefined, message_id: "m_9_x" });
    expect(unknown).toMatchObject({ status: 404, body: { error: { field: "message_id" } } });
  });

  test("[V12] queue_full is 429 with Retry-After", async () => {
    const sub = newUser();
    const path = `/v1/users/${await userId("local", sub)}/events`;
    const events = Array.from({ length: 100 }, (_, i) => ({ topic: "t", data: i }));
    for (let i = 0; i < 10; i += 1) expect((await post(path, { events })).status).toBe(200);
    const full = await post(await runsOf(sub), FEED);
    expect([full.status, full.headers.get("Retry-After"), full.body.error.code]).toEqual([
      429,
      "60",
      "queue_full",
    ]);
  });

  test.each([
    [{}, "executor"],
    [{ executor: "robot", content: "x" }, "executor"],
    [{ executor: "agent" }, "content"],
    [{ executor: "agent", content: "" }, "content"],
    [{ executor: "agent", content: "x".repeat(32_769) }, "content"],
    [{ executor: "agent", content: "x", message_id: "m_1_x" }, "message_id"],
    [{ executor: "agent", message_id: "m_1_x", thread_id: "main" }, "thread_id"],
    [{ executor: "agent", message_id: "m_1_x", parent_message_id: null }, "parent_message_id"],
    [{ executor: "agent", content: "x", takeover: true }, "takeover"],
    [{ executor: "agent", content: "x", agent_name: "Dana" }, "agent_name"],
    [{ executor: "agent", content: "x", silent_after_ms: 5_000 }, "silent_after_ms"],
    [{ executor: "feed", content: "x" }, "agent_name"],
    [{ ...FEED, agent_name: "" }, "agent_name"],
    [{ ...FEED, silent_after_ms: 999 }, "silent_after_ms"],
    [{ ...FEED, silent_after_ms: 3_600_001 }, "silent_after_ms"],
    [{ ...FEED, metadata: { constructor: 1 } }, "constructor"],
    [[], "body"],
  ])("[V13] refuses to start %j, naming %s, and touches no object", async (body, field) => {
    const before = await countSessions();
    const refused = await post(await runsOf(newUser()), body);
    expect(refused.body.error.field).toBe(field);
    expect([400, 413]).toContain(refused.status);
    expect(await countSessions()).toBe(before);
  });

  test.each([
    [{}, "events"],
    [{ events: Array(257).fill(THINK) }, "events"],
    [{ events: [{ ...THINK, type: "agent_started" }] }, "events.0.type"],
    [{ events: [{ ...THINK, run_seq: 0 }] }, "events.0.run_seq"],
    [{ events: [{ ...THINK, payload: { step: 0, thought: "" } }] }, "events.0.payload.step"],
    [{ events: [{ ...THINK, payload: { step: 1, thought: "x".repeat(262_144) } }] }, "events.0.payload"],
    [
      { events: [DONE, { type: "partial_result", payload: { offset: -1, delta: "" } }] },
      "events.1.payload.offset",
    ],
    [{ events: [{ ...DONE, payload: { status: "fine", content: "" } }] }, "events.0.payload.status"],
    ['{"events":[],"__proto__":1}', "__proto__"],
    ["{", null],
    [`{"events":"${"x".repeat(1_048_577)}"}`, null],
  ])("[V13] refuses to feed what does not fit (%#), and touches no object", async (body, field) => {
    const before = await countSessions();
    const refused = await post(`${await runsOf(newUser())}/r_1_x/events`, body);
    expect([400, 413]).toContain(refused.status);
    expect(refused.body.error.field ?? null).toBe(field);
    expect(await countSessions()).toBe(before);
  });

  test("[V13] needs the service permission, a user id, a usable run id and key, and POST", async () => {
    const before = await countSessions();
    const runs = await runsOf(newUser());
    for (const permissions of [["chat", "agents"], ["admin"]]) {
      expect((await post(runs, FEED, {}, { sub: "a", permissions })).status).toBe(403);
      expect((await post(`${runs}/r_1_x/events`, { events: [] }, {}, { sub: "a", permissions })).status).toBe(
        403,
      );
    }
    expect((await post("/v1/users/alice/runs", FEED)).body.error.field).toBe("user_id");
    expect((await post(`${runs}/${"r".repeat(65)}/events`, { events: [] })).body.error.field).toBe("run_id");
    expect((await post(runs, FEED, { "Idempotency-Key": "k".repeat(65) })).status).toBe(400);
    const get = await send(new Request(new URL(runs, HOST)));
    expect([get.status, get.headers.get("Allow")]).toEqual([405, "POST"]);
    expect(await countSessions()).toBe(before);
  });
});

describe("publishing to many", () => {
  const path = "/v1/users/events";
  const events = [{ topic: "news", data: 1 }];
  const ids = async (count: number) =>
    Promise.all(Array.from({ length: count }, () => userId("local", newUser())));

  test("[V14] each user gets it by itself, and what one is refused costs no other anything", async () => {
    const [full = "", ...others] = await ids(3);
    const many = Array.from({ length: 100 }, (_, i) => ({ topic: "t", data: i }));
    for (let i = 0; i < 10; i += 1) await post(`/v1/users/${full}/events`, { events: many });
    const answer = await post(path, { user_ids: [full, ...others], events });
    expect(answer.status).toBe(200);
    expect(answer.body.results).toEqual([
      { user_id: full, error: expect.objectContaining({ code: "queue_full", retryable: true }) },
      ...others.map((user_id) => ({ user_id, seq: 1, duplicate: false })),
    ]);
  });

  test("[V14] the same key again is published once to each", async () => {
    const [first = "", second = ""] = await ids(2);
    const key = { "Idempotency-Key": "news-1" };
    await post(path, { user_ids: [first], events }, key);
    const answer = await post(path, { user_ids: [first, second], events }, key);
    expect(answer.body.results).toEqual([
      { user_id: first, seq: 1, duplicate: true },
      { user_id: second, seq: 1, duplicate: false },
    ]);
    const other = await post(path, { user_ids: [first], events: [{ topic: "x", data: 2 }] }, key);
    expect(other.body.results).toMatchObject([{ error: { code: "id_conflict" } }]);
  });

  test("[V14] refuses a list that is empty, too long, or wrong, before any object is touched", async () => {
    const before = await countSessions();
    const [one = ""] = await ids(1);
    const fields = [];
    for (const user_ids of [[], Array(101).fill(one), [one, "alice"], [one, one], undefined]) {
      fields.push((await post(path, { user_ids, events })).body.error.field);
    }
    expect(fields).toEqual(["user_ids", "user_ids", "user_ids.1", "user_ids.1", "user_ids"]);
    expect((await post(path, { user_ids: [one], events: [] })).body.error.field).toBe("events");
    expect((await post(path, { user_ids: [one], events }, {}, { sub: "a" })).status).toBe(403);
    expect(await countSessions()).toBe(before);
  });
});
