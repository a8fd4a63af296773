import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agents/agent.ts";
import { native } from "../../src/dialects/native.ts";
import type { Notice } from "../../src/protocol/publishing.ts";
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

async function atTheDesk(work: (desk: Desk, storage: DurableObjectStorage) => Promise<void>) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, silent), storage);
  });
}

const who = principalWith([]);

function notices(count: number, more: Partial<Notice> = {}): Notice[] {
  return Array.from({ length: count }, (_, i) => ({ topic: "t", data: { i }, ...more }));
}

function publish(desk: Desk, events: Notice[], idempotency_key?: string) {
  return desk.session.requests.publish({
    who,
    events,
    ...(idempotency_key === undefined ? {} : { idempotency_key }),
  });
}

/** Fills the queue, ten batches of a hundred. */
async function fill(desk: Desk, more: Partial<Notice> = {}): Promise<void> {
  for (let i = 0; i < 10; i += 1) expect((await publish(desk, notices(100, more))).ok).toBe(true);
}

function said(socket: RecordingSocket): any[] {
  return socket.sent
    .filter(({ type }) => type === "notification" || type === "events_skipped")
    .map(({ seq, payload }) => seq ?? payload);
}

describe("publishing", () => {
  test("[Q12] a batch becomes events of the one log, all or none, and reaches every tab", async () => {
    await atTheDesk(async (desk) => {
      const tabs = [desk.connect(), desk.connect()];
      expect(await publish(desk, notices(3))).toEqual({ ok: true, value: { seq: 3, duplicate: false } });
      for (const tab of tabs) {
        expect(tab.of("notification").map(({ seq, payload }) => [seq, payload.data])).toEqual([
          [1, { i: 0 }],
          [2, { i: 1 }],
          [3, { i: 2 }],
        ]);
      }
      expect(await publish(desk, [])).toMatchObject({ ok: false, refusal: { field: "events" } });
    });
  });

  test("[Q12] the same key again has no second effect; with another body it is a conflict", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await publish(desk, notices(2), "key");
      expect(await publish(desk, notices(2), "key")).toEqual({
        ok: true,
        value: { seq: 2, duplicate: true },
      });
      expect(await publish(desk, notices(1), "key")).toMatchObject({ refusal: { code: "id_conflict" } });
      expect(said(tab)).toEqual([1, 2]);
      await publish(desk, notices(2));
      await publish(desk, notices(2));
      expect(said(tab)).toEqual([1, 2, 3, 4, 5, 6]);
    });
  });

  test("[Q12] to a user who is away waits until they come, and costs a row each", async () => {
    await atTheDesk(async (desk, storage) => {
      await publish(desk, notices(2));
      desk.crash();
      const tab = desk.connect();
      expect(
        tab.of("state_snapshot")[0].payload.notifications.map(({ seq }: { seq: number }) => seq),
      ).toEqual([1, 2]);
      expect(storage.sql.exec("SELECT COUNT(*) AS n FROM inbox").one().n).toBe(0);
    });
  });
});

