import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agents/agent.ts";
import { ACK_COST, RESYNC_COST } from "../../src/client/pace.ts";
import { planSettings } from "../../src/config/plans.ts";
import { COMMANDS, type CommandType } from "../../src/protocol/commands.ts";
import { costOf, TokenBucket } from "../../src/session/flood.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, type RecordingSocket } from "../support/desk.ts";

const silent: Agent = {
  name: "silent",
  version: "1",
  // biome-ignore lint/correctness/useYield: it has nothing to say
  *run() {
    return { finish_reason: "stop" };
  },
};

async function atTheDesk(work: (desk: Desk) => Promise<void>) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, silent));
  });
}

let ids = 0;

function message() {
  ids += 1;
  return { type: "user_message", id: `m${ids}`, payload: { content: "x", respond: false } };
}

async function send(desk: Desk, socket: RecordingSocket, frames: readonly unknown[]): Promise<void> {
  await Promise.all(frames.map((frame) => desk.send(socket, frame)));
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function refusals(socket: RecordingSocket): any[] {
  return socket.of("error").filter(({ payload }) => payload.code === "rate_limited");
}

function closed(socket: RecordingSocket) {
  return socket.sent.find((frame) => frame.closed !== undefined)?.closed;
}

test("[C24] client and server count frames alike", () => {
  const types = ["ack", "resync", "auth_refresh", "user_message", "run_cancel"] as const;
  expect(types.map(costOf)).toEqual([ACK_COST, RESYNC_COST, RESYNC_COST, 1, 1]);
});

test("[A24] the smallest burst that may be configured pays for the dearest frame", () => {
  const dearest = Math.max(...(Object.keys(COMMANDS) as CommandType[]).map(costOf));
  const allowed = (burst: number) =>
    planSettings.safeParse({ free: { commands_burst: burst, user_commands_burst: burst } }).success;
  expect([allowed(dearest - 1), allowed(dearest)]).toEqual([false, true]);
});

describe("the rate of commands", () => {
  test("[Q10] lets a burst of 60 through; the next is told when to come again, and then is taken", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const other = desk.connect();
      const frames = times(61, message);
      await send(desk, tab, frames);
      expect(tab.of("message_ack")).toHaveLength(60);
      expect(refusals(tab)).toMatchObject([
        {
          reply_to: frames[60]?.id,
          payload: { code: "rate_limited", retryable: true, retry_after_ms: 34, fatal: false },
        },
      ]);
      expect(other.of("user_message")).toHaveLength(60);
      desk.advance(33);
      await send(desk, tab, [frames[60]]);
      expect(refusals(tab)).toHaveLength(2);
      desk.advance(1);
      await send(desk, tab, [frames[60]]);
      expect(tab.of("message_ack").at(-1)).toMatchObject({
        reply_to: frames[60]?.id,
        payload: { seq: 61, duplicate: false },
      });
    });
  });

  test("[Q10] 30 a second can be kept up for ever", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      for (let second = 1; second <= 10; second += 1) {
        await send(desk, tab, times(30, message));
        await send(desk, tab, [{ type: "ack", payload: { seq: (second - 1) * 30 } }]);
        desk.advance(1_010);
      }
      expect(refusals(tab)).toEqual([]);
      expect(tab.of("message_ack")).toHaveLength(300);
    });
  });

  test("[Q10] one loud tab does not use up another's, but all of a user's together have a limit", async () => {
    await atTheDesk(async (desk) => {
      const tabs = times(3, () => desk.connect());
      for (const tab of tabs) await send(desk, tab, times(60, message));
      expect(tabs.map((tab) => tab.of("message_ack").length)).toEqual([60, 60, 0]);
      expect(tabs.map((tab) => refusals(tab).length)).toEqual([0, 0, 60]);
      expect(tabs.map(closed)).toEqual([undefined, undefined, undefined]);
    });
  });

  test("[Q10] acknowledgements cost a tenth, a resync five", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await send(
        desk,
        tab,
        times(599, () => ({ type: "ack", payload: { seq: 0 } })),
      );
      expect(refusals(tab)).toEqual([]);
      await send(
        desk,
        tab,
        times(3, () => ({ type: "ack", payload: { seq: 0 } })),
      );
      expect(refusals(tab).length).toBeGreaterThan(0);
      const other = desk.connect();
      await send(
        desk,
        other,
        times(13, (i) => ({ type: "resync", id: `r${i}`, payload: {} })),
      );
      expect(other.of("command_ack")).toHaveLength(12);
      expect(refusals(other)).toMatchObject([{ reply_to: "r12" }]);
    });
  });

  test("[Q11] whoever goes on regardless is closed with 4203, and what was accepted stays", async () => {
    await atTheDesk(async (desk) => {
      const loud = desk.connect();
      const calm = desk.connect();
      await send(desk, loud, times(60, message));
      await send(desk, loud, times(1_000, message));
      expect(closed(loud)).toEqual({ code: 4203, reason: "rate_limited" });
      expect(loud.sent.at(-2)).toMatchObject({
        type: "error",
        payload: { code: "rate_limited", retry_after_ms: 5_000, fatal: true },
      });
      expect(refusals(loud)).toHaveLength(301);
      expect(loud.of("message_ack")).toHaveLength(60);
      expect(calm.of("user_message").map(({ seq }) => seq)).toEqual(times(60, (i) => i + 1));
      await send(desk, calm, [message()]);
      expect(calm.of("message_ack")).toHaveLength(1);
    });
  });

  test("[Q11] who slows down is forgiven", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      for (let round = 0; round < 5; round += 1) {
        await send(desk, tab, times(300, message));
        desk.advance(10_000);
      }
      expect(closed(tab)).toBeUndefined();
      expect(tab.of("message_ack")).toHaveLength(300);
    });
  });
});

