import { describe, expect, test } from "vitest";
import { PING_TEXT, PONG_TEXT } from "../../src/protocol/pure/constants.ts";
import { greeting, refusal, snapshot, thought, userMessage } from "./support/frames.ts";
import { opened, started } from "./support/world.ts";

const PONG = { type: "pong", payload: {} };

describe("liveness", () => {
  test("[C15] 25 s of silence bring a ping, of exactly the bytes that wake nobody", async () => {
    const { world } = await opened();
    await world.advance(24_999);
    expect(world.socket.ofType("ping")).toEqual([]);
    await world.advance(1);
    expect(world.socket.ofType("ping").map((frame) => JSON.stringify(frame))).toEqual([PING_TEXT]);
  });

  test("[C15] whatever the server sends puts the ping off", async () => {
    const { world } = await opened();
    await world.advance(20_000);
    world.socket.receive(userMessage(1));
    await world.advance(24_999);
    expect(world.socket.ofType("ping")).toEqual([]);
    await world.advance(1);
    expect(world.socket.ofType("ping")).toHaveLength(1);
  });

  test("[C15] an answer keeps the connection, ping after ping", async () => {
    const { world, client } = await opened();
    for (let round = 0; round < 5; round += 1) {
      await world.advance(25_000);
      world.socket.receive(PONG);
    }
    await world.advance(20_000);
    expect(client.state.status).toBe("open");
    expect(world.socket.ofType("ping")).toHaveLength(5);
  });

  test("[C15] any frame is an answer", async () => {
    const { world, client } = await opened();
    await world.advance(25_000);
    world.socket.receive(userMessage(1));
    await world.advance(10_000);
    expect(client.state.status).toBe("open");
  });

  test("[C15] no answer for 10 s ends the connection", async () => {
    const { world, client } = await opened();
    await world.advance(34_999);
    expect(client.state.status).toBe("open");
    await world.advance(1);
    expect(client.state).toMatchObject({ status: "waiting", reason: "no_answer" });
  });

  test("[C16] a page that becomes visible asks at once", async () => {
    const { world, client } = await opened();
    world.signal("visible");
    expect(world.socket.ofType("ping")).toHaveLength(1);
    await world.advance(10_000);
    expect(client.state).toMatchObject({ reason: "no_answer" });
  });

  test("[C16] back online, a dead connection is noticed within 2 s", async () => {
    const { world, client } = await opened();
    world.signal("online");
    expect(world.socket.ofType("ping")).toHaveLength(1);
    await world.advance(2_000);
    expect(client.state).toMatchObject({ status: "waiting", reason: "no_answer" });
  });

  test.each(["online", "visible"] as const)("[C16] %s ends the wait for the next attempt", async (signal) => {
    const { world, client } = await opened();
    world.random = 0.99;
    world.socket.drop();
    world.signal(signal);
    await world.advance(0);
    expect(client.state.status).toBe("connecting");
    expect(world.sockets).toHaveLength(2);
    await world.advance(1_000);
    expect(world.sockets).toHaveLength(2);
  });

  test("[C16] an attempt that was begun without a network is begun again with one", async () => {
    const { world } = await started();
    world.signal("online");
    await world.advance(250);
    expect(world.sockets).toHaveLength(2);
    world.socket.receive(greeting());
    world.sockets[0]?.receive(greeting());
    expect(world.sockets[0]?.closed).toBe(true);
  });

  test("[C16] a page that becomes visible does not undo the short probe of coming back online", async () => {
    const { world, client } = await opened();
    world.signal("online");
    await world.advance(1_000);
    world.signal("visible");
    await world.advance(1_000);
    expect(client.state).toMatchObject({ reason: "no_answer" });
  });

  test("[C16] however often a page becomes visible, a dead connection ends after 10 s", async () => {
    const { world, client } = await opened();
    world.signal("visible");
    await world.advance(9_000);
    world.signal("visible");
    await world.advance(1_000);
    expect(client.state).toMatchObject({ reason: "no_answer" });
  });

  test("[C16] the patience a server asked for is not cut short", async () => {
    const { world } = await opened();
    world.socket.receive(refusal("rate_limited", { fatal: true, retry_after_ms: 7_000 }));
    world.socket.drop(4203);
    world.signal("visible");
    await world.advance(6_999);
    expect(world.sockets).toHaveLength(1);
    world.signal("visible");
    await world.advance(1);
    world.signal("visible");
    await world.advance(0);
    expect(world.sockets).toHaveLength(2);
  });

  test("[C16] a stopped client is not woken", async () => {
    const { world, client } = await opened();
    client.close();
    world.signal("online");
    world.signal("visible");
    await world.advance(60_000);
    expect(world.sockets).toHaveLength(1);
  });
});

