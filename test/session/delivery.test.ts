/** What goes wrong in practice, each played three times: undisturbed, with evictions, and with evictions that close the sockets. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { connect, newUser, open, stubOf } from "../support/client.ts";
import { Tab } from "../support/tab.ts";

/** Disturbs a user's object; the tabs named notice what became of their sockets before it goes on. */
type Disturb = (sub: string, ...tabs: Tab[]) => Promise<void>;

const WAYS: Record<string, Disturb> = {
  undisturbed: async () => {},
  "with an eviction": async (sub) => await evictDurableObject(await stubOf(sub)),
  "with an eviction that closes the sockets": async (sub, ...tabs) => {
    await evictDurableObject(await stubOf(sub), { webSockets: "close" });
    for (const tab of tabs) await tab.recover();
  },
};

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

async function inObject<T>(sub: string, work: (state: DurableObjectState) => Promise<T>): Promise<T> {
  return await runInDurableObject(await stubOf(sub), async (_, state) => await work(state));
}

describe.each(Object.entries(WAYS))("%s", (_way, disturb) => {
  test("[S3] a drop in the middle of a burst: each event comes once, in order, on both sides", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    const reader = await Tab.open(sub);
    for (let i = 1; i <= 500; i += 1) {
      writer.say(`b${i}`);
      if (i === 150) reader.client.close();
      if (i === 300) {
        await writer.answered("b50");
        await disturb(sub);
      }
      if (i === 350) await reader.back();
    }
    await writer.answered(...upTo(500).map((i) => `b${i}`));
    await reader.upTo(500);
    await writer.upTo(500);
    expect(reader.seqs()).toEqual(upTo(500));
    expect(writer.seqs()).toEqual(upTo(500));
    expect(new Set(reader.delivered.map(({ payload }) => payload.id)).size).toBe(500);
  });

  test("[S3] five resumes in a row, with and without anything missed", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    const reader = await Tab.open(sub);
    for (let round = 1; round <= 5; round += 1) {
      reader.client.close();
      if (round % 2 === 1) writer.say(`r${round}`);
      await writer.until(() => writer.replies.size === Math.ceil(round / 2));
      await disturb(sub);
      await reader.back();
      expect(reader.greetings.at(-1)?.payload.resume).toBe("resumed");
    }
    await reader.upTo(3);
    expect(reader.seqs()).toEqual([1, 2, 3]);
  });

  test("[S3] a client that never got an event resumes from 0", async () => {
    const sub = newUser();
    const idle = await Tab.open(sub);
    idle.client.close();
    const writer = await Tab.open(sub);
    writer.say("first");
    await writer.answered("first");
    await disturb(sub);
    await idle.back();
    expect(idle.greetings.at(-1)?.payload).toMatchObject({ resume: "resumed", replay: { from: 1, to: 1 } });
    expect(idle.seqs()).toEqual([1]);
  });

  test("[S14] one tab's acknowledgement takes nothing from another", async () => {
    const sub = newUser();
    const quick = await Tab.open(sub);
    const slow = await Tab.open(sub);
    slow.client.close();
    for (let i = 1; i <= 100; i += 1) quick.say(`m${i}`);
    await quick.upTo(100);
    quick.ack();
    await disturb(sub);
    await slow.back();
    await slow.upTo(100);
    expect(slow.seqs()).toEqual(upTo(100));
    expect(slow.seqs()).toEqual(quick.seqs());
  });

  test("[S9] an acknowledgement that goes back, repeats or is ahead changes nothing", async () => {
    const sub = newUser();
    const tab = await Tab.open(sub);
    for (let i = 1; i <= 20; i += 1) tab.say(`m${i}`);
    await tab.upTo(20);
    await disturb(sub, tab);
    const { client } = tab;
    for (const [i, seq] of [20, 5, 20, 0, 21].entries()) {
      client.send({ type: "ack", id: `a${i}`, payload: { seq } });
    }
    const last = await client.next(({ reply_to }) => reply_to === "a4");
    expect(last.payload).toMatchObject({ code: "ack_ahead", field: "payload.seq", limit: 20 });
    client.close();
    tab.say("after");
    await tab.back();
    await tab.upTo(21);
    expect(tab.seqs()).toEqual(upTo(21));
  });

  test("[S4] a tab that slept past the window gets the whole truth: a gap, a snapshot, then live", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    const sleeper = await Tab.open(sub);
    sleeper.client.close();
    for (let batch = 0; batch < 4; batch += 1) {
      for (let i = 0; i < 251; i += 1) writer.say(`${batch}-${i}`);
      await writer.upTo((batch + 1) * 251);
    }
    await disturb(sub, writer);
    await sleeper.back();
    expect(sleeper.greetings.at(-1)?.payload).toMatchObject({ resume: "gap", gap_reason: "too_far" });
    expect(sleeper.since).toBe(1_004);
    writer.say("live");
    await sleeper.upTo(1_005);
    expect(sleeper.seqs()).toEqual([1_005]);
  });

  test("[S4] a log that was begun anew is never mistaken for the old one, however long it has become", async () => {
    const sub = newUser();
    const tab = await Tab.open(sub);
    for (let i = 1; i <= 3; i += 1) tab.say(`m${i}`);
    await tab.upTo(3);
    const { epoch } = tab;
    await (await stubOf(sub)).invalidate();
    await disturb(sub);
    await tab.until(() => tab.client.closed !== undefined);
    for (const since of [0, 3, 9]) {
      const back = await connect(sub, { ...(epoch === undefined ? {} : { epoch }), since });
      expect(back.frames[0]?.payload).toMatchObject({
        resume: "gap",
        gap_reason: "epoch_changed",
        replay: null,
      });
    }
  });

  test("[S4] a cursor ahead of the log skips no later event", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    writer.say("one");
    await writer.upTo(1);
    await disturb(sub, writer);
    const ahead = await connect(sub, {
      ...(writer.epoch === undefined ? {} : { epoch: writer.epoch }),
      since: 9,
    });
    expect(ahead.frames[0]?.payload).toMatchObject({ resume: "gap", gap_reason: "ahead" });
    writer.say("two");
    await writer.answered("two");
    expect((await ahead.next("user_message")).seq).toBe(2);
  });

  test.each(["-1", "NaN", "1e309", "abc", "9007199254740993", "", " 1", "0x1"])(
    "[S5] since=%j is fresh, with an error, and nobody is harmed",
    async (since) => {
      const sub = newUser();
      const writer = await Tab.open(sub);
      writer.say("one");
      await writer.upTo(1);
      await disturb(sub, writer);
      const odd = await connect(sub, {
        ...(writer.epoch === undefined ? {} : { epoch: writer.epoch }),
        since,
      });
      expect(odd.frames[0]?.payload.resume).toBe("fresh");
      expect((await odd.next("error")).payload).toMatchObject({ code: "invalid_payload", field: "since" });
      writer.say("two");
      expect((await odd.next("user_message")).seq).toBe(2);
    },
  );

  test("[S7] a socket replaced in the middle of a flush is closed, and the new one has everything", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    const tab = await Tab.open(sub);
    await tab.back();
    const old = tab.client;
    for (let i = 1; i <= 100; i += 1) writer.say(`m${i}`);
    await writer.answered("m50");
    await tab.back();
    expect(await old.untilClosed()).toEqual({ code: 4006, reason: "superseded" });
    old.close();
    await disturb(sub);
    await writer.answered("m100");
    await tab.upTo(100);
    expect(tab.seqs()).toEqual(upTo(100));
  });

  test("[S7] an upgrade that arrives late never turns the newer socket out", async () => {
    const sub = newUser();
    const tab = await Tab.open(sub);
    await tab.back();
    await tab.back();
    await disturb(sub, tab);
    const late = await open(sub, { client_id: tab.client_id, n: 2 });
    expect((await late.untilClosed()).code).toBe(4006);
    tab.say("still here");
    await tab.answered("still here");
    expect(tab.client.closed).toBeUndefined();
  });

  test("[Q5] the same message from two tabs at once has one effect and one seq", async () => {
    const sub = newUser();
    const tabs = [await Tab.open(sub), await Tab.open(sub)];
    for (const tab of tabs) tab.say("same", "content");
    await disturb(sub);
    const replies = await Promise.all(tabs.map((tab) => tab.answered("same")));
    const payloads = replies.flat().map(({ payload }) => payload);
    expect(new Set(payloads.map(({ message_id }) => message_id)).size).toBe(1);
    expect(payloads.map(({ seq }) => seq)).toEqual([1, 1]);
    for (const tab of tabs) await tab.upTo(1);
    const other = await Tab.open(sub);
    other.say("same", "other content");
    expect((await other.answered("same"))[0]?.payload.code).toBe("id_conflict");
    other.say("end");
    await Promise.all(tabs.map((tab) => tab.upTo(2)));
    for (const tab of tabs) expect(tab.seqs()).toEqual([1, 2]);
  });

  test("[Q5] a message whose acknowledgement was lost is sent again, and done once", async () => {
    const sub = newUser();
    const tab = await Tab.open(sub);
    const lost = await open(sub, { client_id: "lost" });
    lost.say("m", "once", { respond: false });
    await tab.upTo(1);
    lost.close();
    await disturb(sub);
    tab.say("m", "once");
    expect((await tab.answered("m"))[0]?.payload).toMatchObject({ seq: 1, duplicate: true });
    expect(tab.seqs()).toEqual([1]);
  });

  test("[N15] three sockets at different positions, then one message: each gets exactly what it misses", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    const tabs = [await Tab.open(sub)];
    for (let i = 1; i <= 3; i += 1) {
      writer.say(`m${i}`);
      await writer.upTo(i);
      tabs.push(await Tab.open(sub));
    }
    for (const tab of tabs) await tab.upTo(3);
    await disturb(sub, writer);
    writer.say("last");
    for (const [i, tab] of tabs.entries()) {
      await tab.upTo(4);
      expect(tab.seqs()).toEqual(upTo(4, i + 1));
    }
  });

  test("[S8] ten tabs come back at once: all are resumed, none is taken for an eleventh", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    writer.say("before");
    await writer.upTo(1);
    const tabs = [writer];
    for (let i = 0; i < 9; i += 1) tabs.push(await Tab.open(sub));
    // From here on each is known by its own name, as every client of ours is from the start.
    for (const tab of tabs) {
      tab.client.close();
      await tab.back();
    }
    await disturb(sub);
    await Promise.all(tabs.map((tab) => tab.back()));
    expect(tabs.map((tab) => tab.greetings.at(-1)?.payload.resume)).toEqual(tabs.map(() => "resumed"));
    await expect(open(sub)).rejects.toThrow(/429.*connection_limit/);
  });

  test("[S16] a tab that stops acknowledging holds up nobody, and loses nothing", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    const slow = await connect(sub);
    for (let batch = 0; batch < 3; batch += 1) {
      for (let i = 0; i < 100; i += 1) writer.say(`${batch}-${i}`);
      await writer.upTo((batch + 1) * 100);
    }
    expect(writer.seqs()).toEqual(upTo(300));
    await disturb(sub, writer);
    if (slow.closed === undefined) {
      expect(slow.seqs()).toEqual(upTo(256));
      slow.send({ type: "ack", payload: { seq: 256 } });
      await slow.next(({ seq }) => seq === 300);
      expect(slow.seqs()).toEqual(upTo(300));
    }
    const epoch = slow.frames[0]?.payload.epoch;
    const back = await connect(sub, { epoch, since: 256 });
    expect(back.seqs()).toEqual(upTo(300, 257));
  });

  test("[S11] a snapshot joins exactly with the events that follow it, whatever is being written", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    const tabs: Tab[] = [];
    for (let i = 1; i <= 60; i += 1) {
      writer.say(`m${i}`);
      if (i % 15 === 0) tabs.push(await Tab.open(sub));
      if (i === 31) {
        await writer.answered("m31");
        await disturb(sub);
      }
    }
    await writer.upTo(60);
    for (const tab of tabs) {
      await tab.upTo(60);
      const snapshot = tab.client.of("state_snapshot")[0];
      const seqs = [...(snapshot?.payload.messages ?? []), ...tab.delivered].map(({ seq }) => seq);
      expect(seqs.slice(-20)).toEqual(upTo(60, 41));
    }
  });

  test("[S13] a token that ends in the middle of a burst costs a reconnect and nothing else", async () => {
    const sub = newUser();
    const writer = await Tab.open(sub);
    const expiring = await connect(sub, { ttl_s: -28, client_id: "expiring" });
    for (let i = 1; i <= 40; i += 1) writer.say(`m${i}`);
    await writer.answered("m40");
    await disturb(sub);
    const closed = await expiring.untilClosed();
    expect([4_100, 1_006]).toContain(closed.code);
    const since = expiring.seqs().at(-1) ?? 0;
    const epoch = expiring.frames[0]?.payload.epoch;
    const renewed = await connect(sub, { client_id: "expiring", n: 2, epoch, since });
    expect([...expiring.seqs(), ...renewed.seqs()]).toEqual(upTo(40));
  });

  test("[N23] a run that ends while every tab is away is there, once, when they come back", async () => {
    const sub = newUser();
    const tab = await Tab.open(sub);
    tab.client.say("q", "question", {
      data: { script: [{ text: "half " }, { text: "whole", pace_ms: 30 }] },
    });
    await tab.until(() => tab.client.of("partial_result").length > 0);
    tab.client.close();
    const other = await Tab.open(sub);
    await other.until(
      () =>
        other.client.of("agent_completed").length > 0 ||
        other.client.of("state_snapshot")[0]?.payload.runs.length === 0,
    );
    await disturb(sub);
    await tab.back();
    await tab.until(() => tab.delivered.some(({ type }) => type === "agent_completed"));
    expect(tab.delivered.filter(({ type }) => type === "agent_completed")).toMatchObject([
      { payload: { content: "half whole", status: "succeeded" } },
    ]);
    expect(tab.seqs()).toEqual(upTo(tab.since));
  });

  test("[D11] after 60 connect–send–drop cycles rows and sockets are those of a calm run", async () => {
    const [busy, calm] = [newUser(), newUser()];
    const quiet = await Tab.open(calm);
    for (let i = 1; i <= 60; i += 1) {
      const tab = await connect(busy, { client_id: `c${i}` });
      tab.say(`m${i}`, "x", { respond: false });
      await tab.next("message_ack");
      tab.close();
      if (i % 20 === 0) await disturb(busy);
      quiet.say(`m${i}`, "x");
    }
    await quiet.upTo(60);
    quiet.client.close();
    await quiet.client.untilClosed();
    const left = async (sub: string) =>
      await inObject(sub, async (state) => ({
        sockets: state.getWebSockets().length,
        alarm: (await state.storage.getAlarm()) !== null,
        rows: ["meta", "events", "inbox", "runs", "threads"].map(
          (table) => state.storage.sql.exec(`SELECT COUNT(*) AS n FROM ${table}`).one().n,
        ),
      }));
    expect(await left(busy)).toEqual(await left(calm));
  });
});
