/**
 * Orders levers by saving × confidence ÷ effort and adds them up without
 * counting anything twice: in a bucket each lever saves a share of what the
 * ones before it have left, which comes to bucket × (1 − ∏(1 − sᵢ)).
 */
import * as z from "zod/mini";
import type { Tool } from "../../tool.ts";
import { amount, cents, clamp, ours, type Range, rounded, shares } from "./savings.ts";

const level = z.enum(["low", "medium", "high"]);
const buckets = z.array(z.object({ bucket: z.string(), spend: amount }));

const lever = z.object({
  lever: z.string(),
  bucket: z.string(),
  share: shares,
  confidence: level,
  effort: level,
});

const input = z.object({
  buckets,
  levers: z.array(lever),
  /** The same levers on other splits of the spend. */
  alternatives: z.array(z.object({ name: z.string(), buckets })),
});

interface Totals {
  readonly total: Range;
  readonly share: Range;
}

export interface Ranking extends Totals {
  readonly ranked: ReadonlyArray<{
    readonly lever: string;
    readonly bucket: string;
    readonly saving: Range;
    readonly score: number;
  }>;
  readonly alternatives: ReadonlyArray<Totals & { readonly name: string }>;
}

type Args = z.infer<typeof input>;
type Lever = z.infer<typeof lever>;
type Buckets = z.infer<typeof buckets>;

const CONFIDENCE = { low: 0.35, medium: 0.6, high: 0.9 } as const;
const EFFORT = { low: 1, medium: 2, high: 3 } as const;

export const rankRecommendations: Tool<Args, Ranking> = {
  name: "rank_recommendations",
  description: "Orders levers.",
  input,
  output: ours<Ranking>(),
  idempotent: true,
  execute({ buckets: split, levers, alternatives }) {
    const ranked = rank(split, levers);
    return {
      ranked,
      ...sum(ranked, split),
      alternatives: alternatives.map(({ name, buckets: other }) => ({
        name,
        ...sum(rank(other, levers), other),
      })),
    };
  },
};

function rank(split: Buckets, levers: readonly Lever[]): Ranking["ranked"] {
  const left = new Map<string, Range>(split.map(({ bucket, spend }) => [bucket, [spend, spend]]));
  const shown = new Map(split.map(({ bucket, spend }) => [bucket, spend]));
  const scored = levers
    .map((each) => ({ ...each, score: cents(score(each, left.get(each.bucket)?.[0] ?? 0)) }))
    .filter((each) => each.score > 0);
  // The same lever on several parts of the bill is one step, and comes at once.
  const all = (name: string) =>
    scored.reduce((sum, { lever: own, score: more }) => sum + (own === name ? more : 0), 0);
  return scored
    .toSorted((a, b) => all(b.lever) - all(a.lever) || b.score - a.score)
    .map((each) => {
      const rest = left.get(each.bucket) ?? [0, 0];
      const [low, high] = [rest[0] * each.share[0], rest[1] * each.share[1]];
      left.set(each.bucket, [rest[0] - low, rest[1] - high]);
      // The high end leaves less for late levers; their low end then gives way, or the sum would pass the bucket.
      const most = Math.min(rounded(high), shown.get(each.bucket) ?? 0);
      shown.set(each.bucket, cents((shown.get(each.bucket) ?? 0) - most));
      const saving: Range = [Math.min(rounded(low), most), most];
      return { lever: each.lever, bucket: each.bucket, saving, score: each.score };
    });
}

function score({ share, confidence, effort }: Lever, spend: number): number {
  return ((spend * (share[0] + share[1])) / 2) * (CONFIDENCE[confidence] / EFFORT[effort]);
}

function sum(ranked: Ranking["ranked"], split: Buckets): Totals {
  const spend = split.reduce((all, each) => all + each.spend, 0);
  const at = (end: 0 | 1) => cents(ranked.reduce((all, { saving }) => all + saving[end], 0));
  const total: Range = [at(0), at(1)];
  return { total, share: [clamp(total[0] / spend), clamp(total[1] / spend)] };
}
