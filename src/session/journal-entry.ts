/**
 * What lies in the column `journal` of an event: what models answered a run before it,
 * what was said to the run meanwhile, and a text that the event had no room for. Never
 * sent, and read again by whoever continues the run.
 */

import * as z from "zod/mini";
import type { ModelCall } from "../agents/effects.ts";
import { fingerprint } from "../agents/fingerprint.ts";
import type { ModelUsage } from "../agents/models/model.ts";
import { modelResult, usage } from "../agents/models/result.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import { fitsBytes } from "../protocol/primitives.ts";

const modelEntry = z.object({
  /** Of the effect, as in events. */
  step: z.number(),
  /** What was asked, so that a replay notices if it asks for something else. */
  request: z.string(),
  result: modelResult,
});

/** A call that had begun when something was written: what it answered may be missing. */
const askedEntry = z.object({ step: z.number(), request: z.string(), result: z.optional(z.never()) });

/** What was said while the run was at work, and handed to its agent at this step. */
const steerEntry = z.object({
  step: z.number(),
  steered: z.array(z.object({ message_id: z.string(), content: z.string() })),
});

/** The answer at a wait, where its event has no room for it. */
const textEntry = z.object({ step: z.number(), text: z.string() });

export type ModelEntry = z.infer<typeof modelEntry>;
export type SteerEntry = z.infer<typeof steerEntry>;
export type TextEntry = z.infer<typeof textEntry>;
export type AskedEntry = z.infer<typeof askedEntry>;
export type JournalEntry = ModelEntry | AskedEntry | SteerEntry | TextEntry;

export const journalEntry = z.union([modelEntry, askedEntry, steerEntry, textEntry]);

const journal = z.array(journalEntry);

export function isModelEntry(entry: JournalEntry): entry is ModelEntry {
  return "result" in entry && entry.result !== undefined;
}

export function isSteerEntry(entry: JournalEntry): entry is SteerEntry {
  return "steered" in entry;
}

export function isTextEntry(entry: JournalEntry): entry is TextEntry {
  return "text" in entry;
}

export function isAskedEntry(entry: JournalEntry): entry is AskedEntry {
  return "request" in entry && !isModelEntry(entry);
}

const costs = z.array(
  z.object({ step: z.optional(z.number()), result: z.optional(z.object({ usage: z.optional(usage) })) }),
);

/** Undefined where there is nothing to keep: the column stays empty. */
export function journalText(entries: readonly JournalEntry[]): string | undefined {
  return entries.length === 0 ? undefined : JSON.stringify(entries);
}

// A row may have 2 MB (https://developers.cloudflare.com/durable-objects/platform/limits/): an event of up to
// 256 KiB, what a model answered, what was said meanwhile, and the text at a wait, as JSON, have room in one.

/** Of what a model answered: an answer that is longer counts as one that nobody can use. */
export const MAX_MODEL_ENTRY_BYTES = 1024 * 1024;

/** Of what is said meanwhile, at one step; the rest is said at the next. */
export const MAX_STEER_ENTRY_BYTES = 256 * 1024;

/** Of the text at a wait: twice what an answer may have, for each of its characters may need an escape. */
export const MAX_TEXT_ENTRY_BYTES = 520 * 1024;

/** Beside the longest answer in the last row of a run. */
const MAX_LAST_BYTES = 256 * 1024;

/** What lies in the column where something was too long for it: a journal without it is not whole. */
export const LEFT_OUT = "[]";

/** As `journalText`, for the last event of a run, which has to be written whatever was said. */
export function lastJournalText(entries: readonly JournalEntry[]): string | undefined {
  const text = journalText(entries);
  return text === undefined || fitsBytes(text, MAX_LAST_BYTES) ? text : LEFT_OUT;
}

/** What lies in the column of one event. */
export function journalEntries(text: string): JournalEntry[] {
  return journal.parse(JSON.parse(text));
}

/** What the calls have cost that these say. */
export function costsOf(entries: readonly JournalEntry[]): ModelUsage[] {
  return entries.flatMap((entry) => {
    if (!isModelEntry(entry) || entry.result.usage === undefined) return [];
    return [{ ...entry.result.usage, step: entry.step }];
  });
}

/** What the calls have cost that lie in the column of one event. */
export function usageEntries(text: string): ModelUsage[] {
  return costs
    .parse(JSON.parse(text))
    .flatMap(({ step, result }) => (result?.usage === undefined ? [] : [{ step, ...result.usage }]));
}

/** Tells one request from another. */
export function requestKey({ model, request }: ModelCall): string {
  return fingerprint(canonicalJson({ provider: model.provider, model: model.model_id, request }));
}
