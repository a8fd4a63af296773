/** Where the money goes: totals by any dimension, what few services make most of it, months, unit costs, untagged share. */
import * as z from "zod/mini";
import type { Tool } from "../../tool.ts";
import { DAYS_PER_MONTH } from "../facts/periods.ts";
import type { Measures } from "../usage/measures.ts";
import { DAY_MS, dateOf, type Series, TOTAL } from "../usage/series.ts";
import { type UsageRow, usageRow } from "./parse-usage.ts";
import { amount, cents, clamp, ours } from "./savings.ts";

const input = z.object({
  rows: z.array(usageRow),
  /** Only rows in this currency count. */
  currency: z.string(),
  /** Days covered, where the rows were daily; otherwise 0, and months are counted. */
  days: amount,
  /** As `parse_usage` gives them; without them there are no unit costs, and months are compared as they are. */
  measures: z.optional(ours<readonly Measures[]>()),
  series: z.optional(ours<readonly Series[]>()),
});

interface Group {
  readonly key: string;
  readonly cost: number;
  readonly share: number;
}

export interface Summary {
  readonly currency: string;
  readonly total: number;
  /** The total scaled to an average month. */
  readonly monthly: number;
  readonly by_category: readonly Group[];
  readonly by_model: readonly Group[];
  readonly by_provider: readonly Group[];
  readonly by_service: readonly Group[];
  /** The fewest services that make four fifths of the cost. */
  readonly pareto?: { readonly services: number; readonly of: number; readonly share: number };
  /** Oldest first. `change` is against the month before, per day where days are known. */
  readonly months: ReadonlyArray<{
    readonly month: string;
    readonly cost: number;
    /** Of the data, where it is daily. */
    readonly days?: number | undefined;
    readonly change?: number | undefined;
  }>;
  /** Money per unit. */
  readonly unit_costs: {
    readonly per_million_tokens?: number | undefined;
    readonly per_gpu_hour?: number | undefined;
    readonly per_request?: number | undefined;
  };
  /** Of the cost; absent where the data has no tags. */
  readonly untagged_share?: number | undefined;
  /** Of input tokens; absent where the data does not tell. */
  readonly cached_share?: number | undefined;
}

type Args = z.infer<typeof input>;

/** The largest; the rest hardly matters. */
const MAX_GROUPS = 6;

const MAX_MONTHS = 12;

/** What "most of it" means. */
const PARETO = 0.8;

export const summarizeSpend: Tool<Args, Summary> = {
  name: "summarize_spend",
  description: "Totals by provider, service, model, category and month; unit costs.",
  input,
  output: ours<Summary>(),
  idempotent: true,
  execute({ rows, currency, days, measures: all = [], series: daily = [] }) {
    const own = rows.filter((row) => row.currency === currency);
    const total = costOf(own);
    const months = new Set(own.map(({ period }) => period).filter(Boolean)).size;
    const by = (key: (row: UsageRow) => string) => grouped(own, key, total);
    const services = by(({ service, model }) => service || model);
    return {
      currency,
      total,
      monthly: cents(days > 1 ? (total / days) * DAYS_PER_MONTH : total / Math.max(1, months)),
      by_category: by(({ category }) => category).slice(0, MAX_GROUPS),
      by_model: by(({ model }) => model).slice(0, MAX_GROUPS),
      by_provider: by(({ provider }) => provider).slice(0, MAX_GROUPS),
      by_service: services.slice(0, MAX_GROUPS),
      ...pareto(services),
      months: monthsOf(
        own,
        daily.find(({ name }) => name === TOTAL),
      ),
      ...units(
        all.find((each) => each.currency === currency),
        total,
      ),
    };
  },
};

function grouped(rows: readonly UsageRow[], key: (row: UsageRow) => string, total: number) {
  return [...Map.groupBy(rows, key)]
    .map(([name, members]) => ({ key: name, cost: costOf(members) }))
    .filter((group) => group.key)
    .toSorted((a, b) => b.cost - a.cost)
    .map((group) => ({ ...group, share: clamp(group.cost / total) }));
}

function pareto(services: readonly Group[]): Pick<Summary, "pareto"> {
  let sum = 0;
  const at = services.findIndex((each) => {
    sum += each.share;
    return sum >= PARETO;
  });
  return at < 0 || services.length < 2
    ? {}
    : { pareto: { services: at + 1, of: services.length, share: clamp(sum) } };
}

/** A month that is not over yet is compared by its days, not by its sum. */
function monthsOf(rows: readonly UsageRow[], daily: Series | undefined): Summary["months"] {
  const rates = daily && perDay(daily);
  const months = grouped(rows, ({ period }) => period, 1).toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return months.slice(-MAX_MONTHS).map(({ key: month, cost }) => {
    const rate = rates ? rates.get(month)?.cost : cost;
    const at = months.findIndex(({ key }) => key === month);
    const earlier = months[at - 1];
    const before = earlier && (rates ? rates.get(earlier.key)?.cost : earlier.cost);
    const days = rates?.get(month)?.days;
    return { month, cost, days, change: rate !== undefined && before ? cents(rate / before - 1) : undefined };
  });
}

/** Cost per day of each month that the days reach back to. */
function perDay({
  from,
  costs,
}: Series): ReadonlyMap<string, { readonly cost: number; readonly days: number }> {
  const days = costs.map((cost, at) => ({ cost, month: dateOf(Date.parse(from) + at * DAY_MS).slice(0, 7) }));
  return new Map(
    [...Map.groupBy(days, ({ month }) => month)].map(([month, own]) => [
      month,
      { cost: own.reduce((sum, { cost }) => sum + cost, 0) / own.length, days: own.length },
    ]),
  );
}

type Units = Pick<Summary, "unit_costs" | "untagged_share" | "cached_share">;

function units(measure: Measures | undefined, total: number): Units {
  if (measure === undefined) return { unit_costs: {} };
  const { tokens, requests, gpu_hours, untagged_cost, input_tokens, cached_tokens } = measure;
  const per = ({ quantity, cost }: { quantity: number; cost: number }, scale = 1) =>
    quantity > 0 ? Math.round((cost / quantity) * scale * 1e6) / 1e6 : undefined;
  return {
    unit_costs: {
      per_million_tokens: per(tokens, 1e6),
      per_gpu_hour: per(gpu_hours),
      per_request: per(requests),
    },
    untagged_share: untagged_cost === undefined ? undefined : clamp(untagged_cost / total),
    cached_share: input_tokens > 0 ? clamp(cached_tokens / input_tokens) : undefined,
  };
}

function costOf(rows: readonly UsageRow[]): number {
  return cents(rows.reduce((sum, { cost }) => sum + cost, 0));
}
