/** One at a time: how long a user waits. */
import { Peer, tokenOf } from "../peer.ts";
import type { Candidate } from "../runtime.ts";
import type { Scenario } from "../scenario.ts";
import { percentile } from "../stats.ts";

export const connect: Scenario = {
  name: "connect",
  against: "durable",
  rounds: 5,
  lines: [
    {
      what: "connect + auth of a fresh user, p50",
      finding: "p50",
      unit: "ms",
      bar: { kind: "ratio", at_most: 1.25 },
    },
  ],
  async measure(candidate, { quick, id }) {
    const times: number[] = [];
    for (let index = 0; index < (quick ? 20 : 80); index += 1) {
      const token = await tokenOf(`connect-${id}-${index}`);
      const begun = performance.now();
      const peer = await Peer.open(candidate, token);
      times.push(performance.now() - begun);
      peer.drop();
    }
    return { p50: percentile(times, 0.5) };
  },
};

export const ack: Scenario = {
  name: "ack",
  against: "durable",
  rounds: 5,
  lines: [
    {
      what: "message → durable ack alone, p50",
      finding: "p50",
      unit: "ms",
      bar: { kind: "ratio", at_most: 1.3 },
    },
    {
      what: "message → durable ack alone, p99",
      finding: "p99",
      unit: "ms",
      bar: { kind: "ratio", at_most: 1.5 },
    },
  ],
  async measure(candidate, { quick, id }) {
    const peer = await Peer.open(candidate, await tokenOf(`ack-${id}`));
    const times = await replies(peer, quick ? 100 : 500);
    peer.drop();
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  },
};

export const fanOut: Scenario = {
  name: "fan-out",
  against: "durable",
  rounds: 3,
  lines: [
    {
      what: "one message to 10 tabs, until the last has it, p50",
      finding: "p50",
      unit: "ms",
      bar: { kind: "none" },
    },
  ],
  async measure(candidate, { quick, id }) {
    const tabs = await open(candidate, `fan-out-${id}`, 10);
    const [first, ...others] = tabs;
    const times: number[] = [];
    for (let index = 0; first !== undefined && index < (quick ? 20 : 100); index += 1) {
      const begun = performance.now();
      const arrivals = [first.next("ack"), ...others.map((tab) => tab.next("message"))];
      first.say("to everybody");
      times.push(Math.max(...(await Promise.all(arrivals))) - begun);
    }
    for (const tab of tabs) tab.drop();
    return { p50: percentile(times, 0.5) };
  },
};

export const firstDelta: Scenario = {
  name: "first-delta",
  against: "durable",
  rounds: 5,
  lines: [
    {
      what: "first delta after a message, p50",
      finding: "p50",
      unit: "ms",
      bar: { kind: "ratio", at_most: 1.3 },
    },
  ],
  async measure(candidate, { quick, id }) {
    const peer = await Peer.open(candidate, await tokenOf(`first-delta-${id}`));
    const times: number[] = [];
    for (let index = 0; index < (quick ? 20 : 100); index += 1) {
      const begun = performance.now();
      const [delta, done] = [peer.next("delta"), peer.next("done")];
      peer.say("a short question", { deltas: 2, pace_ms: 5 });
      times.push((await delta) - begun);
      await done;
    }
    peer.drop();
    return { p50: percentile(times, 0.5) };
  },
};

async function replies(peer: Peer, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const begun = performance.now();
    const reply = peer.next("ack");
    peer.say("a message of ordinary length, as people write them");
    times.push((await reply) - begun);
  }
  return times;
}

async function open(candidate: Candidate, user: string, count: number): Promise<Peer[]> {
  const token = await tokenOf(user);
  return await Promise.all(Array.from({ length: count }, () => Peer.open(candidate, token)));
}
