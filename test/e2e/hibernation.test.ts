/** An object that has nothing to do leaves memory, over real sockets and in real time; the sockets notice nothing. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { PING_TEXT, PONG_TEXT } from "../../src/protocol/pure/constants.ts";
import { inspect, pin } from "./support/inspection.ts";
import { newcomer, type RawClient } from "./support/raw-client.ts";

/** The platform lets an object go after 10 s without work. */
const IDLE_MS = 13_000;
const PING_EVERY_MS = 2_000;

/** Longer than it takes to hibernate, so that the sweep has to wake the object. */
const SWEEP_MS = 12_000;
const TIMEOUT_MS = 1_500;

let server: DevServer;
let sweeping: DevServer;

beforeAll(async () => {
  const config = "test/e2e/support/wrangler.toml";
  const vars = { HEARTBEAT_SWEEP_MS: `${SWEEP_MS}`, HEARTBEAT_TIMEOUT_MS: `${TIMEOUT_MS}` };
  [server, sweeping] = await Promise.all([startDevServer({ config }), startDevServer({ config, vars })]);
});

afterAll(async () => {
  await Promise.all([server?.stop(), sweeping?.stop()]);
});

describe.concurrent("an idle object", () => {
  test("[X5] [N15] hibernates although pings are answered and an alarm is set, and goes on over the same socket", async () => {
    const [tab, silent] = await both(server, "hibernating");
    expect(await tab.say("before")).toBe(1);
    await silent.next(({ seq }) => seq === 1);
    const awake = await inspect(server.url, tab.user_id);
    expect(awake).toMatchObject({ alarms: 1, sockets: 2 });
    const pongs = await stayIdle(tab);
    expect(pongs).toBe(Math.floor(IDLE_MS / PING_EVERY_MS));

    const from = silent.frames.length;
    expect(await tab.say("after")).toBe(2);
    expect(await silent.next(({ type }) => type === "user_message", from)).toMatchObject({ seq: 2 });
    const woken = await inspect(server.url, tab.user_id);
    expect(woken.instance).not.toBe(awake.instance);
    expect(woken).toMatchObject({ sockets: 2, attachments: 2, alarms: 1 });
    for (const client of [tab, silent]) client.close();
  }, 30_000);

  test("[X5] and this would be noticed: one that holds a timer does not hibernate", async () => {
    const [tab] = await both(server, "pinned");
    const { instance } = await inspect(server.url, tab.user_id);
    await pin(server.url, tab.user_id);
    await stayIdle(tab);
    expect(await tab.say("still there")).toBe(1);
    expect((await inspect(server.url, tab.user_id)).instance).toBe(instance);
    tab.close();
  }, 30_000);

  test("[S18] is woken by the sweep, which asks the silent and lets go of who does not answer", async () => {
    const gone = await newcomer(sweeping.url, "swept");
    await gone.say("the last that is heard of me");
    const [pinging, answering] = await both(sweeping, "swept");
    const before = await inspect(sweeping.url, gone.user_id);
    const pings = stayIdle(pinging);
    const asked = answering.next(({ type }) => type === "ping");
    void asked.then(() => answering.send(PONG_TEXT));
    expect(await gone.closed).toMatchObject({ code: 4201, reason: "heartbeat_timeout" });
    expect(gone.frames.slice(-2).map(({ type }) => type)).toEqual(["ping", "error"]);
    await Promise.all([asked, pings]);
    await pause(TIMEOUT_MS + 500);
    // A client that pings is heard without being asked; one that answers may stay.
    expect(pinging.frames.map(({ type }) => type)).not.toContain("ping");
    expect([pinging.isOpen, answering.isOpen]).toEqual([true, true]);
    const after = await inspect(sweeping.url, gone.user_id);
    expect(after.instance).not.toBe(before.instance);
    expect(after).toMatchObject({ sockets: 2, attachments: 2, alarms: 1 });
    for (const client of [pinging, answering]) client.close();
  }, 40_000);
});

async function both({ url }: DevServer, sub: string): Promise<[RawClient, RawClient]> {
  return [await newcomer(url, sub), await newcomer(url, sub)];
}

/** Nothing but the ping that the platform answers by itself; returns how many answers came. */
async function stayIdle(client: RawClient): Promise<number> {
  const from = client.frames.length;
  const end = performance.now() + IDLE_MS;
  for (let at = 0; at + PING_EVERY_MS <= IDLE_MS; at += PING_EVERY_MS) {
    await pause(PING_EVERY_MS);
    client.send(PING_TEXT);
  }
  await pause(end - performance.now());
  return client.frames.slice(from).filter(({ type }) => type === "pong").length;
}
