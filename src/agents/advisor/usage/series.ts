/** Cost per day: the total, and the largest services or models. */
import * as z from "zod/mini";
import { cents } from "../tools/savings.ts";
import type { Row } from "./row.ts";

export const series = z.object({
  name: z.string(),
  /** `YYYY-MM-DD` of the first cost; the others follow day by day. */
  from: z.string().check(z.refine((day) => Number.isFinite(Date.parse(day)), "must be a date")),
  costs: z.array(z.number()),
});

export type Series = Readonly<z.infer<typeof series>>;

export const TOTAL = "total";

/** The latest quarter says what is going on; more would make events large. */
const MAX_DAYS = 92;
const MAX_NAMED = 3;

export const DAY_MS = 86_400_000;

export function seriesOf(rows: readonly Row[]): Series[] {
  const dated = rows.filter(({ day }) => day.length > 7);
  const last = Math.max(...dated.map(({ day }) => Date.parse(day)));
  const first = Math.min(...dated.map(({ day }) => Date.parse(day)));
  if (!Number.isFinite(last - first)) return [];
  const start = Math.max(first, last - (MAX_DAYS - 1) * DAY_MS);
  const named = [...Map.groupBy(dated, ({ labels }) => labels.model || labels.service)]
    .filter(([name, own]) => name !== "" && own.length < dated.length)
    .toSorted((a, b) => costOf(b[1]) - costOf(a[1]))
    .slice(0, MAX_NAMED);
  return [[TOTAL, dated] as const, ...named].map(([name, own]) => ({
    name,
    from: dateOf(start),
    costs: perDay(own, start, last),
  }));
}

export function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function perDay(rows: readonly Row[], start: number, last: number): number[] {
  const costs = Array.from({ length: Math.round((last - start) / DAY_MS) + 1 }, () => 0);
  for (const { day, cost } of rows) {
    const at = Math.round((Date.parse(day) - start) / DAY_MS);
    if (at >= 0) costs[at] = (costs[at] ?? 0) + cost;
  }
  return costs.map(cents);
}

function costOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { cost }) => sum + cost, 0);
}
