import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { type AnyFrame, connect, newUser, stubOf, type TestClient, waitFor } from "../support/client.ts";
import { principalWith } from "../support/desk.ts";
import { probe } from "../support/probe.ts";

const QUIET = { respond: false };

function start(client: TestClient, id: string, script: readonly unknown[], more = {}): void {
  client.say(id, `question ${id}`, { data: { script }, ...more });
}

function epochOf(client: TestClient): string {
  return client.of("connection_established")[0]?.payload.epoch;
}

function expectWholeRun(events: readonly AnyFrame[], run_id: string): void {
  const ofRun = events.filter(({ payload }) => payload.run_id === run_id && payload.run_seq !== undefined);
  expect(ofRun.map(({ payload }) => payload.run_seq)).toEqual(ofRun.map((_, index) => index));
  expect(ofRun[0]?.type).toBe("agent_started");
  expect(ofRun.filter(({ type }) => type === "agent_completed")).toHaveLength(1);
  expect(ofRun.at(-1)?.type).toBe("agent_completed");
}

/** Starts a run that is held in its second tool, then closes every socket. */
async function askAndLeave(sub: string, second: "hold" | "charge", keys: { first: string; held: string }) {
  const client = await connect(sub);
  probe.hold(keys.held);
  start(client, "q", [
    { text: "Before. " },
    { tool: "echo", key: keys.first },
    { think: "between" },
    { tool: second, key: keys.held },
    { text: "After." },
  ]);
  const { payload } = await client.next("message_ack");
  await waitFor(() => probe.executions(keys.held) > 0);
  client.close();
  await client.untilClosed();
  return { run_id: payload.run_id, epoch: epochOf(client) };
}

describe("a run outlives its asker", () => {
  test("[N10] when every socket closes right after the ack, the answer is there on return", async () => {
    const sub = newUser();
    const client = await connect(sub);
    start(client, "q", [{ think: "a" }, { tool: "echo", key: sub }, { text: "done", pace_ms: 5 }]);
    const { payload } = await client.next("message_ack");
    client.close();
    const back = await connect(sub, { epoch: epochOf(client), since: 0 });
    if (back.of("agent_completed").length === 0) await back.next("agent_completed");
    expectWholeRun(back.events(), payload.run_id);
    expect(back.seqs()).toEqual(back.seqs().map((_, index) => index + 1));
    expect(probe.executions(sub)).toBe(1);
  });

  test("[N11] when the object dies in the middle of a step, it is continued without repeating a completed tool", async () => {
    const sub = newUser();
    const keys = { first: `${sub}:first`, held: `${sub}:held` };
    const { run_id, epoch } = await askAndLeave(sub, "hold", keys);
    await abortAllDurableObjects();
    probe.release(keys.held);
    const back = await connect(sub, { epoch, since: 1 });
    if (back.of("agent_completed").length === 0) await back.next("agent_completed");
    expectWholeRun(back.events(), run_id);
    expect(back.seqs()[0]).toBe(2);
    expect(back.seqs()).toEqual(back.seqs().map((_, index) => index + 2));
    expect(back.of("agent_completed")[0]?.payload).toMatchObject({
      status: "succeeded",
      content: "Before. After.",
      attempts: 2,
    });
    expect(probe.executions(keys.first)).toBe(1);
    expect(probe.executions(keys.held)).toBe(2);
    expect(back.of("tool_executing")).toHaveLength(2);
  });

  test("[N12] a cut call that must not be repeated completes as outcome_unknown", async () => {
    const sub = newUser();
    const keys = { first: `${sub}:first`, held: `${sub}:held` };
    const { run_id, epoch } = await askAndLeave(sub, "charge", keys);
    await abortAllDurableObjects();
    probe.release(keys.held);
    const back = await connect(sub, { epoch, since: 0 });
    if (back.of("agent_completed").length === 0) await back.next("agent_completed");
    expectWholeRun(back.events(), run_id);
    expect(probe.executions(keys.held)).toBe(1);
    expect(back.of("tool_completed")[1]?.payload).toMatchObject({
      status: "error",
      error: { code: "outcome_unknown" },
    });
  });

  test("[N13] after three attempts it ends as interrupted, with every open call completed", async () => {
    const sub = newUser();
    const keys = { first: `${sub}:first`, held: `${sub}:held` };
    const { run_id, epoch } = await askAndLeave(sub, "hold", keys);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await waitFor(() => probe.executions(keys.held) >= attempt);
      await abortAllDurableObjects();
      const stub = await stubOf(sub);
      await stub.listThreads(principalWith(["chat"]), { limit: 1 });
    }
    const back = await connect(sub, { epoch, since: 0 });
    if (back.of("agent_completed").length === 0) await back.next("agent_completed");
    expectWholeRun(back.events(), run_id);
    expect(back.of("agent_completed")[0]?.payload).toMatchObject({
      status: "interrupted",
      attempts: 3,
      error: { code: "attempts_exhausted" },
    });
    expect(back.of("tool_completed").at(-1)?.payload.error.code).toBe("outcome_unknown");
    probe.release(keys.held);
  });

  test("[N14] an alarm continues a run that nobody comes back for", async () => {
    const sub = newUser();
    const keys = { first: `${sub}:first`, held: `${sub}:held` };
    await askAndLeave(sub, "hold", keys);
    await abortAllDurableObjects();
    probe.release(keys.held);
    const stub = await stubOf(sub);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    await waitFor(async () => {
      const rows = await runInDurableObject(stub, (_, { storage }) =>
        storage.sql.exec("SELECT count(*) AS n FROM runs").one(),
      );
      return rows.n === 0;
    });
    expect(probe.executions(keys.first)).toBe(1);
  });

  test("[N15] an idle object that is evicted goes on with the same sockets, cursors and numbers", async () => {
    const sub = newUser();
    const [a, b] = [await connect(sub), await connect(sub)];
    start(a, "q", [{ text: "one" }]);
    await Promise.all([a, b].map((client) => client.next("agent_completed")));
    a.send({ type: "ack", id: "ack", payload: { seq: 3 } });
    await a.next("command_ack");
    await evictDurableObject(await stubOf(sub));
    start(b, "q2", [{ text: "two" }]);
    await Promise.all([a, b].map((client) => client.next("agent_completed")));
    for (const client of [a, b]) expect(client.seqs()).toEqual([1, 2, 3, 4, 5, 6]);
    const acked = await runInDurableObject(await stubOf(sub), (_, { storage }) =>
      storage.sql.exec("SELECT acked FROM events ORDER BY seq").toArray(),
    );
    expect(acked.map((row) => row.acked)).toEqual([0, 0, 0, 3, 3, 3]);
  });
});

