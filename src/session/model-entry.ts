/**
 * What a model answered, in the column `journal` of the first event that was
 * committed after it: never sent, and read again by whoever continues the run.
 */
import * as z from "zod/mini";
import type { ModelCall } from "../agents/effects.ts";
import { fingerprint } from "../agents/fingerprint.ts";
import { modelResult } from "../agents/models/result.ts";
import { canonicalJson } from "../protocol/canonical.ts";

const modelEntry = z.object({
  /** Of the effect, as in events. */
  step: z.number(),
  /** What was asked, so that a replay notices if it asks for something else. */
  request: z.string(),
  result: modelResult,
});

export type ModelEntry = z.infer<typeof modelEntry>;

const journal = z.array(modelEntry);

/** Undefined where there is nothing to keep: the column stays empty. */
export function journalText(entries: readonly ModelEntry[]): string | undefined {
  return entries.length === 0 ? undefined : JSON.stringify(entries);
}

/** What lies in the column of one event. */
export function journalEntries(text: string): ModelEntry[] {
  return journal.parse(JSON.parse(text));
}

/** Tells one request from another. */
export function requestKey({ model, request }: ModelCall): string {
  return fingerprint(canonicalJson({ provider: model.provider, model: model.model_id, request }));
}
