/** What a reconnecting client gets: everything it missed, or the truth that it cannot have it. */
import type { ConnectionEstablished, GapReason, ResumeOutcome } from "../protocol/greeting.ts";
import { REPLAY_WINDOW_BYTES, REPLAY_WINDOW_EVENTS } from "../protocol/limits.ts";
import { type Refusal, refuse } from "../protocol/result.ts";

export interface Cursor {
  readonly epoch?: string | undefined;
  /** As it stood in the query. */
  readonly since?: string | undefined;
}

/** What the decision needs to know of the log. */
export interface LogFacts {
  readonly epoch: string;
  readonly head: number;
  floor(): number;
  bytesAfter(seq: number): number;
}

export interface Resume {
  readonly outcome: ResumeOutcome;
  readonly gap_reason?: GapReason;
  /** Seq of the last event the connection counts as having. */
  readonly cursor: number;
  readonly replay: ConnectionEstablished["payload"]["replay"];
  /** Set if `since` was not a position at all. */
  readonly refusal?: Refusal;
}

/** A cursor is the pair of epoch and seq: neither means anything without the other. */
export function decideResume({ epoch, since }: Cursor, log: LogFacts): Resume {
  const position = since === undefined ? undefined : readPosition(since);
  if (since !== undefined && position === undefined) {
    const { refusal } = refuse("invalid_payload", "since is a whole number from 0", { field: "since" });
    return { ...fresh(log), refusal };
  }
  if (epoch === undefined)
    return position === undefined || position === 0 ? fresh(log) : gap("epoch_changed", log);
  if (epoch !== log.epoch) return gap("epoch_changed", log);
  if (position === undefined) return fresh(log);
  const reason = gapReason(position, log);
  return reason === undefined ? resumed(position, log) : gap(reason, log);
}

/** Each condition on its own line, cheapest first: only the last two read rows. */
function gapReason(since: number, log: LogFacts): GapReason | undefined {
  if (since > log.head) return "ahead";
  if (since === log.head) return undefined;
  if (log.head - since > REPLAY_WINDOW_EVENTS) return "too_far";
  if (since < log.floor() - 1) return "trimmed";
  if (log.bytesAfter(since) > REPLAY_WINDOW_BYTES) return "too_far";
  return undefined;
}

function resumed(since: number, { head }: LogFacts): Resume {
  const replay = since === head ? null : { from: since + 1, to: head };
  return { outcome: "resumed", cursor: since, replay };
}

function fresh({ head }: LogFacts): Resume {
  return { outcome: "fresh", cursor: head, replay: null };
}

function gap(gap_reason: GapReason, { head }: LogFacts): Resume {
  return { outcome: "gap", gap_reason, cursor: head, replay: null };
}

/** Digits only: `1e3`, `-1`, `NaN` and what lies beyond 2^53 are not positions. */
export function readPosition(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
