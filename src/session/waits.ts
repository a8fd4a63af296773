/**
 * What a run waits for: an approval, a tool that a client executes, a signal from
 * elsewhere, or nothing but the time. A run that waits has a row and no code; an
 * answer has it replayed up to where it was.
 */
import * as z from "zod/mini";
import { type Decision, type WaitKind, waitKind } from "../protocol/run-events.ts";
import { isTextEntry, journalEntries } from "./journal-entry.ts";
import type { LogReader } from "./log-reader.ts";
import type { Run } from "./run.ts";
import { readEvents } from "./stored-event.ts";

/** An open wait, as the row of its run has it. */
export const openWait = z.object({
  wait_id: z.string(),
  kind: waitKind,
  /** Milliseconds since the epoch. */
  expires_at: z.number(),
});

export type OpenWait = z.infer<typeof openWait>;

/** A wait that is about to begin. */
export interface WaitDraft {
  readonly kind: WaitKind;
  readonly step: number;
  readonly tool_call_id?: string;
  readonly tool_name?: string;
  readonly args?: unknown;
  readonly name?: string | undefined;
  readonly reason?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
}

/** As it was recorded. */
export interface RecordedAnswer {
  readonly decision: Decision;
  readonly value?: unknown;
}

/** The text of a run at its newest wait: on disk, whatever became of it since. */
export function waitedText(log: LogReader, { run_id, start_seq }: Run): string {
  const shown = readEvents(log.typeOfRun(run_id, start_seq, "run_waiting")).flatMap((event) =>
    event.type === "run_waiting" ? (event.payload.text ?? []) : [],
  );
  const kept = log.journalOf(run_id, start_seq).flatMap(journalEntries).filter(isTextEntry);
  // A text only grows.
  return [...shown, ...kept.map(({ text }) => text)].reduce(longer, "");
}

export function longer(one: string, other: string): string {
  return other.length > one.length ? other : one;
}

/** How long somebody has, if nothing else is said. */
const DEFAULT_WAIT_MS = 24 * 60 * 60 * 1_000;

/** Beyond this nobody remembers what was asked. */
const MAX_WAIT_MS = 366 * 24 * 60 * 60 * 1_000;

/** @param until ISO 8601. A time in the past is over at once; one that is no time is the default. */
export function expiryOf(until: string | undefined, now: number): number {
  return expiryAfter(Date.parse(until ?? "") - now, now);
}

/** Whatever an agent says, it is a time that an event can name. */
export function expiryAfter(ms: number | undefined, now: number): number {
  const wanted = ms === undefined || Number.isNaN(ms) ? DEFAULT_WAIT_MS : ms;
  return now + Math.min(Math.max(0, wanted), MAX_WAIT_MS);
}
