/**
 * What a model answered, in the column `journal` of the first event that was
 * committed after it: never sent, and read again by whoever continues the run.
 */
import * as z from "zod/mini";
import type { ModelCall } from "../agents/effects.ts";
import { modelResult, usage } from "../agents/models/result.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import type { ModelUsage } from "./rpc.ts";

const modelEntry = z.object({
  /** Of the effect, as in events. */
  step: z.number(),
  /** What was asked, so that a replay notices if it asks for something else. */
  request: z.string(),
  result: modelResult,
});

export type ModelEntry = z.infer<typeof modelEntry>;

const journal = z.array(modelEntry);

const costs = z.array(
  z.object({ step: z.optional(z.number()), result: z.object({ usage: z.optional(usage) }) }),
);

/** Undefined where there is nothing to keep: the column stays empty. */
export function journalText(entries: readonly ModelEntry[]): string | undefined {
  return entries.length === 0 ? undefined : JSON.stringify(entries);
}

/** What lies in the column of one event. */
export function journalEntries(text: string): ModelEntry[] {
  return journal.parse(JSON.parse(text));
}

/** What is written with the end of a run, in the same column: there is nothing left to replay, only what it cost. */
export function usageText(spent: readonly ModelUsage[]): string | undefined {
  return spent.length === 0
    ? undefined
    : JSON.stringify(spent.map(({ step, ...usage }) => ({ step, result: { usage } })));
}

/** What the calls have cost that lie in the column of one event. */
export function usageEntries(text: string): ModelUsage[] {
  return costs
    .parse(JSON.parse(text))
    .flatMap(({ step, result }) => (result.usage === undefined ? [] : [{ step, ...result.usage }]));
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
