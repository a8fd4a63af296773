/** Commands without a socket, against the real objects. */
import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { createApp } from "../../src/edge/app.ts";
import type { SessionStub } from "../../src/edge/env.ts";
import { ok, refuse } from "../../src/protocol/result.ts";
import { platformIds, platformLogger, platformProvider } from "../../src/session/platform.ts";
import { connect, newUser } from "../support/client.ts";
import { countSessions } from "../support/edge.ts";
import { HttpUser } from "../support/http.ts";
import { probe } from "../support/probe.ts";

const PORTS = { ...platformProvider, random: platformIds.random, report: platformLogger };

const THREAD = "018f0000-0000-7000-8000-000000000001";

describe("a command over HTTP", () => {
  test("[H1] has the effect and the reply it has over a socket, and every tab sees it", async () => {
    const sub = newUser();
    const tab = await connect(sub);
    const user = new HttpUser(sub);
    const said = await user.ask("POST", "/v1/messages", { body: { content: "héllo 🐟", respond: false } });
    expect([said.status, said.body]).toEqual([
      200,
      { seq: 1, message_id: expect.any(String), thread_id: "main", duplicate: false },
    ]);
    const event = await tab.next("user_message");
    expect(event.payload).toMatchObject({ content: "héllo 🐟", client_id: "http" });
    const created = await user.ask("POST", "/v1/threads", { body: { thread_id: THREAD, title: "Costs" } });
    expect(created.body).toEqual({ seq: 2, thread_id: THREAD, duplicate: false });
    const renamed = await user.ask("PATCH", `/v1/threads/${THREAD}`, { body: { title: "Bills" } });
    expect(renamed.body).toEqual({ seq: 3, duplicate: false });
    const deleted = await user.ask("DELETE", `/v1/threads/${THREAD}`);
    expect(deleted.body).toEqual({ seq: 4, duplicate: false });
    await tab.next("thread_deleted");
    expect(tab.seqs()).toEqual([1, 2, 3, 4]);
  });

  test("[H1] reaches a run and an answer by their ids in the path", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    probe.hold(sub);
    const script = [{ text: "so far" }, { tool: "hold", key: sub }];
    const asked = await user.ask("POST", "/v1/messages", { body: { content: "?", data: { script } } });
    const cancelled = await user.ask("POST", `/v1/runs/${asked.body.run_id}/cancel`);
    expect([cancelled.status, cancelled.body.duplicate]).toEqual([200, false]);
    probe.release(sub);
    const { body } = await user.ask("GET", "/v1/threads/main/messages");
    const answer = body.messages[1];
    expect(answer).toMatchObject({ status: "cancelled" });
    const again = await user.ask("POST", `/v1/messages/${answer.message_id}/regenerate`);
    expect(again.body).toMatchObject({ message_id: asked.body.message_id, run_id: expect.any(String) });
    const rated = await user.ask("PUT", `/v1/messages/${answer.message_id}/feedback`, {
      body: { rating: -1 },
    });
    expect(rated.body.duplicate).toBe(false);
  });

  test("[H2] is carried out once under one Idempotency-Key, which sockets share", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    const asked = { body: { content: "once", respond: false }, headers: { "Idempotency-Key": "k1" } };
    const first = await user.ask("POST", "/v1/messages", asked);
    await abortAllDurableObjects();
    const second = await user.ask("POST", "/v1/messages", asked);
    expect(second.body).toEqual({ ...first.body, duplicate: true });
    const other = { ...asked, body: { content: "another", respond: false } };
    const conflict = await user.ask("POST", "/v1/messages", other);
    expect([conflict.status, conflict.body.error.code]).toEqual([409, "id_conflict"]);
    const tab = await connect(sub);
    tab.say("k1", "once", { respond: false });
    expect((await tab.next("message_ack")).payload).toEqual({ ...first.body, duplicate: true });
  });

  test.each([
    ["no body", "POST", "/v1/messages", {}, 400, "Content-Type"],
    ["a body that is no object", "POST", "/v1/messages", { body: [] }, 400, "body"],
    ["content that is missing", "POST", "/v1/messages", { body: {} }, 400, "content"],
    [
      "content that is too long",
      "POST",
      "/v1/messages",
      { body: { content: "x".repeat(32_769) } },
      413,
      "content",
    ],
    [
      "an unknown thread",
      "POST",
      "/v1/messages",
      { body: { content: "x", thread_id: "no" } },
      404,
      "thread_id",
    ],
    [
      "a key like __proto__",
      "POST",
      "/v1/messages",
      { body: '{"content":"x","__proto__":1}' },
      400,
      "__proto__",
    ],
    [
      "a key that is too long",
      "POST",
      "/v1/messages",
      { body: { content: "x" }, headers: { "Idempotency-Key": "k".repeat(65) } },
      400,
      "Idempotency-Key",
    ],
    ["an empty title", "POST", "/v1/threads", { body: { title: "" } }, 400, "title"],
    ["nothing to change", "PATCH", "/v1/threads/main", { body: {} }, 400, "body"],
    ["a thread that is not there", "DELETE", "/v1/threads/none", {}, 404, "thread_id"],
    ["a run that is not there", "POST", "/v1/runs/r_1_x/cancel", {}, 404, "run_id"],
    [
      "an answer that is not there",
      "PUT",
      "/v1/messages/a_1_x/feedback",
      { body: { rating: 1 } },
      404,
      "message_id",
    ],
    ["a rating that is none", "PUT", "/v1/messages/a_1_x/feedback", { body: { rating: 2 } }, 400, "rating"],
    ["wait that is neither", "POST", "/v1/messages?wait=yes", { body: { content: "x" } }, 400, "wait"],
  ])("[H1] is refused for %s, naming the field", async (_, method, path, asked, status, field) => {
    const answer = await new HttpUser(newUser()).ask(method, path, asked);
    expect([answer.status, answer.body.error.field]).toEqual([status, field]);
    expect(answer.body.error.message).not.toContain("payload");
  });

  test("[H1] needs the permissions it needs over a socket", async () => {
    const user = new HttpUser(newUser());
    const before = await countSessions();
    const barred = await user.ask("POST", "/v1/threads", { body: {}, claims: { permissions: ["service"] } });
    expect([barred.status, barred.body.error.code]).toEqual([403, "forbidden"]);
    expect(await countSessions()).toBe(before);
    const asked = { body: { content: "?" }, claims: { permissions: ["chat"] } };
    const unanswered = await user.ask("POST", "/v1/messages", asked);
    expect([unanswered.status, unanswered.body.error]).toMatchObject([
      403,
      { code: "forbidden", field: "respond" },
    ]);
  });
});

