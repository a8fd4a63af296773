import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { newUser, stubOf, waitFor } from "../support/client.ts";
import { BEGIN, Desk, principalWith, type RecordingSocket } from "../support/desk.ts";
import { probe } from "../support/probe.ts";
import { scripted } from "../support/scripted-agent.ts";

const DAY_MS = 24 * 60 * 60_000;

async function atTheDesk(work: (desk: Desk, storage: DurableObjectStorage) => Promise<void>) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, scripted), storage);
  });
}

async function ask(desk: Desk, socket: RecordingSocket, id: string, script: unknown[]): Promise<void> {
  await desk.send(socket, { type: "user_message", id, payload: { content: id, data: { script } } });
}

const TURN = [{ think: "hm" }, { tool: "echo", key: "k" }, { text: "answer" }, { report: "done" }];

function types(storage: DurableObjectStorage): string[] {
  return storage.sql
    .exec("SELECT type FROM events ORDER BY seq")
    .toArray()
    .map(({ type }) => String(type));
}

/** Days go by, then the alarm rings; nobody's token lasts as long. */
function daysLater(desk: Desk, days: number): void {
  desk.advance(days * DAY_MS);
  desk.session.deadlines.fire();
}

describe("retention", () => {
  test("[D10] after a month steps and notifications are gone; messages and reports stay", async () => {
    await atTheDesk(async (desk, storage) => {
      const tab = desk.connect();
      await ask(desk, tab, "one", TURN);
      await desk.idle();
      await desk.session.requests.publish({ who: principalWith([]), events: [{ topic: "t", data: 1 }] });
      await desk.send(tab, {
        type: "user_message",
        id: "two",
        payload: { content: "two", respond: false },
      });
      const all = types(storage);
      daysLater(desk, 30.9);
      expect(types(storage)).toEqual(all);
      daysLater(desk, 0.2);
      expect(types(storage)).toEqual(["user_message", "final_report", "agent_completed", "user_message"]);
      expect(storage.sql.exec("SELECT COUNT(*) AS n FROM inbox").one().n).toBe(0);
    });
  });

  test("[D10] the holes are announced, numbers go on, and the conversation is whole", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await ask(desk, tab, "one", TURN);
      await desk.idle();
      const epoch = tab.sent[0].payload.epoch;
      const before = desk.connect().of("state_snapshot")[0].payload;
      daysLater(desk, 31.1);
      desk.crash();
      const back = desk.connect({ epoch, since: "0", principal: longLived(desk) });
      expect(back.sent[0].payload).toMatchObject({ resume: "resumed", head_seq: 7, floor_seq: 1 });
      expect(back.of("events_skipped").map(({ payload }) => payload)).toEqual([
        { from: 2, to: 5, reason: "trimmed" },
      ]);
      expect(back.sent.flatMap(({ seq }) => seq ?? [])).toEqual([1, 6, 7]);
      const now = desk.connect({ principal: longLived(desk) }).of("state_snapshot")[0].payload;
      expect(now.messages).toEqual(before.messages);
      await desk.send(back, { type: "user_message", id: "x", payload: { content: "x", respond: false } });
      expect(back.of("message_ack")[0].payload.seq).toBe(8);
    });
  });

  test("[D10] the last event stays, whatever it is: the head is its seq", async () => {
    await atTheDesk(async (desk, storage) => {
      const who = principalWith([]);
      for (let i = 0; i < 3; i += 1)
        await desk.session.requests.publish({ who, events: [{ topic: "t", data: i }] });
      daysLater(desk, 400);
      expect(types(storage)).toEqual(["notification"]);
      // Nobody is woken for what must stay.
      const alarms = desk.alarms.length;
      daysLater(desk, 1);
      expect(desk.alarms).toHaveLength(alarms);
      desk.crash();
      expect(await desk.session.requests.publish({ who, events: [{ topic: "t", data: 3 }] })).toMatchObject({
        value: { seq: 4 },
      });
    });
  });

  test("[D10] what an unfinished run has done is never trimmed", async () => {
    await atTheDesk(async (desk, storage) => {
      const tab = desk.connect();
      const key = newUser();
      probe.hold(key);
      await ask(desk, tab, "q", [{ think: "a" }, { tool: "hold", key }, { text: "whole" }]);
      await waitFor(() => tab.of("tool_executing").length > 0);
      // Far longer than a run may take, as if its object had not been woken for a month.
      desk.now = BEGIN + 40 * DAY_MS;
      desk.session.deadlines.fire();
      expect(types(storage)).toEqual(["user_message", "agent_started", "agent_thinking", "tool_executing"]);
      probe.release(key);
      await desk.idle();
      expect(types(storage)).toHaveLength(6);
    });
  });

  test("[D10] a run that waits for months keeps what it has done, and nothing else of its user", async () => {
    await atTheDesk(async (desk, storage) => {
      const tab = desk.connect();
      await ask(desk, tab, "before", TURN);
      await desk.idle();
      await ask(desk, tab, "waits", [{ think: "a" }, { tool: "echo", key: "k" }, { signal: "s" }]);
      await desk.idle();
      await ask(desk, tab, "after", TURN);
      await desk.idle();
      const { run_id, wait_id } = tab.of("run_waiting")[0].payload;
      const { epoch } = tab.sent[0].payload;
      daysLater(desk, 31.1);
      const kept = ["user_message", "final_report", "agent_completed"];
      const waiting = ["user_message", "agent_started", "agent_thinking", "tool_executing", "tool_completed"];
      expect(types(storage)).toEqual([...kept, ...waiting, "run_waiting", ...kept]);
      // Nobody is woken every day for what must stay.
      expect(desk.alarms.at(-1)).toBeGreaterThanOrEqual(desk.now + 30 * DAY_MS);

      const back = desk.connect({ epoch, since: "0", principal: longLived(desk) });
      const told = back.sent.flatMap(({ seq, type, payload }) =>
        type === "events_skipped" ? [[payload.from, payload.to]] : seq === undefined ? [] : [[seq, seq]],
      );
      expect(told.map(([from]) => from)).toEqual([1, ...told.slice(0, -1).map(([, to]) => Number(to) + 1)]);
      expect(
        back.of("events_skipped").map(({ payload }) => [payload.from, payload.to, payload.reason]),
      ).toEqual([
        [2, 5, "trimmed"],
        [15, 18, "trimmed"],
      ]);
      expect(desk.session.requests.runJournal(run_id)).toMatchObject({ ok: true, value: { complete: true } });
      await desk.send(back, { type: "run_resume", id: "r", payload: { wait_id, value: 1 } });
      await desk.idle();
      expect(back.of("agent_completed").at(-1).payload).toMatchObject({
        status: "succeeded",
        content: '{"status":"answered","value":1}',
      });
      daysLater(desk, 64);
      expect(types(storage)).toEqual([...kept, "user_message", ...kept, "agent_completed"]);
    });
  });

  test("[D10] costs nothing until something is old enough, then a day's worth at once", async () => {
    await atTheDesk(async (desk, storage) => {
      const who = principalWith([]);
      for (let hour = 0; hour < 24; hour += 1) {
        await desk.session.requests.publish({ who, events: [{ topic: "t", data: hour }] });
        desk.advance(60 * 60_000);
      }
      expect(desk.alarms).toEqual([BEGIN + 31 * DAY_MS]);
      desk.now = BEGIN + 31 * DAY_MS - 1;
      desk.session.deadlines.fire();
      expect(types(storage)).toHaveLength(24);
      desk.advance(1);
      desk.session.deadlines.fire();
      expect(types(storage)).toHaveLength(1);
      expect(desk.alarms).toEqual([BEGIN + 31 * DAY_MS, BEGIN + 31 * DAY_MS + 999]);
    });
  });

  test("[D10] an instance that wakes looks nothing up that the last trim has left", async () => {
    await atTheDesk(async (desk, storage) => {
      const who = principalWith([]);
      for (let i = 0; i < 3; i += 1)
        await desk.session.requests.publish({ who, events: [{ topic: "t", data: i }] });
      daysLater(desk, 32);
      const { exec } = storage.sql;
      const asked: string[] = [];
      storage.sql.exec = ((query: string, ...bindings: unknown[]) => {
        asked.push(query);
        return exec.call(storage.sql, query, ...bindings);
      }) as never;
      desk.crash();
      daysLater(desk, 0.5);
      storage.sql.exec = exec;
      expect(asked.filter((query) => query.includes("FROM inbox") || query.includes("type IN"))).toEqual([]);
      await desk.session.requests.publish({ who, events: [{ topic: "t", data: 3 }] });
      daysLater(desk, 32);
      expect(types(storage)).toEqual(["notification"]);
    });
  });

  test("[D10] what cannot go yet is tried again after a day, not at once", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const key = newUser();
      probe.hold(key);
      await ask(desk, tab, "q", [{ think: "a" }, { tool: "hold", key }]);
      await waitFor(() => tab.of("tool_executing").length > 0);
      desk.now = BEGIN + 40 * DAY_MS;
      desk.session.deadlines.fire();
      const alarms = desk.alarms.length;
      desk.now += DAY_MS - 1;
      desk.session.deadlines.fire();
      expect(desk.alarms.slice(alarms).every((at) => at >= desk.now + 1_000)).toBe(true);
      probe.release(key);
      await desk.idle();
    });
  });

  test("[D10] an id is remembered for a month", async () => {
    await atTheDesk(async (desk) => {
      const say = async (id: string) => {
        const tab = desk.connect({ principal: longLived(desk) });
        await desk.send(tab, { type: "user_message", id, payload: { content: "x", respond: false } });
        return tab.of("message_ack")[0].payload;
      };
      expect(await say("a")).toMatchObject({ seq: 1, duplicate: false });
      daysLater(desk, 29);
      expect(await say("a")).toMatchObject({ seq: 1, duplicate: true });
      daysLater(desk, 3);
      expect(await say("a")).toMatchObject({ seq: 2, duplicate: false });
    });
  });
});

function longLived(desk: Desk) {
  return { ...principalWith(["chat", "agents"]), exp: desk.now / 1_000 + 3_600 };
}
