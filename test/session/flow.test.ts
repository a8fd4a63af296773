import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, DEFAULT_PLANS, WINDOW_BYTES, WINDOW_EVENTS } from "../../src/protocol/limits.ts";
import { newUser, stubOf, waitFor } from "../support/client.ts";
import { Desk, type RecordingSocket } from "../support/desk.ts";
import { probe } from "../support/probe.ts";
import { scripted } from "../support/scripted-agent.ts";

const MINUTE_MS = 60_000;

/** The rates are another file's business. */
const UNHURRIED = {
  ...DEFAULT_LIMITS,
  commands_per_s: 1e6,
  commands_burst: 1e6,
  user_commands_per_s: 1e6,
  user_commands_burst: 1e6,
};

async function atTheDesk(work: (desk: Desk, storage: DurableObjectStorage) => Promise<void>) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, scripted, { plans: { ...DEFAULT_PLANS, free: UNHURRIED } }), storage);
  });
}

let ids = 0;

async function say(desk: Desk, socket: RecordingSocket, count: number, content = "x"): Promise<void> {
  const sending = Array.from({ length: count }, () => {
    ids += 1;
    const payload = { content, respond: false };
    return desk.send(socket, { type: "user_message", id: `f${ids}`, payload });
  });
  await Promise.all(sending);
}

async function ack(desk: Desk, socket: RecordingSocket, seq: number): Promise<void> {
  await desk.send(socket, { type: "ack", payload: { seq } });
}

