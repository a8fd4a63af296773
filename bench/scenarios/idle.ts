/** What a user costs who does nothing. */
import { setTimeout as pause } from "node:timers/promises";
import { Peer, tokenOf } from "../peer.ts";
import { memoryKib } from "../process.ts";
import type { Candidate } from "../runtime.ts";
import type { Scenario } from "../scenario.ts";

/** What the first users cost is the runtime's own. */
const WARM_UP = 20;

/** Long enough for what connecting left behind to settle, short of the 10 s after which objects hibernate. */
const SETTLE_MS = { quick: 300, full: 1_000 };

export const memory: Scenario = {
  name: "memory",
  against: "durable",
  rounds: 3,
  fresh: true,
  lines: [
    {
      what: "memory per idle user (one object, one socket)",
      finding: "kib",
      unit: "KiB",
      bar: { kind: "ratio", at_most: 1.2 },
    },
  ],
  async measure(candidate, { quick, id }) {
    const [count, settle_ms] = quick ? [100, SETTLE_MS.quick] : [400, SETTLE_MS.full];
    const first = await users(candidate, `warm-up-${id}`, WARM_UP);
    await pause(settle_ms);
    const before = memoryKib(candidate.pid);
    const rest = await users(candidate, `idle-${id}`, count);
    await pause(settle_ms);
    const after = memoryKib(candidate.pid);
    for (const peer of [...first, ...rest]) peer.drop();
    return { kib: before === undefined || after === undefined ? undefined : (after - before) / count };
  },
};

async function users(candidate: Candidate, prefix: string, count: number): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (let index = 0; index < count; index += 1) {
    peers.push(await Peer.open(candidate, await tokenOf(`${prefix}-${index}`)));
  }
  return peers;
}
