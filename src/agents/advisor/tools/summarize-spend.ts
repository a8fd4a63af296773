/** Where the money goes: the monthly total, by category and by model. */
import * as z from "zod/mini";
import type { Tool } from "../../tool.ts";
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
});

type Args = z.infer<typeof input>;
export type Summary = z.infer<typeof output>;

/** The largest; the rest hardly matters. */
const MAX_GROUPS = 6;

export const summarizeSpend: Tool<Args, Summary> = {
  name: "summarize_spend",
  description: "Totals by category and model.",
  input,
  output,
  idempotent: true,
  execute({ rows, currency, days }) {
    const own = rows.filter((row) => row.currency === currency);
    const total = costOf(own);
    const months = new Set(own.map(({ period }) => period).filter(Boolean)).size;
    const by = (key: (row: UsageRow) => string) =>
      [...Map.groupBy(own, key)]
        .map(([name, members]) => ({ key: name, cost: costOf(members) }))
        .filter((group) => group.key)
        .toSorted((a, b) => b.cost - a.cost)
        .slice(0, MAX_GROUPS)
        .map((group) => ({ ...group, share: clamp(group.cost / total) }));
    return {
      currency,
      total,
      monthly: cents(days > 1 ? (total / days) * DAYS_PER_MONTH : total / Math.max(1, months)),
      by_category: by(({ category }) => category),
      by_model: by(({ model }) => model),
    };
  },
};

function costOf(rows: readonly UsageRow[]): number {
  return cents(rows.reduce((sum, { cost }) => sum + cost, 0));
}