describe("waiting for the answer", () => {
  const script = [{ text: "The answer.", pace_ms: 1 }, { report: "done" }];

  test("[H3] brings it whole, with its report", async () => {
    const user = new HttpUser(newUser());
    const { status, body } = await user.ask("POST", "/v1/messages?wait=true", {
      body: { content: "?", data: { script } },
    });
    expect(status).toBe(200);
    expect(body.answer).toMatchObject({
      role: "assistant",
      content: "The answer.",
      status: "succeeded",
      run_id: body.run_id,
      parent_message_id: body.message_id,
      report: { summary: "done" },
    });
  });

  test("[H3] brings it at once where it has come already, and nothing where none was asked for", async () => {
    const user = new HttpUser(newUser());
    const asked = { body: { content: "?", data: { script } }, headers: { "Idempotency-Key": "k" } };
    const first = await user.ask("POST", "/v1/messages?wait=true", asked);
    const second = await user.ask("POST", "/v1/messages?wait=true", asked);
    expect(second.body).toEqual({ ...first.body, duplicate: true });
    const quiet = await user.ask("POST", "/v1/messages?wait=true", {
      body: { content: "x", respond: false },
    });
    expect([quiet.status, "answer" in quiet.body]).toEqual([200, false]);
  });

  test("[H3] outlives the instance that was asked, by asking the next one", async () => {
    const user = new HttpUser(newUser());
    let asked = 0;
    const real = (name: string) => env.USER_SESSION.getByName(name);
    const getByName = (name: string) => ({
      submit: (...command: Parameters<SessionStub["submit"]>) => real(name).submit(...command),
      answer: async (...question: Parameters<SessionStub["answer"]>) => {
        asked += 1;
        const answer = real(name).answer(...question);
        if (asked === 1) await abortAllDurableObjects();
        return await answer;
      },
    });
    const { body } = await user.ask("POST", "/v1/messages?wait=true", {
      body: { content: "?", data: { script } },
      variables: { USER_SESSION: { getByName } },
    });
    expect(body.answer).toMatchObject({ content: "The answer.", status: "succeeded" });
    expect(asked).toBeGreaterThan(1);
  });

  test("[H3] goes on without it after 55 s: 202, and the answer comes later", async () => {
    const user = new HttpUser(newUser());
    const getByName = () => ({
      submit: async () => ok({ seq: 1, message_id: "m", thread_id: "main", run_id: "r", duplicate: false }),
      answer: () => new Promise<never>(() => {}),
    });
    const waits: number[] = [];
    const app = createApp({ ...PORTS, wait: async (ms) => void waits.push(ms) });
    const response = await app.fetch(
      await user.request("POST", "/v1/messages?wait=true", { body: { content: "?" } }),
      { ...env, USER_SESSION: { getByName } },
    );
    expect([response.status, await response.json()]).toMatchObject([202, { run_id: "r", duplicate: false }]);
    expect(waits).toEqual([55_000]);
  });

  test.each([
    ["the user has signed out everywhere", refuse("signed_out", "signed out")],
    ["the server fails", refuse("internal", "something went wrong")],
  ])("[H3] says that the message was accepted where the answer cannot be told: %s", async (_, refused) => {
    const user = new HttpUser(newUser());
    const ack = { seq: 1, message_id: "m", thread_id: "main", run_id: "r", duplicate: false };
    const getByName = () => ({ submit: async () => ok(ack), answer: async () => refused });
    const waits: number[] = [];
    // The 55 s do not pass here; the pauses between the tries do.
    const wait = async (ms: number) => {
      waits.push(ms);
      if (ms === 55_000) await new Promise(() => {});
    };
    const app = createApp({ ...PORTS, wait });
    const response = await app.fetch(
      await user.request("POST", "/v1/messages?wait=true", { body: { content: "?" } }),
      { ...env, USER_SESSION: { getByName } },
    );
    expect([response.status, await response.json()]).toEqual([202, ack]);
    expect(waits).toEqual(refused.refusal.code === "internal" ? [55_000, 0, 500, 2_000, 5_000] : [55_000]);
  });

  test("[H3] ends when the answer can never come: its thread is deleted", async () => {
    const sub = newUser();
    const user = new HttpUser(sub);
    probe.hold(sub);
    const held = [{ tool: "hold", key: sub }];
    const waiting = user.ask("POST", "/v1/messages?wait=true", {
      body: { content: "?", data: { script: held } },
    });
    while (probe.executions(sub) === 0) await scheduler.wait(2);
    await user.ask("DELETE", "/v1/threads/main");
    probe.release(sub);
    const { status, body } = await waiting;
    expect([status, body.error.code]).toEqual([404, "not_found"]);
  });
});
