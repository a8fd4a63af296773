/** A copy of everything, its end, and what an operator sees. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { userId } from "../../src/auth/user-id.ts";
import { connect, newUser, stubOf } from "../support/client.ts";
import { principalWith } from "../support/desk.ts";
import { HttpUser } from "../support/http.ts";
import { probe } from "../support/probe.ts";

const SCRIPT = [{ think: "hm" }, { tool: "echo", key: "k" }, { text: "the answer" }, { report: "r" }];

describe("a copy of everything", () => {
  test("[H5] has every event as it was sent, however many there are, and the threads", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    const tab = await connect(sub);
    for (let i = 0; i < 12; i += 1) {
      await user.ask("POST", "/v1/messages?wait=true", {
        body: { content: `q${i}`, data: { script: SCRIPT } },
      });
    }
    const copy = await user.ask("GET", "/v1/me/export");
    expect(copy.status).toBe(200);
    expect(copy.body).toMatchObject({
      user_id: await userId("local", sub),
      head_seq: 12 * 7,
      threads: [{ thread_id: "main" }],
    });
    await tab.next(({ seq }) => seq === 12 * 7);
    expect(copy.body.events).toEqual(tab.events());
  });

  test("[H5] has all threads, however many there are", async () => {
    const user = new HttpUser(newUser());
    const ids = Array.from({ length: 1_001 }, (_, index) => `t_${String(index).padStart(4, "0")}`);
    await user.ask("POST", "/v1/messages", { body: { content: "x", respond: false } });
    await runInDurableObject(await stubOf(user.sub), (_, { storage }) => {
      for (const id of ids) {
        storage.sql.exec(
          "INSERT INTO threads (thread_id, title, head, updated_at, detail, touched) SELECT ?, title, head, updated_at, detail, touched FROM threads WHERE thread_id = 'main'",
          id,
        );
      }
    });
    const { body } = await user.ask("GET", "/v1/me/export");
    expect(body.threads.map(({ thread_id }: any) => thread_id)).toEqual(["main", ...ids]);
  });

  test("[H5] of somebody who was never here is empty, and makes nobody", async () => {
    const copy = await new HttpUser(newUser()).ask("GET", "/v1/me/export");
    expect(copy.body).toMatchObject({ epoch: null, head_seq: 0, threads: [], events: [] });
  });

  test("[H5] is no acknowledgement: what was unread stays so", async () => {
    const user = new HttpUser(newUser());
    const user_id = await userId("local", user.sub);
    const service = new HttpUser("service");
    const claims = { permissions: ["service"] };
    const body = { events: [{ topic: "news", data: 1 }] };
    await service.ask("POST", `/v1/users/${user_id}/events`, { body, claims });
    await user.ask("GET", "/v1/me/export");
    const tab = await connect(user.sub);
    expect(tab.frames[1]?.payload.notifications).toHaveLength(1);
  });

  test("[H5] leaves out what was deleted", async () => {
    const user = new HttpUser(newUser());
    await user.ask("POST", "/v1/messages", { body: { content: "secret", respond: false } });
    await user.ask("DELETE", "/v1/threads/main");
    const { body } = await user.ask("GET", "/v1/me/export");
    expect(body.events.map(({ type }: any) => type)).toEqual(["thread_deleted"]);
  });
});

describe("what models have cost", () => {
  const asked = { body: { content: "?", data: { script: [{ model: "?" }] } } };

  test("[U5] is told the user and the operator, and who was never here has spent nothing", async () => {
    const user = new HttpUser(newUser());
    const nothing = { calls: 0, input_tokens: 0, output_tokens: 0 };
    const before = await user.ask("GET", "/v1/me/usage");
    expect(before).toMatchObject({ status: 200, body: { today: nothing, days: [], budget: {}, left: {} } });
    await user.ask("POST", "/v1/messages?wait=true", asked);
    const { body } = await user.ask("GET", "/v1/me/usage");
    const usage = { last_30_days: { calls: 1, input_tokens: 10, output_tokens: 5 } };
    expect(body).toMatchObject({ ...usage, days: [{ provider: "fake", model: "counted", calls: 1 }] });
    const user_id = await userId("local", user.sub);
    const path = `/v1/users/${user_id}`;
    const operator = { claims: { permissions: ["admin"] } };
    expect((await new HttpUser("op").ask("GET", path, operator)).body).toMatchObject({ usage });
    expect((await user.ask("GET", "/v1/me/export")).body.usage).toEqual(body.days);
  });

  test.each([
    ["without chat", 403, { claims: { permissions: [] } }],
    ["with a token that has expired", 401, { claims: { exp: 1 } }],
    ["with no token that could be read", 401, { headers: { Authorization: "Bearer x" } }],
  ])("[U5] is not told %s", async (_, status, more) => {
    expect((await new HttpUser(newUser()).ask("GET", "/v1/me/usage", more)).status).toBe(status);
  });

  test("[U6] goes with the user", async () => {
    const user = new HttpUser(newUser());
    await user.ask("POST", "/v1/messages?wait=true", asked);
    await user.ask("DELETE", "/v1/me");
    expect((await user.ask("GET", "/v1/me/usage")).body.days).toEqual([]);
  });
});

describe("the end of everything", () => {
  test("[H6] closes every socket with 4300, stops what works, and leaves an empty database", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    const tab = await connect(sub);
    probe.hold(sub);
    tab.say("q", "secret words", { data: { script: [{ tool: "hold", key: sub }, { text: "late" }] } });
    await tab.next("tool_executing");
    const erased = await user.ask("DELETE", "/v1/me");
    expect([erased.status, erased.body]).toEqual([200, { erased: true }]);
    expect(await tab.untilClosed()).toEqual({ code: 4300, reason: "state_invalidated" });
    probe.release(sub);
    await runInDurableObject(await stubOf(sub), async (_, { storage }) => {
      await scheduler.wait(5);
      const tables = storage.sql.exec(
        "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'",
      );
      expect(tables.toArray()).toEqual([]);
      expect(await storage.getAlarm()).toBeNull();
    });
  });

  test("[H6] is a beginning: another epoch, numbers from 1, and ids that were used are new", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    const before = await connect(sub);
    const epoch = before.frames[0]?.payload.epoch;
    const said = { body: { content: "hello", respond: false }, headers: { "Idempotency-Key": "k" } };
    await user.ask("POST", "/v1/messages", said);
    await user.ask("DELETE", "/v1/me");
    const after = await connect(sub, { epoch, since: 1 });
    expect(after.frames[0]?.payload).toMatchObject({
      resume: "gap",
      gap_reason: "epoch_changed",
      head_seq: 0,
    });
    expect(after.frames[0]?.payload.epoch).not.toBe(epoch);
    expect((await user.ask("POST", "/v1/messages", said)).body).toMatchObject({ seq: 1, duplicate: false });
    await after.next("user_message");
  });

  test("[H6] lets nothing that arrives with it survive", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    await user.ask("POST", "/v1/messages", { body: { content: "one", respond: false } });
    const together = await Promise.all([
      user.ask("POST", "/v1/messages", { body: { content: "two", respond: false } }),
      user.ask("DELETE", "/v1/me"),
      user.ask("POST", "/v1/messages", { body: { content: "three", respond: false } }),
    ]);
    expect(together[1]?.status).toBe(200);
    const { body } = await user.ask("GET", "/v1/events");
    expect(JSON.stringify(body)).not.toContain("one");
    expect(body.head_seq).toBe(body.events.length);
  });

  test("[H6] [A23] does not make a token good again that was signed out", async () => {
    const user = new HttpUser(newUser());
    await user.ask("POST", "/v1/messages", { body: { content: "x", respond: false } });
    await user.ask("POST", "/v1/auth/sign-out");
    const now = Math.floor(Date.now() / 1_000);
    const fresh = { claims: { iat: now + 2 } };
    expect((await user.ask("DELETE", "/v1/me", fresh)).status).toBe(200);
    const old = await user.ask("GET", "/v1/events", { claims: { iat: now - 10 } });
    expect([old.status, old.body.error.code]).toEqual([401, "signed_out"]);
    expect((await user.ask("GET", "/v1/events", fresh)).body.head_seq).toBe(0);
  });

  test("[H6] is not undone by a request that is refused: nobody is made for nothing", async () => {
    const user = new HttpUser(newUser());
    const refused = [
      await user.ask("DELETE", "/v1/threads/none"),
      await user.ask("POST", "/v1/runs/r_1_x/cancel"),
      await user.ask("POST", "/v1/messages", { body: { content: "x", thread_id: "none" } }),
      await user.ask("PATCH", "/v1/state", { body: { base_version: 7, patch: [] } }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([404, 404, 404, 409]);
    await runInDurableObject(await stubOf(user.sub), (_, { storage }) => {
      const tables = storage.sql.exec(
        "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'",
      );
      expect(tables.toArray()).toEqual([]);
    });
  });

  test("[H5] [H6] breaks off a copy that is being taken: two logs do not make one", async () => {
    const user = new HttpUser(newUser());
    await user.ask("POST", "/v1/messages", { body: { content: "x", respond: false } });
    const stub = await stubOf(user.sub);
    const who = { ...principalWith(["chat"]), iat: Math.floor(Date.now() / 1_000) };
    const first: any = await stub.exportPage(who, 0);
    await user.ask("DELETE", "/v1/me");
    await user.ask("POST", "/v1/messages", { body: { content: "y", respond: false } });
    const second = await stub.exportPage(who, 0, first.value.facts.epoch);
    expect(second).toMatchObject({ ok: false, refusal: { code: "state_invalidated" } });
  });

  test("[H6] wakes whoever waits for an answer that will not come", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    probe.hold(sub);
    const script = [{ tool: "hold", key: sub }];
    const waiting = user.ask("POST", "/v1/messages?wait=true", { body: { content: "?", data: { script } } });
    while (probe.executions(sub) === 0) await scheduler.wait(2);
    await user.ask("DELETE", "/v1/me");
    probe.release(sub);
    expect((await waiting).status).toBe(404);
  });

  test("[H6] is for its owner alone, with a token that is still good", async () => {
    const user = new HttpUser(newUser());
    await user.ask("POST", "/v1/messages", { body: { content: "kept", respond: false } });
    const claims = { permissions: ["service", "admin"] };
    expect((await user.ask("DELETE", "/v1/me", { claims })).status).toBe(403);
    await user.ask("POST", "/v1/auth/sign-out");
    const old = await user.ask("DELETE", "/v1/me", { claims: { iat: Math.floor(Date.now() / 1_000) - 10 } });
    expect([old.status, old.body.error.code]).toEqual([401, "signed_out"]);
    const fresh = { claims: { iat: Math.floor(Date.now() / 1_000) + 2 } };
    expect((await user.ask("GET", "/v1/events", fresh)).body.head_seq).toBe(1);
  });
});

describe("what an operator sees of a user", () => {
  const ADMIN = { claims: { permissions: ["admin"] } };

  test("[H7] is where everybody stands, and what was said of answers, nothing else that was said", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    await connect(sub, { client_id: "tab-1" });
    const asked = await user.ask("POST", "/v1/messages?wait=true", {
      body: { content: "private question", data: { script: SCRIPT } },
    });
    const path = `/v1/messages/${asked.body.answer.message_id}/feedback`;
    await user.ask("PUT", path, { body: { rating: 1 } });
    await user.ask("PUT", path, { body: { rating: -1, comment: "too vague" } });
    const seen = await new HttpUser("operator").ask("GET", `/v1/users/${await userId("local", sub)}`, ADMIN);
    expect(seen.body).toMatchObject({
      head_seq: 9,
      connections: [{ client_id: "tab-1", cursor: 9 }],
      runs: [],
      feedback: { good: 0, bad: 1, newest: [{ rating: -1, comment: "too vague" }] },
    });
    expect(JSON.stringify(seen.body)).not.toMatch(/private question|the answer/);
  });

  test("[H7] is not there for a user who is not, and not for who is no operator", async () => {
    const nobody = `/v1/users/${await userId("local", newUser())}`;
    const unknown = await new HttpUser("operator").ask("GET", nobody, ADMIN);
    expect([unknown.status, unknown.body.error.code]).toEqual([404, "not_found"]);
    const barred = await new HttpUser("curious").ask("GET", nobody, {
      claims: { permissions: ["chat", "service"] },
    });
    expect(barred.status).toBe(403);
    const bad = await new HttpUser("operator").ask("GET", "/v1/users/u_nobody", ADMIN);
    expect([bad.status, bad.body.error.field]).toEqual([400, "user_id"]);
  });
});