describe("the queue", () => {
  test("[Q13] holds 1,000 unread events; the next is queue_full, nothing is lost, and reading makes room", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await fill(desk);
      const full = await publish(desk, notices(1));
      expect(full).toMatchObject({
        ok: false,
        refusal: { code: "queue_full", limit: 1_000, retry_after_ms: 60_000 },
      });
      await desk.send(tab, { type: "ack", payload: { seq: 2 } });
      expect(await publish(desk, notices(3))).toMatchObject({ refusal: { code: "queue_full" } });
      expect(await publish(desk, notices(2))).toMatchObject({ ok: true, value: { seq: 1_002 } });
    });
  });

  test("[Q13] never refuses the user: messages and runs go on", async () => {
    await atTheDesk(async (desk) => {
      await fill(desk);
      const tab = desk.connect();
      await desk.send(tab, { type: "user_message", id: "m", payload: { content: "hello" } });
      await desk.idle();
      expect(tab.of("message_ack")).toHaveLength(1);
      expect(tab.of("agent_completed")).toMatchObject([{ payload: { status: "succeeded" } }]);
    });
  });

  test("[Q13] holds 4 MiB", async () => {
    await atTheDesk(async (desk) => {
      const large = { data: "x".repeat(60 * 1024) };
      for (let i = 0; i < 68; i += 1) expect((await publish(desk, notices(1, large))).ok).toBe(true);
      expect(await publish(desk, notices(1, large))).toMatchObject({ refusal: { code: "queue_full" } });
      expect((await publish(desk, notices(1))).ok).toBe(true);
    });
  });

  test("[Q13] what has expired takes no room", async () => {
    await atTheDesk(async (desk) => {
      await fill(desk, { ttl_s: 60 });
      desk.advance(59_999);
      expect((await publish(desk, notices(1))).ok).toBe(false);
      desk.advance(1);
      expect((await publish(desk, notices(1))).ok).toBe(true);
    });
  });

  test.each(["crash", "evict"] as const)("[Q13] is as full after a %s as before", async (ending) => {
    await atTheDesk(async (desk) => {
      await fill(desk);
      const tab = desk.connect();
      await desk.send(tab, { type: "ack", payload: { seq: 10 } });
      expect((await publish(desk, notices(4))).ok).toBe(true);
      desk[ending]();
      expect((await publish(desk, notices(7))).ok).toBe(false);
      expect((await publish(desk, notices(6))).ok).toBe(true);
      expect((await publish(desk, notices(1))).ok).toBe(false);
    });
  });

  test("[Q14] who only reads over HTTP is served for ever, evictions between or not", async () => {
    await atTheDesk(async (desk) => {
      let since = 0;
      for (let round = 0; round < 30; round += 1) {
        expect((await publish(desk, notices(100))).ok).toBe(true);
        desk.crash();
        const page = desk.session.requests.readEvents(who, { since, limit: 1_000 });
        if (!page.ok) throw new Error(page.refusal.code);
        expect(page.value.events).toHaveLength(100);
        since += 100;
        desk.crash();
        desk.session.requests.readEvents(who, { since, limit: 1_000 });
        desk.crash();
      }
      expect(since).toBe(3_000);
    });
  });

  test("[Q14] a dialect without acknowledgements is sent everything, and what it was sent is read", async () => {
    await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
      const plain = { ...native, name: "plain", acks: false };
      const desk = new Desk(storage, silent, { codecs: { native, plain } });
      const tab = desk.connect({ codec: "plain" });
      for (let round = 1; round <= 12; round += 1) {
        expect((await publish(desk, notices(100))).ok).toBe(true);
        expect(said(tab)).toHaveLength(round * 100);
        if (round % 4 === 0) desk.evict();
      }
      expect(tab.of("error")).toEqual([]);
    });
  });

  test("[Q14] an acknowledgement is written once it is worth 125 events, and no sooner", async () => {
    await atTheDesk(async (desk, storage) => {
      const acked = () => storage.sql.exec("SELECT MAX(acked) AS n FROM events").one().n;
      await fill(desk);
      desk.session.requests.readEvents(who, { since: 124, limit: 1 });
      expect(acked()).toBe(0);
      desk.session.requests.readEvents(who, { since: 125, limit: 1 });
      expect(acked()).toBe(125);
      desk.session.requests.readEvents(who, { since: 249, limit: 1 });
      expect(acked()).toBe(125);
      await publish(desk, notices(1));
      expect(acked()).toBe(249);
    });
  });
});

describe("a notification with a time to live", () => {
  test("[Q15] is delivered until it expires, and never after; one events_skipped covers the hole", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await publish(desk, notices(1));
      await publish(desk, notices(3, { ttl_s: 60 }));
      await publish(desk, notices(1));
      expect(said(tab)).toEqual([1, 2, 3, 4, 5]);
      const epoch = tab.sent[0].payload.epoch;
      desk.advance(59_999);
      expect(said(desk.connect({ epoch, since: "0" }))).toEqual([1, 2, 3, 4, 5]);
      desk.advance(1);
      const late = desk.connect({ epoch, since: "0" });
      expect(said(late)).toEqual([1, { from: 2, to: 4, reason: "expired" }, 5]);
      await desk.send(late, { type: "ack", payload: { seq: 4 } });
      expect(late.of("error")).toEqual([]);
    });
  });

  test("[Q15] is not in a snapshot once it has expired", async () => {
    await atTheDesk(async (desk) => {
      await publish(desk, notices(1, { ttl_s: 60 }));
      await publish(desk, notices(1));
      const shown = () => desk.connect().of("state_snapshot")[0].payload.notifications;
      expect(shown()).toHaveLength(2);
      desk.advance(60_000);
      expect(shown()).toMatchObject([{ seq: 2 }]);
    });
  });

  test("[Q15] a clock set back brings nothing back to life, and a hole at the end is announced too", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const epoch = tab.sent[0].payload.epoch;
      await publish(desk, notices(2));
      await publish(desk, notices(2, { ttl_s: 10 }));
      desk.advance(10_000);
      await desk.session.requests.publish({ who, events: notices(1, { ttl_s: 1 }) });
      desk.now = BEGIN;
      expect(said(desk.connect({ epoch, since: "0" }))).toEqual([
        1,
        2,
        { from: 3, to: 4, reason: "expired" },
        5,
      ]);
      desk.now = BEGIN + 11_000;
      const late = desk.connect({ epoch, since: "0" });
      expect(said(late)).toEqual([1, 2, { from: 3, to: 5, reason: "expired" }]);
      expect(late.sent.at(-1)).toEqual({ type: "replay_completed", payload: { seq: 5 } });
    });
  });
});

