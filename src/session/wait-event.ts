/** What is written when a run begins to wait, and where its text goes meanwhile. */
import { MAX_EVENT_BYTES, MAX_WAITING_TEXT_BYTES } from "../protocol/limits.ts";
import { sizeOf } from "./budget.ts";
import { MAX_TEXT_ENTRY_BYTES, type TextEntry } from "./journal-entry.ts";
import type { Run, RunEventDraft } from "./run.ts";
import type { WaitDraft } from "./waits.ts";

/** The event that says what is waited for. */
export function waiting(
  { attempt }: Run,
  { expires_at, ...wait }: WaitDraft,
  wait_id: string,
  text: string,
): RunEventDraft {
  const until = new Date(expires_at).toISOString();
  return (of) => ({
    type: "run_waiting",
    payload: { ...of, ...wait, wait_id, expires_at: until, attempt, ...(text !== "" && { text }) },
  });
}

/** Where the text at a wait goes: into its event, or, where that has no room, beside it. */
export function textAt(wait: WaitDraft | undefined, text: string) {
  if (wait === undefined || text === "") return { shown: "", entries: [] };
  const room = MAX_EVENT_BYTES - MAX_OF_RUN_BYTES - sizeOf(wait);
  if (sizeOf(text) <= Math.min(room, MAX_WAITING_TEXT_BYTES)) return { shown: text, entries: [] };
  return { shown: "", entries: [entryOf(wait.step, text)] };
}

/** Nearly any answer fits whole; of one that is little but escapes there is the beginning. */
function entryOf(step: number, text: string): TextEntry {
  const entry = { step, text };
  return sizeOf(entry) <= MAX_TEXT_ENTRY_BYTES ? entry : entryOf(step, text.slice(0, text.length / 2));
}

/** What every event of a run carries, at most. */
const MAX_OF_RUN_BYTES = 2 * 1024;
