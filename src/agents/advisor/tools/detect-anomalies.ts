/** Days that cost far more than usual: distance from the median, measured in median deviations, which outliers do not move. */
import * as z from "zod/mini";
import type { Tool } from "../../tool.ts";
import { DAY_MS, dateOf, type Series, series } from "../usage/series.ts";
import { cents, ours } from "./savings.ts";

const input = z.object({ series: z.array(series) });

export interface Anomaly {
  readonly name: string;
  readonly day: string;
  readonly cost: number;
  readonly usual: number;
  readonly extra: number;
  readonly z: number;
}

export interface Anomalies {
  /** The dearest first; the total only where no service explains its day. */
  readonly anomalies: readonly Anomaly[];
}

/** The usual bound for this measure (Iglewicz and Hoaglin). */
const LIMIT = 3.5;

/** Fewer days have no median worth the name. */
const MIN_DAYS = 7;
const MAX_SHOWN = 5;

/** A day is not worth a word for less than this part of the median. */
const MIN_EXTRA = 0.25;

export const detectAnomalies: Tool<z.infer<typeof input>, Anomalies> = {
  name: "detect_anomalies",
  description: "Days that cost far more than the median day.",
  input,
  output: ours<Anomalies>(),
  idempotent: true,
  execute({ series: all }) {
    const found = all.flatMap(outliers).toSorted((a, b) => b.extra - a.extra);
    const explained = new Set(found.filter(({ name }) => name !== all[0]?.name).map(({ day }) => day));
    return {
      anomalies: found
        .filter(({ name, day }) => name !== all[0]?.name || !explained.has(day))
        .slice(0, MAX_SHOWN),
    };
  },
};

function outliers({ name, from, costs }: Series): readonly Anomaly[] {
  if (costs.length < MIN_DAYS) return [];
  const usual = median(costs);
  // Where most days are alike the median deviation is nothing, and the mean one stands in.
  const spread =
    median(costs.map((cost) => Math.abs(cost - usual))) / 0.6745 ||
    (costs.reduce((sum, cost) => sum + Math.abs(cost - usual), 0) / costs.length) * 1.2533;
  return costs.flatMap((cost, at) => {
    const extra = cost - usual;
    if (spread === 0 || extra / spread <= LIMIT || extra < usual * MIN_EXTRA) return [];
    const day = dateOf(Date.parse(from) + at * DAY_MS);
    return [{ name, day, cost, usual: cents(usual), extra: cents(extra), z: cents(extra / spread) }];
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? upper) + upper) / 2 : upper;
}
