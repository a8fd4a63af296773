/** Where the spend is going: a straight line through the days or months, how far they stray from it, and when a budget is passed. */
import * as z from "zod/mini";
import type { Tool } from "../../tool.ts";
import { DAYS_PER_MONTH } from "../facts/periods.ts";
import { DAY_MS, dateOf, series } from "../usage/series.ts";
import { amount, cents, ours } from "./savings.ts";

const input = z.object({
  series,
  /** Days from one cost to the next: 1, or a month. */
  step_days: amount,
  months: amount,
  /** Per month. */
  budget: z.optional(amount),
});

export interface Forecast {
  /** Fewer points than make a trend: `months` is empty. */
  readonly points: number;
  /** Change of the monthly spend from month to month. */
  readonly monthly_change: number;
  /** The recent level, newer days weighing more, per month. */
  readonly level: number;
  readonly months: ReadonlyArray<{
    /** `YYYY-MM`: whole calendar months after the last cost. */
    readonly month: string;
    readonly low: number;
    readonly expected: number;
    readonly high: number;
  }>;
  /** The first day, or month where costs are monthly, at whose pace the budget is passed; absent where that is not in sight. */
  readonly breach?: string;
}

type Args = z.infer<typeof input>;

/** Fewer make no trend. */
const MIN_POINTS = { daily: 14, monthly: 3 } as const;

/** Student's t, fitted: four of five months end up inside, if deviations are normal; few points know little of them. */
function interval(freedom: number): number {
  return 1.28 + 0.7 / freedom + 1.1 / freedom ** 2;
}

/** Weight of the newest point in the level. */
const ALPHA = 0.2;
const MAX_MONTHS = 12;

export const forecastSpend: Tool<Args, Forecast> = {
  name: "forecast_spend",
  description: "Linear trend with an 80 % interval, recent level, and when a budget is passed.",
  input,
  output: ours<Forecast>(),
  idempotent: true,
  execute({ series: { from, costs }, step_days, months, budget }) {
    // Shorter ones would make the way to the budget as long as one likes.
    const step = Math.max(1, step_days);
    const scale = DAYS_PER_MONTH / step;
    const line = lineThrough(costs);
    const enough = costs.length >= (step > 1 ? MIN_POINTS.monthly : MIN_POINTS.daily);
    const at = (point: number) => Math.max(0, line.start + line.slope * point) * scale;
    const count = enough ? Math.min(MAX_MONTHS, Math.round(months)) : 0;
    const dates = { from, step, points: costs.length };
    const first = firstMonth(dates);
    return {
      points: costs.length,
      monthly_change: cents(line.slope * scale * scale),
      level: cents(costs.reduce((level, cost) => level + ALPHA * (cost - level), costs[0] ?? 0) * scale),
      months: Array.from({ length: count }, (_, index) => {
        // The middle of its points: of 1 to 30 that is 15.5.
        const middle = first.point + index * scale + (scale - 1) / 2;
        const expected = at(middle);
        const width = interval(Math.max(1, costs.length - 2)) * scale * line.error(middle, scale);
        return {
          month: monthAfter(first.month, index),
          low: cents(Math.max(0, expected - width)),
          expected: cents(expected),
          high: cents(expected + width),
        };
      }),
      ...(enough && budget !== undefined && breachOf(budget, at, dates)),
    };
  },
};

interface When {
  readonly from: string;
  readonly step: number;
  readonly points: number;
}

function breachOf(budget: number, at: (point: number) => number, { from, step, points }: When) {
  const last = points - 1 + (MAX_MONTHS * DAYS_PER_MONTH) / step;
  for (let point = points - 1; point <= last; point += 1)
    if (at(point) > budget)
      return {
        breach: step > 1 ? monthAfter(from, point) : dateOf(Date.parse(from) + point * DAY_MS),
      };
  return {};
}

/** The first whole month after the last cost, and the point it begins with. */
function firstMonth({ from, step, points }: When) {
  if (step > 1) return { month: monthAfter(from, points), point: points };
  const next = Date.parse(from) + points * DAY_MS;
  const day = dateOf(next);
  const month = monthAfter(day, day.endsWith("-01") ? 0 : 1);
  return { month, point: points + Math.round((Date.parse(month) - next) / DAY_MS) };
}

function monthAfter(day: string, count: number): string {
  const [year = 0, month = 1] = day.split("-").map(Number);
  return dateOf(Date.UTC(year, month - 1 + count)).slice(0, 7);
}

/** Least squares, and the standard error of a mean of `size` new points around `x`. */
function lineThrough(costs: readonly number[]) {
  const n = costs.length;
  const mean_x = (n - 1) / 2;
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / Math.max(1, n);
  const spread = costs.reduce((sum, _, x) => sum + (x - mean_x) ** 2, 0);
  const slope =
    spread > 0 ? costs.reduce((sum, cost, x) => sum + (x - mean_x) * (cost - mean), 0) / spread : 0;
  const start = mean - slope * mean_x;
  const rest = costs.reduce((sum, cost, x) => sum + (cost - start - slope * x) ** 2, 0);
  const sigma = n > 2 ? Math.sqrt(rest / (n - 2)) : 0;
  const error = (x: number, size: number) =>
    sigma *
    Math.sqrt(1 / Math.max(1, size) + 1 / Math.max(1, n) + (spread > 0 ? (x - mean_x) ** 2 / spread : 0));
  return { slope, start, error };
}