describe("run_cancel", () => {
  test("[N16] ends a working run once, keeps its text, completes the open call and stops the tool", async () => {
    const sub = newUser();
    const client = await connect(sub);
    probe.hold(sub);
    start(client, "q", [{ text: "partial answer" }, { tool: "hold", key: sub }, { text: "never" }]);
    const { run_id } = (await client.next("message_ack")).payload;
    await client.next("tool_executing");
    client.send({ type: "run_cancel", id: "stop", payload: { run_id } });
    const reply = await client.next("command_ack");
    const done = await client.next("agent_completed");
    expect(reply).toMatchObject({ reply_to: "stop", payload: { seq: done.seq, duplicate: false } });
    expect(done.payload).toMatchObject({
      status: "cancelled",
      content: "partial answer",
      finish_reason: "cancelled",
    });
    expect(client.of("tool_completed")[0]?.payload.error.code).toBe("cancelled");
    expectWholeRun(client.events(), run_id);
    client.send({ type: "run_cancel", id: "stop", payload: { run_id } });
    expect((await client.next("command_ack")).payload).toEqual({ seq: done.seq, duplicate: true });
  });

  test("[N17] of a run that has ended is a conflict, of one that never was not_found, of another user's too", async () => {
    const [sub, other] = [newUser(), newUser()];
    const [client, stranger] = [await connect(sub), await connect(other)];
    start(client, "q", [{ text: "x" }]);
    const { run_id } = (await client.next("agent_completed")).payload;
    client.send({ type: "run_cancel", id: "late", payload: { run_id } });
    expect((await client.next("error")).payload.code).toBe("conflict");
    client.send({ type: "run_cancel", id: "none", payload: { run_id: "r_1_0000" } });
    expect((await client.next("error")).payload.code).toBe("not_found");
    stranger.send({ type: "run_cancel", id: "theirs", payload: { run_id } });
    expect((await stranger.next("error")).payload.code).toBe("not_found");
  });

  test("[N18] of a waiting run ends it without ever executing it", async () => {
    const sub = newUser();
    const client = await connect(sub);
    probe.hold(sub);
    start(client, "first", [{ tool: "hold", key: sub }]);
    start(client, "second", [{ tool: "echo", key: `${sub}:second` }]);
    await client.next("message_ack");
    const { run_id } = (await client.next("message_ack")).payload;
    client.send({ type: "run_cancel", id: "stop", payload: { run_id } });
    const done = await client.next("agent_completed");
    expect(done.payload).toMatchObject({ run_id, status: "cancelled", run_seq: 1, attempts: 0 });
    expectWholeRun(client.events(), run_id);
    probe.release(sub);
    await client.next((frame) => frame.type === "agent_completed" && frame.payload.run_id !== run_id);
    expect(probe.executions(`${sub}:second`)).toBe(0);
  });
});