describe("reading without a socket", () => {
  test("[S20] gives the frames a socket would have been sent, holes announced, page by page", async () => {
    await atTheDesk(async (desk, storage) => {
      await publish(desk, notices(5));
      await publish(desk, notices(2, { ttl_s: 1 }));
      storage.sql.exec("DELETE FROM events WHERE seq IN (2, 3)");
      desk.advance(1_000);
      const first = desk.session.requests.readEvents(who, { since: 0, limit: 2 });
      if (!first.ok) throw new Error("refused");
      expect(first.value).toMatchObject({ epoch: "id1", head_seq: 7, next: 4 });
      expect(first.value.events.map((text) => JSON.parse(text))).toMatchObject([
        { type: "notification", seq: 1 },
        { type: "events_skipped", payload: { from: 2, to: 3, reason: "trimmed" } },
        { type: "notification", seq: 4 },
      ]);
      const second = desk.session.requests.readEvents(who, { since: 4, limit: 10, epoch: "id1" });
      if (!second.ok) throw new Error("refused");
      expect(second.value.next).toBeUndefined();
      expect(second.value.events.map((text) => JSON.parse(text))).toMatchObject([
        { type: "notification", seq: 5 },
        { type: "events_skipped", payload: { from: 6, to: 7, reason: "expired" } },
      ]);
    });
  });

  test("[S20] a position of another epoch, or ahead of the log, is refused and skips nothing", async () => {
    await atTheDesk(async (desk) => {
      expect(desk.session.requests.readEvents(who, { since: 0, limit: 10 })).toEqual({
        ok: true,
        value: { head_seq: 0, events: [] },
      });
      await publish(desk, notices(2));
      expect(desk.session.requests.readEvents(who, { since: 0, limit: 10, epoch: "other" })).toMatchObject({
        refusal: { code: "state_invalidated", field: "epoch" },
      });
      expect(desk.session.requests.readEvents(who, { since: 3, limit: 10 })).toMatchObject({
        refusal: { code: "ack_ahead", field: "since", limit: 2 },
      });
      await publish(desk, notices(998));
      expect((await publish(desk, notices(1))).ok).toBe(false);
    });
  });

  test("[S20] one page is bounded in bytes", async () => {
    await atTheDesk(async (desk) => {
      for (let i = 0; i < 20; i += 1) await publish(desk, notices(1, { data: "x".repeat(60 * 1024) }));
      const page = desk.session.requests.readEvents(who, { since: 0, limit: 1_000 });
      if (!page.ok) throw new Error("refused");
      expect(page.value).toMatchObject({ next: 18 });
      expect(page.value.events).toHaveLength(18);
    });
  });
});

describe("invalidation", () => {
  test("[S21] closes every socket with 4300; cursors of the old epoch are gaps; nothing is lost", async () => {
    await atTheDesk(async (desk) => {
      const tabs = [desk.connect(), desk.connect()];
      await publish(desk, notices(2));
      const epoch = tabs[0]?.sent[0].payload.epoch;
      expect(desk.session.invalidate()).toEqual({ ok: true, value: undefined });
      for (const tab of tabs) {
        expect(tab.sent.slice(-2)).toMatchObject([
          { type: "error", payload: { code: "state_invalidated", fatal: true } },
          { closed: { code: 4300, reason: "state_invalidated" } },
        ]);
      }
      const back = desk.connect({ epoch, since: "2" });
      expect(back.sent[0].payload).toMatchObject({ resume: "gap", gap_reason: "epoch_changed" });
      expect(back.sent[0].payload.epoch).not.toBe(epoch);
      expect(back.of("state_snapshot")[0].payload.notifications).toHaveLength(2);
      desk.crash();
      expect(desk.connect().sent[0].payload.epoch).toBe(back.sent[0].payload.epoch);
    });
  });

  test("[S21] of a user who does not exist makes none", async () => {
    await atTheDesk(async (desk, storage) => {
      expect(desk.session.invalidate()).toMatchObject({ refusal: { code: "not_found" } });
      expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'meta'").toArray()).toEqual([]);
    });
  });
});
