/**
 * What a model answered, in the column `journal` of the first event that was
 * committed after it: never sent, and read again by whoever continues the run.
 */
import * as z from "zod/mini";
import type { ModelCall } from "../agents/effects.ts";
import { modelResult } from "../agents/models/result.ts";
import { canonicalJson } from "../protocol/canonical.ts";

const modelEntry = z.object({
  /** Of the effect, as in events. */
  step: z.number(),
  /** What was asked, so that a replay notices if it asks for something else. */
  request: z.string(),
  result: modelResult,
});

/** What was said while the run was at work, and handed to its agent at this step. */
const steerEntry = z.object({
  step: z.number(),
  steered: z.array(z.object({ message_id: z.string(), content: z.string() })),
});

export type ModelEntry = z.infer<typeof modelEntry>;
export type SteerEntry = z.infer<typeof steerEntry>;
export type JournalEntry = ModelEntry | SteerEntry;

const journal = z.array(z.union([modelEntry, steerEntry]));

export function isModelEntry(entry: JournalEntry): entry is ModelEntry {
  return "result" in entry;
}

/** Undefined where there is nothing to keep: the column stays empty. */
export function journalText(entries: readonly JournalEntry[]): string | undefined {
  return entries.length === 0 ? undefined : JSON.stringify(entries);
}

/** What lies in the column of one event. */
export function journalEntries(text: string): JournalEntry[] {
  return journal.parse(JSON.parse(text));
}

/**
 * Tells one request from another, for less than keeping it: FNV-1a over its JSON
 * (draft-eastlake-fnv, 32 bits), and its length. Nobody is kept out by it.
 */
export function requestKey({ model, request }: ModelCall): string {
  const text = canonicalJson({ provider: model.provider, model: model.model_id, request });
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return `${text.length}-${(hash >>> 0).toString(16)}`;
}