describe("the queue of runs", () => {
  test("[N19] one run works per thread, the next begins when it ends, in order", async () => {
    const sub = newUser();
    const client = await connect(sub);
    probe.hold(sub);
    start(client, "q1", [{ tool: "hold", key: sub }, { text: "1" }]);
    await client.next("tool_executing");
    start(client, "q2", [{ text: "2" }]);
    start(client, "q3", [{ text: "3" }]);
    for (let i = 0; i < 2; i += 1) await client.next("message_ack");
    expect(client.of("agent_started")).toHaveLength(1);
    probe.release(sub);
    for (let i = 0; i < 3; i += 1) await client.next("agent_completed");
    expect(client.of("agent_completed").map(({ payload }) => payload.content)).toEqual(["1", "2", "3"]);
    const order = client
      .events()
      .map(({ type }) => type)
      .filter((type) => type.startsWith("agent_"));
    expect(order).toEqual(Array(3).fill(["agent_started", "agent_completed"]).flat());
  });

  test("[N20] ten may wait in a thread, the eleventh is refused and stores nothing", async () => {
    const sub = newUser();
    const client = await connect(sub);
    probe.hold(sub);
    start(client, "working", [{ tool: "hold", key: sub }]);
    for (let i = 1; i <= 10; i += 1) start(client, `waiting${i}`, [{ text: "x" }]);
    for (let i = 0; i < 11; i += 1) await client.next("message_ack");
    start(client, "too many", [{ text: "x" }]);
    const refused = await client.next("error");
    expect(refused).toMatchObject({
      reply_to: "too many",
      payload: { code: "run_queue_full", limit: 10, retryable: true },
    });
    expect(refused.payload.retry_after_ms).toBeGreaterThan(0);
    client.say("no run", "without an answer", QUIET);
    expect((await client.next("message_ack")).payload.run_id).toBeUndefined();
    expect(client.of("user_message").map(({ payload }) => payload.id)).not.toContain("too many");
    probe.release(sub);
    for (let i = 0; i < 11; i += 1) await client.next("agent_completed");
  });

  test("[N21] four run at once for a user, the fifth waits for a place", async () => {
    const sub = newUser();
    const client = await connect(sub);
    for (let i = 1; i <= 5; i += 1) {
      probe.hold(`${sub}${i}`);
      start(client, `q${i}`, [{ tool: "hold", key: `${sub}${i}` }], { thread_id: crypto.randomUUID() });
    }
    for (let i = 1; i <= 4; i += 1) await client.next("tool_executing");
    expect(client.of("agent_started")).toHaveLength(4);
    probe.release(`${sub}2`);
    await client.next("tool_executing");
    expect(client.of("agent_started")).toHaveLength(5);
    for (const i of [1, 3, 4, 5]) probe.release(`${sub}${i}`);
    await waitFor(() => client.of("agent_completed").length === 5);
  });

  test("[N22] an answer to a waiting question follows in the history, whatever came between", async () => {
    const sub = newUser();
    const client = await connect(sub);
    probe.hold(sub);
    start(client, "q1", [{ tool: "hold", key: sub }, { text: "a1" }]);
    start(client, "q2", [{ text: "a2" }]);
    for (let i = 0; i < 2; i += 1) await client.next("message_ack");
    probe.release(sub);
    for (let i = 0; i < 2; i += 1) await client.next("agent_completed");
    const fresh = await connect(sub);
    const messages: AnyFrame["payload"][] = fresh.of("state_snapshot")[0]?.payload.messages;
    expect(messages.map(({ content }) => content)).toEqual(["question q1", "question q2", "a1", "a2"]);
  });
});

describe("joining in the middle", () => {
  test("[N23] a tab that comes while an answer is written is set to the text so far, then gets the deltas", async () => {
    const sub = newUser();
    const first = await connect(sub);
    probe.hold(sub);
    start(first, "q", [
      { text: "The first half. " },
      { tool: "hold", key: sub },
      { text: "The second half." },
    ]);
    await first.next("tool_executing");
    const late = await connect(sub);
    const set = await late.next("partial_result");
    expect(set.payload).toMatchObject({ mode: "set", text: "The first half. ", attempt: 1 });
    expect(late.of("state_snapshot")[0]?.payload.runs).toMatchObject([
      { status: "running", steps: [{ kind: "tool", tool_name: "hold", status: "running" }] },
    ]);
    probe.release(sub);
    const delta = await late.next("partial_result");
    expect(delta.payload).toMatchObject({ offset: 16, delta: "The second half." });
    expect((await late.next("agent_completed")).payload.content).toBe("The first half. The second half.");
  });
});
