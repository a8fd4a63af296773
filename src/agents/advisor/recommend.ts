/** From levers and what they save to ranked recommendations. */
import type { Recommendation } from "../../protocol/report.ts";
import type { Allocation } from "./allocation.ts";
import { type Bucket, LABELS, type Spend } from "./buckets.ts";
import type { Basics } from "./compute-runs.ts";
import type { Facts } from "./facts/message.ts";
import { PLANNING } from "./ledger.ts";
import { LEVERS, type Lever } from "./levers.ts";
import { money } from "./money-text.ts";
import { type Part, SHARES } from "./run.ts";
import type { Ranking } from "./tools/rank-recommendations.ts";
import { cents, percents, type Range } from "./tools/savings.ts";

/** A lever on a bucket, with what it saves there. */
export interface Candidate extends Lever {
  readonly lever: string;
  readonly bucket: Bucket;
  /** The part of the bucket it is on; absent for all of it. */
  readonly part?: Part | undefined;
  readonly share: Range;
  readonly how: string;
  /** Break-even or sensitivity, where the tool gave one. */
  readonly note: string | undefined;
  readonly ids: readonly string[];
}

/** Levers known only as a rule of thumb. */
const RULES: ReadonlyArray<readonly [Bucket, string, Range]> = [
  ["gpu", "quantise", [0.08, 0.15]],
  ["platform", "retention", [0.1, 0.25]],
];

export function candidate(found: Omit<Candidate, keyof Lever>): readonly Candidate[] {
  const known = LEVERS[found.lever];
  return known && found.share[1] > 0 ? [{ ...known, ...found }] : [];
}

/** Nothing is sure of an amount that is assumed itself, or by a share that is. */
export function soberly(each: Candidate, { assumed, basis }: Allocation, { percents }: Facts): Candidate {
  const deciding = new Map([
    ["batch", percents.deferrable],
    ["waste", percents.failed],
  ]);
  const guessed =
    deciding.get(each.lever) === undefined || assumed[each.bucket] !== undefined || basis === "illustration";
  return guessed && each.confidence === "high" ? { ...each, confidence: "medium" } : each;
}

/** Where few buckets are in question rules of thumb count too; otherwise only where nothing is simulated. */
export function ruleCandidates(
  spend: Spend,
  { ledger, wants }: Pick<Basics, "ledger" | "wants">,
): readonly Candidate[] {
  const few = Object.keys(spend).length < 3;
  return RULES.filter(
    ([bucket, lever]) => spend[bucket] && wants(lever) && (few || bucket === "platform"),
  ).flatMap(([bucket, lever, share]) => {
    const how = `rule of thumb, ${percents(share)} of it`;
    const ids = [ledger.assume(SHARES, PLANNING)];
    return candidate({ lever, bucket, share, how, note: undefined, ids });
  });
}

/** What one fleet saves leaves less of that fleet, not of another. */
export function rankArgs({ spend, total, alternatives }: Allocation, candidates: readonly Candidate[]) {
  const parts = candidates.flatMap(({ bucket, part }) => (part ? [[bucket, part] as const] : []));
  const whole = Object.entries(spend).filter(([bucket]) => !parts.some(([own]) => own === bucket));
  const split = parts.map(([, { what, spend: amount }]) => [what, amount] as const);
  return {
    buckets: bucketsOf(Object.fromEntries([...whole, ...split]), total),
    levers: candidates.map(({ lever, bucket, part, share, confidence, effort }) => ({
      lever,
      bucket: part?.what ?? bucket,
      share,
      confidence,
      effort,
    })),
    alternatives: alternatives.map(({ name, spend: other }) => ({ name, buckets: bucketsOf(other, total) })),
  };
}

/** What no lever applies to still counts for the shares. */
function bucketsOf(spend: Readonly<Record<string, number>>, total: number) {
  const buckets: Array<[string, number]> = Object.entries(spend);
  const rest = buckets.reduce((left, [, amount]) => left - amount, total);
  return [...buckets, ["other", rest] as const]
    .map(([bucket, amount]) => ({ bucket, spend: cents(amount) }))
    .filter((each) => each.spend > 0);
}

export function recommendations(
  { spend, currency, assumed, ids }: Allocation,
  { ranked }: Ranking,
  candidates: readonly Candidate[],
): Recommendation[] {
  const found = ranked.flatMap(({ lever, bucket, saving: [low, high] }) =>
    candidates
      .filter((each) => each.lever === lever && (each.part?.what ?? each.bucket) === bucket)
      .map(({ title, steps, risk, confidence, effort, bucket: on, part, how, ids: own }) => ({
        title,
        action_steps: [...steps],
        monthly_saving_low: low,
        monthly_saving_high: high,
        currency,
        confidence,
        effort,
        risk,
        evidence: `${money(part?.spend ?? spend[on] ?? 0, currency)} a month for ${part?.what ?? LABELS[on]}${assumed[on] ? ` (${assumed[on]})` : ""}: ${how}`,
        assumption_ids: [...new Set([...ids, ...own])],
      })),
  );
  return [...Map.groupBy(found, ({ title }) => title).values()].map((same) => same.reduce(merged));
}

/** The same step on two parts of the bill is one step. */
function merged(one: Recommendation, other: Recommendation): Recommendation {
  const how = other.evidence.slice(other.evidence.indexOf(": "));
  const before = one.evidence.endsWith(how) ? `${one.evidence.slice(0, -how.length)}, ` : `${one.evidence}; `;
  return {
    ...one,
    monthly_saving_low: cents(one.monthly_saving_low + other.monthly_saving_low),
    monthly_saving_high: cents(one.monthly_saving_high + other.monthly_saving_high),
    evidence: before + other.evidence,
    assumption_ids: [...new Set([...one.assumption_ids, ...other.assumption_ids])],
  };
}