describe("acknowledgements", () => {
  test("[C14] 16 events are acknowledged at once, cumulatively", async () => {
    const { world } = await opened();
    await world.advance(250);
    for (let seq = 1; seq <= 15; seq += 1) world.socket.receive(thought(seq));
    expect(world.socket.ofType("ack")).toHaveLength(1);
    world.socket.receive(thought(16));
    expect(world.socket.ofType("ack").at(-1)?.payload).toEqual({ seq: 16 });
  });

  test("[C14] fewer are acknowledged after 250 ms", async () => {
    const { world } = await opened();
    await world.advance(250);
    world.socket.receive(userMessage(1), thought(2));
    await world.advance(249);
    expect(world.socket.ofType("ack")).toHaveLength(1);
    await world.advance(1);
    expect(world.socket.ofType("ack").at(-1)?.payload).toEqual({ seq: 2 });
    await world.advance(5_000);
    expect(world.socket.ofType("ack")).toHaveLength(2);
  });

  test("[C14] a page that is hidden acknowledges at once, and only what is new", async () => {
    const { world } = await opened();
    world.socket.receive(userMessage(1));
    world.signal("hidden");
    world.signal("hidden");
    expect(world.socket.ofType("ack").map(({ payload }) => payload)).toEqual([{ seq: 1 }]);
  });

  test("[C14] a duplicate is not acknowledged again", async () => {
    const { world } = await opened();
    world.socket.receive(userMessage(1));
    await world.advance(250);
    world.socket.receive(userMessage(1));
    await world.advance(1_000);
    expect(world.socket.ofType("ack")).toHaveLength(1);
  });

  test("[C14] skipped events and snapshots are acknowledged like events", async () => {
    const { world } = await opened(4);
    await world.advance(250);
    world.socket.receive({ type: "events_skipped", payload: { from: 5, to: 9, reason: "trimmed" } });
    await world.advance(250);
    expect(world.socket.ofType("ack").map(({ payload }) => payload.seq)).toEqual([4, 9]);
  });

  test("[C14] what was not acknowledged when the connection was lost is not sent on the next", async () => {
    const { world } = await opened();
    world.socket.receive(userMessage(1));
    world.socket.drop();
    await world.advance(2_000);
    world.socket.receive(greeting({ resume: "resumed" }));
    await world.advance(1_000);
    expect(world.socket.ofType("ack")).toEqual([]);
    expect(world.socket.url.searchParams.get("since")).toBe("1");
  });

  test("[C26] a server that stops at 256 unacknowledged events never stops for long", async () => {
    const { world, seqs } = await opened();
    for (let sent = 0; seqs.length < 1_000; ) {
      const acked = Number(world.socket.ofType("ack").at(-1)?.payload.seq ?? 0);
      const room = Math.min(acked + 256, 1_000) - sent;
      expect(room).toBeGreaterThan(0);
      for (let i = 0; i < room; i += 1) {
        sent += 1;
        world.socket.receive(userMessage(sent));
      }
    }
    expect(world.now).toBe(0);
    expect(seqs).toHaveLength(1_000);
  });

  test("[C26] nor does one whose window was used up by a client that was waiting for a snapshot", async () => {
    const { world, seqs } = await opened();
    world.socket.receive(userMessage(2));
    for (let seq = 3; seq <= 257; seq += 1) world.socket.receive(userMessage(seq));
    expect(world.socket.ofType("resync")).toHaveLength(1);
    world.socket.receive(snapshot(257));
    await world.advance(250);
    expect(world.socket.ofType("ack").at(-1)?.payload).toEqual({ seq: 257 });
    world.socket.receive(userMessage(258));
    expect(seqs).toEqual([258]);
  });

  test("[C25] a ping of the server is answered at once, in exactly the bytes of a pong", async () => {
    const { world, errors } = await opened();
    world.socket.receive({ type: "ping", payload: {} });
    expect(world.socket.sent.map((frame) => JSON.stringify(frame))).toEqual([PONG_TEXT]);
    await world.advance(24_999);
    expect(world.socket.ofType("ping")).toEqual([]);
    expect(errors).toEqual([]);
  });

  test("[C25] before the greeting a ping is as wrong as anything else", async () => {
    const { world } = await started();
    world.socket.receive({ type: "ping", payload: {} });
    expect(world.socket.sent).toEqual([]);
    expect(world.socket.closed).toBe(true);
  });
});