describe("bad frames", () => {
  const bad = ["{", '{"type":"nope","payload":{}}', '{"payload":{}}', `"${"x".repeat(65_536)}"`];

  test("[P13] ten within a minute end the connection with 4000; the tenth error says so", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const other = desk.connect();
      for (let i = 0; i < 9; i += 1) await desk.send(tab, bad[i % bad.length]);
      expect(closed(tab)).toBeUndefined();
      await desk.send(tab, bad[0]);
      expect(tab.of("error").map(({ payload }) => payload.fatal)).toEqual([...times(9, () => false), true]);
      expect(closed(tab)).toEqual({ code: 4000, reason: "protocol_violation" });
      expect(closed(other)).toBeUndefined();
    });
  });

  test("[P13] nine a minute are forgiven for ever, evictions or not", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      for (let round = 0; round < 3; round += 1) {
        for (let i = 0; i < 9; i += 1) await desk.send(tab, bad[0]);
        desk.evict();
        desk.advance(60_000);
      }
      expect(closed(tab)).toBeUndefined();
      for (let i = 0; i < 9; i += 1) await desk.send(tab, bad[0]);
      desk.evict();
      await desk.send(tab, bad[0]);
      expect(closed(tab)?.code).toBe(4000);
    });
  });

  test("[P13] refused commands are not bad frames", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      for (let i = 0; i < 20; i += 1) {
        await desk.send(tab, { type: "run_cancel", id: `n${i}`, payload: { run_id: "r_1_x" } });
      }
      expect(tab.of("error")).toHaveLength(20);
      expect(closed(tab)).toBeUndefined();
    });
  });
});

describe("a token bucket", () => {
  const rate = { per_s: 10, burst: 2 };

  test("[Q10] says to the millisecond when the next one can be paid", () => {
    const bucket = new TokenBucket(0);
    expect(bucket.wait(1, rate, 0)).toBe(0);
    bucket.pay(1);
    bucket.pay(1);
    expect(bucket.wait(1, rate, 0)).toBe(100);
    expect(bucket.wait(1, rate, 99)).toBe(1);
    expect(bucket.wait(1, rate, 100)).toBe(0);
  });

  test("[Q10] is never fuller than its burst, and a clock set back takes nothing away", () => {
    const bucket = new TokenBucket(0);
    expect(bucket.wait(2, rate, 1e9)).toBe(0);
    bucket.pay(2);
    expect(bucket.wait(1, rate, 0)).toBe(100);
    expect(bucket.wait(1, rate, 100)).toBe(0);
  });

  test("[Q10] takes what costs more than its burst once it is full, and has it paid back", () => {
    const bucket = new TokenBucket(0);
    expect(bucket.wait(5, rate, 0)).toBe(0);
    bucket.pay(5);
    expect(bucket.wait(1, rate, 0)).toBe(400);
    expect(bucket.wait(5, rate, 400)).toBe(100);
    expect(bucket.wait(5, rate, 500)).toBe(0);
  });
});
