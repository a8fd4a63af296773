/** What is billed: rows written, as the platform counts them, alarms included. */
import { Peer, tokenOf } from "../peer.ts";
import type { Candidate } from "../runtime.ts";
import type { Scenario } from "../scenario.ts";

export const rows: Scenario = {
  name: "rows",
  against: undefined,
  product: "metered",
  rounds: 1,
  fresh: true,
  lines: [
    {
      what: "rows written, first connection",
      finding: "first",
      unit: "rows",
      bar: { kind: "value", at_most: 20 },
    },
    {
      what: "rows written, standard turn",
      finding: "turn",
      unit: "rows",
      bar: { kind: "value", at_most: 14 },
    },
    {
      what: "rows written, standard turn of 1,000 deltas",
      finding: "long",
      unit: "rows",
      bar: { kind: "value", at_most: 14 },
    },
  ],
  async measure(candidate, { id }) {
    const user = `rows-${id}`;
    const peer = await Peer.open(candidate, await tokenOf(user));
    const first = await written(candidate, user);
    const turn = await rowsOf(200);
    const long = await rowsOf(1_000);
    peer.drop();
    return { first, turn, long };

    async function rowsOf(deltas: number): Promise<number> {
      const done = peer.next("done");
      peer.say("a standard question", { deltas, pace_ms: 0, standard: true });
      await done;
      return await written(candidate, user);
    }
  },
};

async function written({ url }: Candidate, user: string): Promise<number> {
  const address = new URL(`/bench/rows?sub=${user}`, url.replace("ws:", "http:"));
  return Number(await (await fetch(address)).text());
}
