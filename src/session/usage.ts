/** What models have cost, added up. */
import { dollars } from "../agents/models/cost.ts";
import type { ModelUsage, Usage } from "../agents/models/model.ts";
import { usage as usageSchema } from "../agents/models/result.ts";

const SUMMED = [
  "input_tokens",
  "output_tokens",
  "total_tokens",
  "reasoning_tokens",
  "cached_input_tokens",
  "cache_write_input_tokens",
  "cost_usd",
] as const;

/** One entry for each model of each provider, in the order in which they were first used. */
export function totals(usages: readonly ModelUsage[]): Usage[] {
  const sums = new Map<string, Usage>();
  for (const { step: _, ...usage } of usages) {
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
    if (known.length > 0) sum[field] = dollars(known.reduce((total, count) => total + count, 0));
  }
  return other.estimated === true ? { ...sum, estimated: true } : sum;
}

/** What a feeder says of usage, as far as it is in our words. */
export function saidUsage(said: readonly unknown[]): Usage[] {
  return said.flatMap((one) => {
    const parsed = usageSchema.safeParse(one);
    return parsed.success ? [parsed.data] : [];
  });
}
