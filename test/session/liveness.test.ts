import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agents/agent.ts";
import type { Ports } from "../../src/session/ports.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

const SWEEP_MS = 15 * 60_000;
const PING = { type: "ping", payload: {} };
const GONE = { code: 4201, reason: "heartbeat_timeout" };

const silent: Agent = {
  name: "silent",
  version: "1",
  // biome-ignore lint/correctness/useYield: it has nothing to say
  *run() {
    return { finish_reason: "stop" };
  },
};

async function atTheDesk(work: (desk: Desk) => Promise<void>, over: Partial<Ports> = {}) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, silent, over));
  });
}

/** Lets time pass, and the alarm ring at the end of it. */
function sweepAfter(desk: Desk, ms: number): void {
  desk.advance(ms);
  desk.session.deadlines.fire();
}

function closed(socket: RecordingSocket) {
  return socket.sent.find((frame) => frame.closed !== undefined)?.closed;
}

describe("the heartbeat", () => {
  test("[S18] asks a socket that was silent for a sweep, and closes it 10 s later if it stays silent", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      sweepAfter(desk, SWEEP_MS - 1);
      expect(tab.of("ping")).toEqual([]);
      sweepAfter(desk, 1);
      expect(tab.sent.at(-1)).toEqual(PING);
      sweepAfter(desk, 9_999);
      expect(closed(tab)).toBeUndefined();
      sweepAfter(desk, 1);
      expect(tab.sent.at(-2)).toMatchObject({
        type: "error",
        payload: { code: "heartbeat_timeout", retryable: true, fatal: true },
      });
      expect(closed(tab)).toEqual(GONE);
    });
  });

  test.each([
    ["a pong", '{"type":"pong","payload":{}}'],
    ["a ping in a spelling of its own", '{ "type": "ping", "payload": {} }'],
    ["an ack", '{"type":"ack","payload":{"seq":0}}'],
    ["a bad frame", "{"],
  ])("[S18] takes %s for an answer", async (_, frame) => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      sweepAfter(desk, SWEEP_MS);
      await desk.send(tab, frame);
      desk.evict();
      sweepAfter(desk, 10_000);
      expect(closed(tab)).toBeUndefined();
      sweepAfter(desk, SWEEP_MS - 10_001);
      expect(tab.of("ping")).toHaveLength(1);
      sweepAfter(desk, 1);
      expect(tab.of("ping")).toHaveLength(2);
    });
  });

  test("[S18] does not ask those whose pings the platform has answered meanwhile", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      desk.advance(SWEEP_MS - 25_000);
      tab.answered_at = desk.now;
      sweepAfter(desk, 25_000);
      expect(tab.of("ping")).toEqual([]);
      sweepAfter(desk, SWEEP_MS - 25_000);
      expect(tab.of("ping")).toHaveLength(1);
      tab.answered_at = desk.now + 1;
      sweepAfter(desk, 10_000);
      expect(closed(tab)).toBeUndefined();
    });
  });

  test("[S18] an eviction between question and answer changes nothing", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      sweepAfter(desk, SWEEP_MS);
      desk.evict();
      sweepAfter(desk, 9_999);
      expect(closed(tab)).toBeUndefined();
      desk.evict();
      sweepAfter(desk, 1);
      expect(closed(tab)).toEqual(GONE);
      expect(tab.of("ping")).toHaveLength(1);
    });
  });

  test("[S18] one alarm a sweep is all it costs, and none once everybody has left", async () => {
    await atTheDesk(async (desk) => {
      const tabs = [desk.connect(), desk.connect(), desk.connect()];
      expect(desk.alarms).toEqual([desk.now + SWEEP_MS]);
      for (const tab of tabs) tab.answered_at = desk.now + SWEEP_MS - 1;
      sweepAfter(desk, SWEEP_MS);
      expect(desk.alarms).toHaveLength(2);
      for (const tab of tabs) desk.session.connections.drop(tab, 1_000, "");
      sweepAfter(desk, SWEEP_MS);
      expect(desk.alarms).toHaveLength(2);
    });
  });

  test("[S18] a sweep of 0 asks nobody and sets no alarm for it", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        expect(desk.alarms).toEqual([desk.now + 3_540_000]);
        sweepAfter(desk, 3_600_000);
        expect(tab.of("ping")).toEqual([]);
      },
      { heartbeat: { sweep_ms: 0, timeout_ms: 10_000 } },
    );
  });
});

describe("the connection limit", () => {
  const ten = (desk: Desk) =>
    Array.from({ length: 10 }, (_, i) => {
      desk.advance(1_000);
      return desk.connect({ client_id: `c${i}` });
    });
  const admit = (desk: Desk, client_id = "new") =>
    desk.session.reception.admit({ codec: "native", principal: principalWith(["chat"]), client_id });

  test("[S19] lets the socket that was silent longest go, and only that one, for a newcomer", async () => {
    await atTheDesk(async (desk) => {
      const tabs = ten(desk);
      desk.advance(80_999);
      await desk.send(tabs[0] as RecordingSocket, PING);
      expect(admit(desk)).toMatchObject({ ok: false, refusal: { code: "connection_limit", limit: 10 } });
      desk.advance(1_001);
      expect(admit(desk)).toEqual({ ok: true, value: undefined });
      expect(tabs.map(closed).map((close) => close?.code)).toEqual([
        undefined,
        4201,
        ...Array.from({ length: 8 }, () => undefined),
      ]);
    });
  });

  test("[S19] ghosts do not keep ten tabs out after a deploy nobody was told of", async () => {
    await atTheDesk(async (desk) => {
      const ghosts = ten(desk);
      desk.advance(90_000);
      for (let i = 0; i < 10; i += 1) {
        expect(admit(desk, `late${i}`).ok).toBe(true);
        desk.connect({ client_id: `late${i}` });
      }
      expect(ghosts.map(closed).every((close) => close?.code === 4201)).toBe(true);
      expect(admit(desk).ok).toBe(false);
    });
  });

  test("[S19] a ping the platform answered by itself counts as a sign of life", async () => {
    await atTheDesk(async (desk) => {
      const tabs = ten(desk);
      desk.advance(500_000);
      for (const tab of tabs) tab.answered_at = desk.now - 89_999;
      expect(admit(desk).ok).toBe(false);
      expect(tabs.map(closed).every((close) => close === undefined)).toBe(true);
    });
  });

  test("[S19] a client that comes back needs no room but its own", async () => {
    await atTheDesk(async (desk) => {
      const tabs = ten(desk);
      desk.advance(500_000);
      expect(admit(desk, "c3").ok).toBe(true);
      expect(tabs.map(closed).every((close) => close === undefined)).toBe(true);
    });
  });
});
