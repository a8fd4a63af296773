/** Many at once: how much an object, and a process, can take. */
import { Peer, tokenOf } from "../peer.ts";
import type { Candidate } from "../runtime.ts";
import type { Scenario } from "../scenario.ts";
import { percentile } from "../stats.ts";

const CONTENT = "a message of ordinary length, as people write them";

export const pipelined: Scenario = {
  name: "pipelined",
  against: "grouped",
  rounds: 5,
  lines: [
    {
      what: "pipelined messages of one user",
      finding: "rate",
      unit: "/s",
      bar: { kind: "ratio", at_least: 0.4 },
    },
  ],
  async measure(candidate, { quick, id }) {
    const count = quick ? 2_000 : 10_000;
    const [peer] = await users(candidate, `pipelined-${id}`, 1);
    if (peer === undefined) return {};
    const begun = performance.now();
    const last = peer.next("ack", count);
    peer.sayAll(count, CONTENT);
    const rate = (count * 1_000) / ((await last) - begun);
    peer.drop();
    return { rate };
  },
};

/** A user of the crowd waits for the replies to this many before the next ones. */
const BURST = 10;

export const crowd: Scenario = {
  name: "crowd",
  against: "grouped",
  rounds: 5,
  lines: [
    {
      what: "50 users at once, ten messages each at a time",
      finding: "rate",
      unit: "/s",
      bar: { kind: "ratio", at_least: 0.6 },
    },
  ],
  async measure(candidate, { quick, id }) {
    const bursts = quick ? 4 : 20;
    const peers = await users(candidate, `crowd-${id}`, 50);
    const begun = performance.now();
    await Promise.all(peers.map((peer) => talk(peer, bursts)));
    const rate = (peers.length * bursts * BURST * 1_000) / (performance.now() - begun);
    for (const peer of peers) peer.drop();
    return { rate };
  },
};

async function talk(peer: Peer, bursts: number): Promise<void> {
  for (let burst = 0; burst < bursts; burst += 1) {
    const replies = peer.next("ack", BURST);
    peer.sayAll(BURST, CONTENT);
    await replies;
  }
}

/** Everybody asks in the same moment, again and again; each answer is a whole turn. */
export const busy: Scenario = {
  name: "25-users",
  against: "durable",
  rounds: 3,
  lines: [
    { what: "25 users, ack p99", finding: "ack", unit: "ms", bar: { kind: "value", at_most: 50 } },
    { what: "25 users, first event p99", finding: "event", unit: "ms", bar: { kind: "value", at_most: 100 } },
  ],
  async measure(candidate, { quick, id }) {
    const peers = await users(candidate, `busy-${id}`, 25);
    const found = { ack: [] as number[], event: [] as number[] };
    for (let round = 0; round < (quick ? 2 : 8); round += 1) {
      await Promise.all(peers.map((peer) => turn(peer, found)));
    }
    for (const peer of peers) peer.drop();
    return { ack: percentile(found.ack, 0.99), event: percentile(found.event, 0.99) };
  },
};

async function turn(peer: Peer, found: { ack: number[]; event: number[] }): Promise<void> {
  const begun = performance.now();
  const [reply, event, done] = [peer.next("ack"), peer.next("event"), peer.next("done")];
  peer.say("a question that everybody asks", { deltas: 10, pace_ms: 0, standard: true });
  found.ack.push((await reply) - begun);
  found.event.push((await event) - begun);
  await done;
}

async function users(candidate: Candidate, prefix: string, count: number): Promise<Peer[]> {
  const tokens = await Promise.all(
    Array.from({ length: count }, (_, index) => tokenOf(`${prefix}-${index}`)),
  );
  return await Promise.all(tokens.map((token) => Peer.open(candidate, token)));
}
