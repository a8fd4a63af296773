import { describe, expect, test } from "vitest";
import { decideResume, type LogFacts, readPosition } from "../../src/session/resume.ts";
import { connect, newUser, open, type TestClient } from "../support/client.ts";

const QUIET = { respond: false };

async function say(client: TestClient, count: number, prefix: string): Promise<void> {
  for (let i = 1; i <= count; i += 1) client.say(`${prefix}${i}`, `${prefix} ${i}`, QUIET);
  for (let i = 1; i <= count; i += 1) await client.next("message_ack");
}

function epochOf(client: TestClient): string {
  return client.of("connection_established")[0]?.payload.epoch;
}

describe("the greeting", () => {
  test("[S1] comes first and is followed by snapshot and replay_completed on a fresh connection", async () => {
    const client = await connect(newUser());
    expect(client.frames.map(({ type }) => type)).toEqual([
      "connection_established",
      "state_snapshot",
      "replay_completed",
    ]);
    expect(client.frames[0]?.payload).toMatchObject({
      protocol: 1,
      resume: "fresh",
      head_seq: 0,
      floor_seq: 1,
      replay: null,
      permissions: ["chat", "agents"],
      plan: "free",
      heartbeat: { ping: '{"type":"ping","payload":{}}', pong: '{"type":"pong","payload":{}}' },
    });
    expect(client.frames[0]?.payload.epoch).toMatch(/^.{16,}$/);
    expect(client.frames[2]?.payload).toEqual({ seq: 0 });
  });

  test("[S2] names the same epoch on every connection of a user, and another one for another user", async () => {
    const sub = newUser();
    const [a, b, other] = [await connect(sub), await connect(sub), await connect(newUser())];
    expect(epochOf(b)).toBe(epochOf(a));
    expect(epochOf(other)).not.toBe(epochOf(a));
  });
});

