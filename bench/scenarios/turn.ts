/** A paced answer: what it costs the server, and what it sends. */
import { Peer, tokenOf } from "../peer.ts";
import { cpuMs } from "../process.ts";
import type { Scenario } from "../scenario.ts";

/** Side by side, because the system counts time in steps of 10 ms. */
const TURNS = 10;

export const turn: Scenario = {
  name: "turn",
  against: "durable",
  rounds: 3,
  lines: [
    {
      what: "paced turn of 200 deltas: server CPU",
      finding: "cpu",
      unit: "ms",
      bar: { kind: "ratio", at_most: 0.6 },
    },
    {
      what: "paced turn of 200 deltas: bytes to the client",
      finding: "bytes",
      unit: "bytes",
      bar: { kind: "ratio", at_most: 0.8 },
    },
    { what: "paced turn of 200 deltas: frames", finding: "frames", unit: "frames", bar: { kind: "none" } },
  ],
  async measure(candidate, { quick, id }) {
    const tokens = await Promise.all(
      Array.from({ length: TURNS }, (_, index) => tokenOf(`turn-${id}-${index}`)),
    );
    const peers = await Promise.all(tokens.map((token) => Peer.open(candidate, token)));
    const sum = (of: "bytes" | "frames") => peers.reduce((total, peer) => total + peer[of], 0) / TURNS;
    const before = { bytes: sum("bytes"), frames: sum("frames"), cpu: cpuMs(candidate.pid) };
    const ends = peers.map((peer) => peer.next("done"));
    for (const peer of peers) peer.say("tell me a story", { deltas: 200, pace_ms: quick ? 5 : 10 });
    await Promise.all(ends);
    const after = cpuMs(candidate.pid);
    const cpu = after === undefined || before.cpu === undefined ? undefined : (after - before.cpu) / TURNS;
    const found = { cpu, bytes: sum("bytes") - before.bytes, frames: sum("frames") - before.frames };
    for (const peer of peers) peer.drop();
    return found;
  },
};
