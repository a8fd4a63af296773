/**
 * What a run waits for: an approval, a tool that a client executes, a signal from
 * elsewhere, or nothing but the time. A run that waits has a row and no code; an
 * answer has it replayed up to where it was.
 */
import * as z from "zod/mini";
import { type Decision, type WaitKind, waitKind } from "../protocol/run-events.ts";
import type { LogReader } from "./log-reader.ts";
import type { Run } from "./run.ts";
import { readEvent } from "./stored-event.ts";

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

/** The text of a run that does not stream, as its newest wait has it; nothing of an attempt that has died. */
export function waitedText(log: LogReader, { run_id, start_seq, state, attempt }: Run): string {
  if (state !== "waiting" && (state !== "queued" || attempt === 0)) return "";
  const waits = log.typeOfRun(run_id, start_seq, "run_waiting").map(readEvent);
  const texts = waits.flatMap((event) => (event?.type === "run_waiting" ? (event.payload.text ?? []) : []));
  return texts.at(-1) ?? "";
}

/** How long somebody has, if nothing else is said. */
export const DEFAULT_WAIT_MS = 24 * 60 * 60 * 1_000;

/** Beyond this nobody remembers what was asked. */
const MAX_WAIT_MS = 366 * 24 * 60 * 60 * 1_000;

/** A time in the past is over at once; one that is no time is the default. */
export function expiryOf(until: string | undefined, now: number): number {
  const at = Date.parse(until ?? "");
  return Number.isNaN(at) ? now + DEFAULT_WAIT_MS : Math.min(at, now + MAX_WAIT_MS);
}
