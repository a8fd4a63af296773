import { describe, expect, test } from "vitest";
import { ACK_COST, Pace, RESYNC_COST } from "../../src/client/pace.ts";
import { greeting, messageAck, refusal, snapshot, thought } from "./support/frames.ts";
import { opened, started } from "./support/world.ts";

const limits = { commands_per_s: 30, commands_burst: 60 };

async function openedWithRate(rate = limits) {
  const made = await started();
  made.world.socket.receive(greeting({ limits: rate }), snapshot(0));
  return made;
}

describe("the pace", () => {
  test("[C24] takes 80 % of burst and rate, whatever is spent on what cannot wait", () => {
    let now = 0;
    const pace = new Pace(() => now);
    pace.begin({ per_s: 10, burst: 10 });
    for (let i = 0; i < 8; i += 1) expect(pace.take()).toBe(0);
    expect([pace.take(), pace.low]).toEqual([125, true]);
    now = 125;
    pace.spend(ACK_COST);
    expect(pace.take()).toBe(13);
    now = 138;
    expect(pace.take()).toBe(0);
  });

  test("[C24] without a rate waits for nothing, but for the server's own word", () => {
    let now = 5;
    const pace = new Pace(() => now);
    for (let i = 0; i < 500; i += 1) expect(pace.take(RESYNC_COST)).toBe(0);
    expect(pace.low).toBe(false);
    pace.hold(40);
    pace.hold(20);
    expect([pace.take(), pace.low]).toEqual([40, true]);
    now = 45;
    expect([pace.take(), pace.low]).toEqual([0, false]);
  });

  test("[C24] what costs more than the whole burst still goes, once everything is there", () => {
    const pace = new Pace(() => 0);
    pace.begin({ per_s: 1, burst: 2 });
    expect(pace.take(RESYNC_COST)).toBe(0);
    expect(pace.take()).toBeGreaterThan(0);
  });

  test("[C24] a snapshot asked for by the application is counted as the server counts it", async () => {
    const { world, client } = await openedWithRate();
    for (let i = 0; i < 20; i += 1) client.resync().catch(() => {});
    expect(world.socket.ofType("resync")).toHaveLength(Math.floor((60 * 0.8) / RESYNC_COST));
    client.close();
  });

  test("[C24] a snapshot that mends a hole is not waited for, but counted", async () => {
    const { world, client } = await openedWithRate();
    await world.advance(1_000);
    world.socket.receive(thought(2));
    expect(world.socket.ofType("resync")).toHaveLength(1);
    for (let i = 0; i < 100; i += 1) client.send(`m${i}`).catch(() => {});
    expect(world.socket.ofType("user_message")).toHaveLength(60 * 0.8 - RESYNC_COST);
    client.close();
  });

  test("[C24] rate_limited that does not say for how long is no reason to try without end", async () => {
    const { world, client } = await opened();
    void client.send("a");
    const refuse = () =>
      world.socket.receive(refusal("rate_limited", {}, world.socket.ofType("user_message").at(-1)?.id));
    refuse();
    expect(world.socket.ofType("user_message")).toHaveLength(1);
    await world.advance(999);
    expect(world.socket.ofType("user_message")).toHaveLength(1);
    await world.advance(1);
    expect(world.socket.ofType("user_message")).toHaveLength(2);
  });
});

describe("acknowledgements of a client that is busy sending", () => {
  async function busy() {
    const made = await openedWithRate();
    await made.world.advance(250);
    for (let i = 0; i < 100; i += 1) made.client.send(`m${i}`).catch(() => {});
    return { ...made, before: made.world.socket.ofType("ack").length };
  }

  test("[C26] wait for each other, for 250 ms at most", async () => {
    const { world, before } = await busy();
    for (let seq = 1; seq <= 200; seq += 1) world.socket.receive(thought(seq));
    expect(world.socket.ofType("ack")).toHaveLength(before);
    await world.advance(250);
    expect(
      world.socket
        .ofType("ack")
        .slice(before)
        .map(({ payload }) => payload),
    ).toEqual([{ seq: 200 }]);
  });

  test("[C26] are not held back by a server that has paused the commands", async () => {
    const { world, client, seqs } = await opened();
    await world.advance(250);
    void client.send("a");
    const [a] = world.socket.ofType("user_message");
    world.socket.receive(refusal("rate_limited", { retry_after_ms: 60_000 }, a?.id));
    for (let sent = 0, rounds = 0; seqs.length < 1_000; rounds += 1) {
      const acked = Number(world.socket.ofType("ack").at(-1)?.payload.seq ?? 0);
      for (const end = Math.min(acked + 256, 1_000); sent < end; ) {
        sent += 1;
        world.socket.receive(thought(sent));
      }
      await world.advance(250);
      expect(rounds).toBeLessThan(8);
    }
    expect(world.socket.ofType("user_message")).toHaveLength(1);
  });

  test("[C26] one that was refused is sent again when the server says, and is nobody else's problem", async () => {
    const { world, errors } = await opened();
    await world.advance(250);
    for (let seq = 1; seq <= 16; seq += 1) world.socket.receive(thought(seq));
    const before = world.socket.ofType("ack").length;
    world.socket.receive(refusal("rate_limited", { retry_after_ms: 400 }));
    await world.advance(399);
    expect(world.socket.ofType("ack")).toHaveLength(before);
    await world.advance(1);
    expect(
      world.socket
        .ofType("ack")
        .slice(before)
        .map(({ payload }) => payload),
    ).toEqual([{ seq: 16 }]);
    expect(errors).toEqual([]);
  });

  test("[C18] a client closed by who hears of the refusal leaves no timer", async () => {
    const { world, client } = await opened(3);
    client.on("frame", ({ type }) => type === "error" && client.close());
    world.socket.receive(refusal("rate_limited", { retry_after_ms: 400 }));
    expect([client.state.status, world.timers]).toEqual(["stopped", 0]);
  });

  test("[C26] one that was refused is not carried over to the next connection", async () => {
    const { world } = await opened(3);
    await world.advance(250);
    world.socket.receive(refusal("rate_limited", { retry_after_ms: 400 }));
    world.socket.drop();
    await world.advance(2_000);
    world.socket.receive(greeting({ resume: "resumed" }), messageAck("nobody", 1));
    await world.advance(1_000);
    expect(world.socket.ofType("ack")).toEqual([]);
  });
});
