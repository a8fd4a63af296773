/** What a reader is given, over a socket or without, held against what was written. */
import type { History } from "./history.ts";
import { insist } from "./insist.ts";
import { select } from "./rows.ts";

type Seen = Pick<History, "ledger" | "world">;

/** Nothing is delivered after its time. */
export function insistOnLife({ ledger, world: { now } }: Seen, seqs: readonly number[]): void {
  for (const seq of seqs) {
    const expires_at = ledger.at(seq)?.expires_at ?? null;
    const alive = expires_at === null || expires_at > now;
    insist(alive, "what has expired is not sent", { seq, expires_at, now });
  }
}

export interface Hole {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Nothing is said to be gone that is there, or to be gone for another reason than it is. */
export function insistOnHole({ ledger, world }: Seen, { from, to, reason }: Hole): void {
  const time = ledger.conversation.time(world.now);
  for (let seq = from; seq <= to; seq += 1) {
    const erased = ledger.erasures.has(seq);
    const sound = erased ? reason !== "expired" : reason !== "erased";
    insist(sound, "what is gone is gone for the reason that is told", { seq, reason });
  }
  // Rows that are empty are still there; what was trimmed is not.
  const trimmed = reason !== "trimmed" ? [] : select(world, `WHERE seq BETWEEN ${from} AND ${to}`);
  insist(trimmed.length === 0, "what is gone is gone for the reason that is told", trimmed[0]);
  const claimed = ledger.between(from, to).filter(({ expires_at }) => (expires_at ?? time + 1) > time);
  if (claimed.length === 0) return;
  // Retention may have been there since the log was last looked at as a whole.
  const kept = select(world, `WHERE seq IN (${claimed.map(({ seq }) => seq).join(",")})`);
  insist(kept.length === 0, "nothing is said to be gone that is there", kept[0]);
}

/** A page is the log as it is, every hole announced. */
export function insistOnPage(history: Seen, since: number, frames: readonly string[]): void {
  let position = since;
  for (const text of frames) {
    const { type, seq, payload } = JSON.parse(text);
    const { from, to } = type === "events_skipped" ? payload : { from: seq, to: seq };
    insist(from === position + 1, "a page has no gap", { position, from });
    if (seq === undefined) insistOnHole(history, payload);
    else insist(history.ledger.at(seq)?.frame === text, "a page shows what was written", text);
    position = to;
  }
  insist(position <= history.ledger.head, "a page ends in the log", position);
}
