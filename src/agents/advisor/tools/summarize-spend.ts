/** Where the money goes: totals by dimension, month over month, and cost per unit. */
import * as z from "zod/mini";
import type { Tool } from "../../effects.ts";
import { DAYS_PER_MONTH } from "../facts/periods.ts";
import { type UsageRow, usageRow } from "./parse-usage.ts";
import { amount, cents, clamp, share } from "./savings.ts";

const input = z.object({
  rows: z.array(usageRow),
  /** Only rows in this currency count. */
  currency: z.string(),
  /** Days covered, where the rows were daily; otherwise 0, and months are counted. */
  days: amount,
});

const groups = z.array(z.object({ key: z.string(), cost: amount, share }));

const output = z.object({
  currency: z.string(),
  total: amount,
  /** The total scaled to an average month. */
  monthly: amount,
  by_category: groups,
  by_model: groups,
  month_over_month: z.array(z.object({ period: z.string(), cost: amount, change: z.number() })),
});

type Args = z.infer<typeof input>;
export type Summary = z.infer<typeof output>;

/** The largest; the rest hardly matters. */
const MAX_GROUPS = 6;

export const summarizeSpend: Tool<Args, Summary> = {
  name: "summarize_spend",
  description: "Totals by category, provider and model, month over month, unit costs.",
  input,
  output,
  idempotent: true,
  execute({ rows, currency, days }) {
    const own = rows.filter((row) => row.currency === currency);
    const total = costOf(own);
    const by = (key: (row: UsageRow) => string) =>
      grouped(own, key)
        .toSorted((a, b) => b.cost - a.cost)
        .slice(0, MAX_GROUPS)
        .map(({ key: name, cost }) => ({ key: name, cost, share: clamp(cost / total) }));
    const months = grouped(own, ({ period }) => period).toSorted((a, b) => (a.key < b.key ? -1 : 1));
    return {
      currency,
      total,
      monthly: cents(days > 1 ? (total / days) * DAYS_PER_MONTH : total / Math.max(1, months.length)),
      by_category: by(({ category }) => category),
      by_provider: by(({ provider }) => provider),
      by_model: by(({ model }) => model),
      month_over_month: months.slice(1).map(({ key, cost }, index) => {
        const before = months[index]?.cost ?? 0;
        return { period: key, cost, change: before > 0 ? Math.round((cost / before - 1) * 1e4) / 1e4 : 0 };
      }),
      unit_cost: grouped(own, ({ model, service, unit, quantity }) =>
        quantity > 0 ? `${model || service} per 1M ${unit}` : "",
      )
        .slice(0, MAX_GROUPS)
        .map(({ key, cost, quantity }) => ({ key, cost: cents((cost / quantity) * 1e6) })),
    };
  },
};

function grouped(rows: readonly UsageRow[], key: (row: UsageRow) => string) {
  return [...Map.groupBy(rows, key)]
    .filter(([name]) => name !== "")
    .map(([name, members]) => ({
      key: name,
      cost: costOf(members),
      quantity: members.reduce((sum, { quantity }) => sum + quantity, 0),
    }));
}

function costOf(rows: readonly UsageRow[]): number {
  return cents(rows.reduce((sum, { cost }) => sum + cost, 0));
}