function seqs(socket: RecordingSocket): number[] {
  return socket.sent.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function closed(socket: RecordingSocket) {
  return socket.sent.find((frame) => frame.closed !== undefined)?.closed;
}

describe("the flow-control window", () => {
  test("[S16] once full, costs no look at the log, however much is said", async () => {
    await atTheDesk(async (desk, storage) => {
      const writer = desk.connect();
      for (let i = 0; i < 9; i += 1) desk.connect();
      for (let i = 1; i <= 5; i += 1) {
        await say(desk, writer, 64);
        await ack(desk, writer, i * 64);
      }
      const { exec } = storage.sql;
      const looks: string[] = [];
      storage.sql.exec = ((query: string, ...bindings: unknown[]) => {
        if (query.includes("WHERE seq > ?")) looks.push(query);
        return exec.call(storage.sql, query, ...bindings);
      }) as never;
      await say(desk, writer, 10);
      storage.sql.exec = exec;
      expect(looks).toEqual([]);
    });
  });

  test("[S16] reads no more of the log than an acknowledgement has made room for", async () => {
    await atTheDesk(async (desk, storage) => {
      const writer = desk.connect();
      const slow = desk.connect();
      for (let i = 1; i <= 6; i += 1) {
        await say(desk, writer, 64);
        await ack(desk, writer, i * 64);
      }
      const { exec } = storage.sql;
      const limits: unknown[] = [];
      storage.sql.exec = ((query: string, ...bindings: unknown[]) => {
        if (query.endsWith("WHERE seq > ? ORDER BY seq LIMIT ?")) limits.push(bindings[1]);
        return exec.call(storage.sql, query, ...bindings);
      }) as never;
      await ack(desk, slow, 16);
      storage.sql.exec = exec;
      expect(limits).toEqual([16]);
      expect(seqs(slow)).toEqual(upTo(272));
    });
  });

  test("[S16] holds 256 events; the next one waits for an acknowledgement", async () => {
    await atTheDesk(async (desk) => {
      const writer = desk.connect();
      const slow = desk.connect();
      for (let i = 1; i <= 4; i += 1) {
        await say(desk, writer, 64);
        await ack(desk, writer, i * 64);
      }
      expect(seqs(slow)).toEqual(upTo(WINDOW_EVENTS));
      await say(desk, writer, 3);
      expect(seqs(slow)).toEqual(upTo(WINDOW_EVENTS));
      await ack(desk, slow, 1);
      expect(seqs(slow)).toEqual(upTo(WINDOW_EVENTS + 1));
      await ack(desk, slow, 200);
      expect(seqs(slow)).toEqual(upTo(WINDOW_EVENTS + 3));
    });
  });

  test("[S16] holds 1 MiB, and one event more may pass the mark", async () => {
    await atTheDesk(async (desk) => {
      const writer = desk.connect();
      const slow = desk.connect();
      const content = "y".repeat(30 * 1024);
      for (let i = 1; i <= 40; i += 1) {
        await say(desk, writer, 1, content);
        await ack(desk, writer, i);
      }
      const bytes = slow.of("user_message").map((frame) => JSON.stringify(frame).length);
      const total = bytes.reduce((sum, one) => sum + one, 0);
      expect(total).toBeGreaterThanOrEqual(WINDOW_BYTES);
      expect(total - (bytes.at(-1) ?? 0)).toBeLessThan(WINDOW_BYTES);
      await ack(desk, slow, seqs(slow).length);
      expect(seqs(slow)).toEqual(upTo(40));
    });
  });

  test("[S16] a slow tab slows nobody: the other has every event at once", async () => {
    await atTheDesk(async (desk) => {
      const slow = desk.connect();
      const quick = desk.connect();
      for (let i = 1; i <= 6; i += 1) {
        await say(desk, quick, 50);
        expect(seqs(quick)).toEqual(upTo(i * 50));
        await ack(desk, quick, i * 50);
      }
      expect(seqs(slow)).toEqual(upTo(WINDOW_EVENTS));
    });
  });

  test("[S16] acknowledgements, replies and pings pass a full window", async () => {
    await atTheDesk(async (desk) => {
      const slow = desk.connect();
      await say(desk, slow, WINDOW_EVENTS + 1);
      const before = slow.sent.length;
      await say(desk, slow, 1);
      await desk.send(slow, { type: "ping", id: "p", payload: {} });
      await desk.send(slow, { type: "ack", id: "a", payload: { seq: 0 } });
      expect(slow.sent.slice(before).map(({ type }) => type)).toEqual(["message_ack", "pong", "command_ack"]);
    });
  });

  test("[S16] an eviction forgets neither how full it is nor since when", async () => {
    await atTheDesk(async (desk) => {
      const writer = desk.connect();
      const slow = desk.connect();
      await say(desk, writer, 200);
      await ack(desk, writer, 200);
      desk.evict();
      await say(desk, writer, 100);
      expect(seqs(slow)).toEqual(upTo(WINDOW_EVENTS));
      desk.advance(MINUTE_MS - 1);
      desk.evict();
      desk.session.deadlines.fire();
      expect(closed(slow)).toBeUndefined();
      desk.advance(1);
      desk.evict();
      desk.session.deadlines.fire();
      expect(closed(slow)).toEqual({ code: 4202, reason: "slow_consumer" });
    });
  });

  test("[S16] one that never acknowledges is closed after a minute of waiting events, and loses nothing", async () => {
    await atTheDesk(async (desk) => {
      const writer = desk.connect();
      const slow = desk.connect({ client_id: "slow" });
      await say(desk, writer, WINDOW_EVENTS);
      await ack(desk, writer, WINDOW_EVENTS);
      desk.advance(10 * MINUTE_MS);
      desk.session.deadlines.fire();
      expect(closed(slow)).toBeUndefined();
      await say(desk, writer, 2);
      desk.advance(MINUTE_MS);
      desk.session.deadlines.fire();
      expect(slow.sent.at(-2)).toMatchObject({
        type: "error",
        payload: { code: "slow_consumer", retryable: true, fatal: true },
      });
      expect(closed(slow)).toEqual({ code: 4202, reason: "slow_consumer" });
      expect(closed(writer)).toBeUndefined();
      const epoch = slow.sent[0].payload.epoch;
      const back = desk.connect({ client_id: "slow", epoch, since: `${WINDOW_EVENTS}` });
      expect(seqs(back)).toEqual([WINDOW_EVENTS + 1, WINDOW_EVENTS + 2]);
    });
  });

  test("[S16] any progress begins the minute anew", async () => {
    await atTheDesk(async (desk) => {
      const slow = desk.connect();
      await say(desk, slow, WINDOW_EVENTS + 10);
      desk.advance(MINUTE_MS - 1);
      await ack(desk, slow, 1);
      desk.advance(MINUTE_MS - 1);
      desk.session.deadlines.fire();
      expect(closed(slow)).toBeUndefined();
      desk.advance(1);
      desk.session.deadlines.fire();
      expect(closed(slow)?.code).toBe(4202);
    });
  });

  test("[S16] a stall sets the alarm, once", async () => {
    await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
      const desk = new Desk(storage, scripted, { plans: { ...DEFAULT_PLANS, free: UNHURRIED } });
      const slow = desk.connect();
      await say(desk, slow, WINDOW_EVENTS);
      const before = desk.alarms.length;
      await say(desk, slow, 20);
      expect(desk.alarms.slice(before)).toEqual([desk.now + MINUTE_MS]);
    });
  });

  test("[S17] a long replay comes as fast as it is acknowledged, and is complete when it is complete", async () => {
    await atTheDesk(async (desk) => {
      const writer = desk.connect();
      for (let i = 1; i <= 10; i += 1) {
        await say(desk, writer, 60);
        await ack(desk, writer, i * 60);
      }
      const epoch = writer.sent[0].payload.epoch;
      const tab = desk.connect({ epoch, since: "0" });
      expect(tab.sent[0].payload.replay).toEqual({ from: 1, to: 600 });
      expect(seqs(tab)).toEqual(upTo(WINDOW_EVENTS));
      expect(tab.of("replay_completed")).toEqual([]);
      await ack(desk, tab, WINDOW_EVENTS);
      expect(seqs(tab)).toEqual(upTo(2 * WINDOW_EVENTS));
      desk.evict();
      await say(desk, writer, 1);
      await ack(desk, tab, 2 * WINDOW_EVENTS);
      expect(seqs(tab)).toEqual(upTo(601));
      const completed = tab.of("replay_completed");
      expect(completed).toHaveLength(1);
      expect(completed[0].payload.seq).toBeGreaterThanOrEqual(600);
      expect(tab.sent.at(-1)).toBe(completed[0]);
    });
  });

  test("[S17] a resync empties the window and drops the replay that was on its way", async () => {
    await atTheDesk(async (desk) => {
      const writer = desk.connect();
      for (let i = 1; i <= 6; i += 1) {
        await say(desk, writer, 50);
        await ack(desk, writer, i * 50);
      }
      const tab = desk.connect({ epoch: writer.sent[0].payload.epoch, since: "0" });
      await desk.send(tab, { type: "resync", id: "r", payload: {} });
      const after = tab.sent.slice(tab.sent.findIndex(({ type }) => type === "command_ack"));
      expect(after.map(({ type }) => type)).toEqual(["command_ack", "state_snapshot", "replay_completed"]);
      expect(after[1].payload.as_of_seq).toBe(300);
      await say(desk, writer, 5);
      expect(seqs(tab).slice(-5)).toEqual(upTo(305, 301));
    });
  });

  test("[S17] a tab that is behind gets no text; caught up, it is set to all of it", async () => {
    await atTheDesk(async (desk) => {
      const writer = desk.connect();
      const slow = desk.connect();
      for (let i = 1; i <= 5; i += 1) {
        await say(desk, writer, 51);
        await ack(desk, writer, i * 51);
      }
      const key = newUser();
      probe.hold(key);
      const script = [{ think: "a" }, { text: "one " }, { text: "two " }, { tool: "hold", key }];
      await desk.send(writer, {
        type: "user_message",
        id: "ask",
        payload: { content: "q", data: { script } },
      });
      await waitFor(() => writer.of("tool_executing").length > 0);
      expect(writer.of("partial_result")).toHaveLength(2);
      expect(slow.of("partial_result")).toEqual([]);
      await ack(desk, slow, WINDOW_EVENTS);
      expect(slow.of("partial_result").map(({ payload }) => payload)).toMatchObject([
        { mode: "set", text: "one two " },
      ]);
      expect(slow.sent.at(-1).type).toBe("partial_result");
      probe.release(key);
      await desk.idle();
      expect(seqs(slow)).toEqual(seqs(writer));
    });
  });

  test("[S17] expired and deleted events take no room in the window", async () => {
    await atTheDesk(async (desk, storage) => {
      const writer = desk.connect();
      for (let i = 1; i <= 10; i += 1) {
        await say(desk, writer, 60);
        await ack(desk, writer, i * 60);
      }
      storage.sql.exec("DELETE FROM events WHERE seq BETWEEN 2 AND 300");
      storage.sql.exec("UPDATE events SET expires_at = 1 WHERE seq BETWEEN 301 AND 590");
      // What was changed behind the session's back is seen by the next instance.
      desk.evict();
      const tab = desk.connect({ epoch: writer.sent[0].payload.epoch, since: "0" });
      expect(tab.of("events_skipped").map(({ payload }) => payload)).toEqual([
        { from: 2, to: 300, reason: "trimmed" },
        { from: 301, to: 590, reason: "expired" },
      ]);
      expect(seqs(tab)).toEqual([1, ...upTo(600, 591)]);
      expect(tab.sent.at(-1)).toEqual({ type: "replay_completed", payload: { seq: 600 } });
    });
  });
});
