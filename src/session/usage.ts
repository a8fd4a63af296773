/** What models have cost, added up. */
import type { Usage } from "../agents/models/model.ts";

const SUMMED = [
  "input_tokens",
  "output_tokens",
  "total_tokens",
  "reasoning_tokens",
  "cached_input_tokens",
  "cache_write_input_tokens",
] as const;

/** One entry for each model of each provider, in the order in which they were first used. */
export function totals(usages: readonly Usage[]): Usage[] {
  const sums = new Map<string, Usage>();
  for (const usage of usages) {
    const key = JSON.stringify([usage.provider, usage.model]);
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? usage : added(sum, usage));
  }
  return [...sums.values()];
}

function added(one: Usage, other: Usage): Usage {
  const sum = { ...one };
  for (const field of SUMMED) {
    const known = [one[field], other[field]].filter((count) => count !== undefined);
    if (known.length > 0) sum[field] = known.reduce((total, count) => total + count, 0);
  }
  return other.estimated === true ? { ...sum, estimated: true } : sum;
}
