import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agents/agent.ts";
import { newUser, stubOf } from "../support/client.ts";
import { BEGIN, Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

const silent: Agent = {
  name: "silent",
  version: "1",
  // biome-ignore lint/correctness/useYield: it has nothing to say
  *run() {
    return { finish_reason: "stop" };
  },
};

async function withFiveMessages(
  work: (desk: Desk, storage: DurableObjectStorage, socket: RecordingSocket) => void | Promise<void>,
) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const desk = new Desk(storage, silent);
    const socket = desk.connect();
    for (let i = 1; i <= 5; i += 1) {
      await desk.send(socket, {
        type: "user_message",
        id: `m${i}`,
        payload: { content: `${i}`, respond: false },
      });
    }
    await work(desk, storage, socket);
  });
}

function replay(desk: Desk, since: number): unknown[] {
  const socket = desk.connect({ epoch: "id1", since: `${since}` });
  return socket.sent
    .filter(({ type }) => type === "user_message" || type === "events_skipped")
    .map(({ seq, payload }) => seq ?? payload);
}

describe("a hole in the log", () => {
  test("[S15] where events were deleted is announced, and what follows is sent", async () => {
    await withFiveMessages((desk, storage) => {
      storage.sql.exec("DELETE FROM events WHERE seq IN (2, 3)");
      expect(replay(desk, 1)).toEqual([{ from: 2, to: 3, reason: "trimmed" }, 4, 5]);
      expect(replay(desk, 2)).toEqual([{ from: 3, to: 3, reason: "trimmed" }, 4, 5]);
      expect(replay(desk, 3)).toEqual([4, 5]);
    });
  });

  test("[S15] at the end of the log is announced too", async () => {
    await withFiveMessages((desk, storage) => {
      storage.sql.exec("DELETE FROM events WHERE seq > 3");
      expect(replay(desk, 2)).toEqual([3, { from: 4, to: 5, reason: "trimmed" }]);
    });
  });

  test("[S15] where an event has expired is announced, and the event is not sent from then on", async () => {
    await withFiveMessages((desk, storage) => {
      storage.sql.exec("UPDATE events SET expires_at = ? WHERE seq = 4", BEGIN + 1_000);
      expect(replay(desk, 2)).toEqual([3, 4, 5]);
      desk.advance(999);
      expect(replay(desk, 2)).toEqual([3, 4, 5]);
      desk.advance(1);
      expect(replay(desk, 2)).toEqual([3, { from: 4, to: 4, reason: "expired" }, 5]);
    });
  });

  test("[S4] before the first event that is kept makes an older cursor a gap", async () => {
    await withFiveMessages((desk, storage) => {
      storage.sql.exec("DELETE FROM events WHERE seq <= 2");
      const gap = desk.connect({ epoch: "id1", since: "1" }).of("connection_established")[0].payload;
      expect(gap).toMatchObject({ resume: "gap", gap_reason: "trimmed", floor_seq: 3 });
      expect(replay(desk, 2)).toEqual([3, 4, 5]);
    });
  });
});

describe("an event this Worker does not know", () => {
  test("[D9] is sent as it lies in the log, and left out wherever it would have to be understood", async () => {
    await withFiveMessages((desk, storage) => {
      const frame = JSON.stringify({ type: "from_the_future", seq: 3, payload: { x: 1 } });
      storage.sql.exec("UPDATE events SET type = 'from_the_future', frame = ? WHERE seq = 3", frame);
      const back = desk.connect({ epoch: "id1", since: "2" });
      expect(back.sent.map(({ seq }) => seq).filter(Boolean)).toEqual([3, 4, 5]);
      const fresh = desk.connect().of("state_snapshot")[0].payload;
      expect(fresh.messages.map(({ seq }: { seq: number }) => seq)).toEqual([1, 2, 4, 5]);
    });
  });
});

describe("a notification", () => {
  test("[S11] is in every snapshot until some client has acknowledged it", async () => {
    await withFiveMessages((desk, storage, socket) => {
      const payload = { topic: "billing", data: { due: 3 }, timestamp: new Date(BEGIN).toISOString() };
      storage.sql.exec(
        "UPDATE events SET type = 'notification', frame = ? WHERE seq = 4",
        JSON.stringify({ type: "notification", seq: 4, payload }),
      );
      const shown = () => desk.connect().of("state_snapshot")[0].payload.notifications;
      expect(shown()).toEqual([{ seq: 4, ...payload }]);
      void desk.send(socket, { type: "ack", payload: { seq: 3 } });
      expect(shown()).toHaveLength(1);
      void desk.send(socket, { type: "ack", payload: { seq: 4 } });
      expect(shown()).toEqual([]);
      desk.evict();
      expect(shown()).toEqual([]);
    });
  });

  test("[S11] leaves room for the conversation: of more than 128 KiB the oldest are left out", async () => {
    await withFiveMessages(async (desk) => {
      const data = "x".repeat(60_000);
      const events = Array.from({ length: 5 }, () => ({ topic: "big", data }));
      await desk.session.requests.publish({ who: principalWith([]), events });
      const frame = desk.connect().of("state_snapshot")[0];
      expect(new TextEncoder().encode(JSON.stringify(frame)).byteLength).toBeLessThan(256 * 1024);
      expect(frame.payload.notifications.map(({ seq }: { seq: number }) => seq)).toEqual([9, 10]);
      expect(frame.payload.notifications_omitted).toEqual({ count: 3, from: 6 });
      expect(frame.payload.messages).toHaveLength(5);
    });
  });

  test("[S11] has at most 256 KiB with a hundred of the longest titles and the largest shared state, too", async () => {
    await withFiveMessages(async (desk) => {
      const socket = desk.connect();
      const title = "\u0001".repeat(200);
      for (let i = 0; i < 100; i += 1) {
        const command = { type: "thread_create", id: `t${i}`, payload: { title } } as const;
        await desk.session.requests.submit(principalWith(["chat"]), command);
      }
      const value = "s".repeat(64_000);
      const patch = [{ op: "add", path: "/draft", value }];
      await desk.send(socket, { type: "state_update", id: "s", payload: { base_version: 0, patch } });
      const content = "\u0001".repeat(30_000);
      const payload = { content, thread_id: "main", respond: false };
      await desk.session.requests.submit(principalWith(["chat"]), {
        type: "user_message",
        id: "long",
        payload,
      });
      const events = Array.from({ length: 5 }, () => ({ topic: "big", data: "x".repeat(20_000) }));
      await desk.session.requests.publish({ who: principalWith([]), events });
      const frame = desk.connect().of("state_snapshot")[0];
      expect(new TextEncoder().encode(JSON.stringify(frame)).byteLength).toBeLessThan(256 * 1024);
      expect(frame.payload.threads).toHaveLength(100);
      expect(frame.payload.messages.at(-1)).toMatchObject({ truncated: true });
      expect(frame.payload.shared.draft).toBe(value);
      expect(frame.payload.notifications_omitted.count + frame.payload.notifications.length).toBe(5);
    });
  });
});