describe("resuming", () => {
  test("[S3] replays exactly what was missed, then goes on live", async () => {
    const sub = newUser();
    const [a, b] = [await connect(sub), await connect(sub)];
    await say(a, 5, "before");
    await b.next(({ seq }) => seq === 5);
    b.close();
    await b.untilClosed();
    await say(a, 4, "while away");
    const back = await connect(sub, { epoch: epochOf(a), since: 5 });
    expect(back.frames[0]?.payload).toMatchObject({
      resume: "resumed",
      head_seq: 9,
      replay: { from: 6, to: 9 },
    });
    expect(back.frames.map(({ type }) => type)).toEqual([
      "connection_established",
      ...Array(4).fill("user_message"),
      "replay_completed",
    ]);
    await say(a, 2, "live");
    await back.next(({ seq }) => seq === 11);
    expect(back.seqs()).toEqual([6, 7, 8, 9, 10, 11]);
  });

  test("[S3] since=0 replays from the first event, and nothing missed is a success too", async () => {
    const sub = newUser();
    const a = await connect(sub);
    await say(a, 3, "m");
    const all = await connect(sub, { epoch: epochOf(a), since: 0 });
    expect(all.seqs()).toEqual([1, 2, 3]);
    const none = await connect(sub, { epoch: epochOf(a), since: 3 });
    expect(none.frames.map(({ type }) => type)).toEqual(["connection_established", "replay_completed"]);
    expect(none.frames[0]?.payload).toMatchObject({ resume: "resumed", replay: null });
  });

  test("[S3] three times in a row works like once", async () => {
    const sub = newUser();
    const writer = await connect(sub);
    let cursor = 0;
    for (const round of ["one", "two", "three"]) {
      const tab = await connect(sub, { client_id: "tab", epoch: epochOf(writer), since: cursor });
      await say(writer, 3, round);
      await tab.next(({ seq }) => seq === cursor + 3);
      cursor += 3;
      expect(tab.seqs()).toEqual([cursor - 2, cursor - 1, cursor]);
      tab.close();
      await tab.untilClosed();
    }
  });

  test("[S3] in the middle of a burst each seq comes once, ascending across the boundary to live", async () => {
    const sub = newUser();
    const writer = await connect(sub);
    await say(writer, 1, "first");
    for (let i = 0; i < 300; i += 1) writer.say(`b${i}`, `burst ${i}`, QUIET);
    await writer.next("message_ack");
    writer.acking = true;
    const tab = await open(sub, { epoch: epochOf(writer), since: 1 });
    tab.acking = true;
    for (let i = 300; i < 500; i += 1) writer.say(`b${i}`, `burst ${i}`, QUIET);
    await tab.next(({ seq }) => seq === 501);
    expect(tab.seqs()).toEqual(Array.from({ length: 500 }, (_, i) => i + 2));
    expect(tab.frames[0]?.type).toBe("connection_established");
    const completed = tab.frames.findIndex(({ type }) => type === "replay_completed");
    const to = tab.frames[0]?.payload.replay?.to;
    expect(to).toBeGreaterThan(1);
    const last = tab.frames.findIndex(({ seq }) => seq === to);
    expect(last).toBeGreaterThan(0);
    expect(last).toBeLessThan(completed);
  });

  test("[S4] a cursor of another epoch, or a seq without one, is a gap with a snapshot", async () => {
    const sub = newUser();
    const a = await connect(sub);
    await say(a, 2, "m");
    for (const options of [{ epoch: "another", since: 1 }, { since: 1 }, { epoch: "another" }]) {
      const client = await connect(sub, options);
      expect(client.frames[0]?.payload).toMatchObject({
        resume: "gap",
        gap_reason: "epoch_changed",
        replay: null,
      });
      expect(client.frames[1]).toMatchObject({ type: "state_snapshot", payload: { as_of_seq: 2 } });
      expect(client.seqs()).toEqual([]);
    }
  });

  test("[S4] a cursor ahead of the log is a gap, and no later event is skipped", async () => {
    const sub = newUser();
    const a = await connect(sub);
    await say(a, 2, "m");
    const ahead = await connect(sub, { epoch: epochOf(a), since: 99 });
    expect(ahead.frames[0]?.payload).toMatchObject({ resume: "gap", gap_reason: "ahead" });
    await say(a, 1, "next");
    expect((await ahead.next("user_message")).seq).toBe(3);
  });

  test.each(["-1", "NaN", "1e309", "abc", "9007199254740993", "1.5", " 1", "0x1"])(
    "[S5] since=%s is fresh, and says so with an error",
    async (since) => {
      const sub = newUser();
      const a = await connect(sub);
      await say(a, 1, "m");
      const client = await open(sub, { epoch: epochOf(a), since });
      const error = await client.next("error");
      expect(client.frames.map(({ type }) => type)).toEqual([
        "connection_established",
        "state_snapshot",
        "replay_completed",
        "error",
      ]);
      expect(client.frames[0]?.payload.resume).toBe("fresh");
      expect(error.payload).toMatchObject({ code: "invalid_payload", field: "since", fatal: false });
    },
  );

  test("[S6] the window is 1,000 events and 4 MiB: at the limit resumed, beyond it a gap", () => {
    const facts = (over: Partial<LogFacts> = {}): LogFacts => ({
      epoch: "e",
      head: 5_000,
      floor: () => 1,
      bytesAfter: () => 0,
      ...over,
    });
    const at = (since: number, over?: Partial<LogFacts>) =>
      decideResume({ epoch: "e", since: String(since) }, facts(over));
    expect(at(4_000).outcome).toBe("resumed");
    expect(at(3_999)).toMatchObject({ outcome: "gap", gap_reason: "too_far", cursor: 5_000 });
    expect(at(4_000, { bytesAfter: () => 4 * 1024 * 1024 }).outcome).toBe("resumed");
    expect(at(4_000, { bytesAfter: () => 4 * 1024 * 1024 + 1 })).toMatchObject({ gap_reason: "too_far" });
    expect(at(4_499, { floor: () => 4_500 }).outcome).toBe("resumed");
    expect(at(4_498, { floor: () => 4_500 })).toMatchObject({ gap_reason: "trimmed" });
    expect(at(5_000, { floor: () => 5_001 }).outcome).toBe("resumed");
  });

  test("[S5] a position is digits and a safe integer", () => {
    expect(readPosition("0")).toBe(0);
    expect(readPosition("9007199254740991")).toBe(9_007_199_254_740_991);
    for (const bad of ["", "9007199254740992", "+1", "1 ", "１"]) expect(readPosition(bad)).toBeUndefined();
  });
});

describe("several connections", () => {
  test("[S7] a higher n replaces the older socket of the same client with 4006, a lower one is turned away", async () => {
    const sub = newUser();
    const first = await connect(sub, { client_id: "tab", n: 1 });
    const second = await connect(sub, { client_id: "tab", n: 2 });
    expect(await first.untilClosed()).toEqual({ code: 4006, reason: "superseded" });
    expect(first.frames.at(-1)).toMatchObject({
      type: "error",
      payload: { code: "superseded", fatal: true },
    });
    const late = await open(sub, { client_id: "tab", n: 1 });
    expect((await late.untilClosed()).code).toBe(4006);
    second.say("a", "alive", QUIET);
    expect((await second.next("message_ack")).payload.seq).toBe(1);
  });

  test("[S7] an equal or missing n counts as newer; another client is never touched", async () => {
    const sub = newUser();
    const bystander = await connect(sub, { client_id: "other" });
    const first = await connect(sub, { client_id: "tab", n: 3 });
    const equal = await connect(sub, { client_id: "tab", n: 3 });
    expect((await first.untilClosed()).code).toBe(4006);
    await connect(sub, { client_id: "tab" });
    expect((await equal.untilClosed()).code).toBe(4006);
    expect(bystander.closed).toBeUndefined();
  });

  test("[S8] the eleventh connection of a user is refused, and admitted once another has left", async () => {
    const sub = newUser();
    const tabs = [];
    for (let i = 0; i < 10; i += 1) tabs.push(await connect(sub));
    await expect(open(sub)).rejects.toThrow(/429.*connection_limit/);
    tabs[0]?.close();
    await tabs[0]?.untilClosed();
    await expect(connect(sub)).resolves.toBeDefined();
    expect(tabs.slice(1).every(({ closed }) => closed === undefined)).toBe(true);
  });
});

describe("acknowledging", () => {
  test("[S9] takes what was sent, ignores what goes back, and refuses what is ahead; the third time it closes", async () => {
    const sub = newUser();
    const client = await connect(sub);
    await say(client, 3, "m");
    for (const seq of [3, 2, 3]) client.send({ type: "ack", id: `a${seq}`, payload: { seq } });
    for (let i = 0; i < 3; i += 1) await client.next("command_ack");
    for (let i = 0; i < 2; i += 1) {
      client.send({ type: "ack", payload: { seq: 4 } });
      expect((await client.next("error")).payload).toMatchObject({
        code: "ack_ahead",
        limit: 3,
        fatal: false,
      });
    }
    client.send({ type: "ack", payload: { seq: 4 } });
    expect((await client.next("error")).payload).toMatchObject({ code: "ack_ahead", fatal: true });
    expect(await client.untilClosed()).toEqual({ code: 4000, reason: "protocol_violation" });
  });
});

describe("resync", () => {
  test("[S10] is acknowledged, then answered with a snapshot and replay_completed, any number of times", async () => {
    const client = await connect(newUser());
    await say(client, 2, "m");
    for (const id of ["r1", "r2"]) {
      client.send({ type: "resync", id, payload: {} });
      expect((await client.next("command_ack")).reply_to).toBe(id);
      expect((await client.next("state_snapshot")).payload.as_of_seq).toBe(2);
      expect((await client.next("replay_completed")).payload.seq).toBe(2);
    }
    await say(client, 1, "after");
    await client.next(({ seq }) => seq === 3);
    expect(client.seqs()).toEqual([1, 2, 3]);
  });
});

describe("the snapshot", () => {
  test("[S11] holds threads, the last messages with their report, and runs in progress with their steps", async () => {
    const sub = newUser();
    const client = await connect(sub);
    client.say("a", "question", { data: { script: [{ text: "answer" }, { report: "sum" }] } });
    await client.next("agent_completed");
    const fresh = await connect(sub);
    const { payload } = fresh.of("state_snapshot")[0] ?? { payload: {} };
    expect(payload.threads).toMatchObject([{ thread_id: "main", title: "question" }]);
    expect(payload.messages).toMatchObject([
      { role: "user", content: "question", seq: 1 },
      { role: "assistant", content: "answer", status: "succeeded", report: { summary: "sum" } },
    ]);
    expect(payload.runs).toEqual([]);
  });

  test("[S11] leaves older messages out when it would pass 256 KiB", async () => {
    const sub = newUser();
    const client = await connect(sub);
    for (let i = 1; i <= 12; i += 1) client.say(`m${i}`, `${i}`.padEnd(30_000, "x"), QUIET);
    await client.next(({ seq }) => seq === 12);
    const fresh = await connect(sub);
    const text = fresh.texts.find((frame) => frame.includes("state_snapshot")) ?? "";
    expect(text.length).toBeLessThanOrEqual(256 * 1024 + 100);
    const kept = fresh.of("state_snapshot")[0]?.payload.messages;
    expect(kept.at(-1).seq).toBe(12);
    expect(kept.length).toBe(8);
  });
});
