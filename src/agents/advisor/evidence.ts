/** What tools found in the user's data, beyond the bill itself; a tool that fails leaves a gap that is named. */

import { type Effect, tools } from "../effects.ts";
import type { Tool } from "../tool.ts";
import type { Asked } from "./asked.ts";
import type { Facts } from "./facts/message.ts";
import { DAYS_PER_MONTH } from "./facts/periods.ts";
import type { Ledger } from "./ledger.ts";
import { currentModel, tokenMix } from "./mix.ts";
import { type Comparison, compareModels } from "./tools/compare-models.ts";
import { type Anomalies, detectAnomalies } from "./tools/detect-anomalies.ts";
import { type Forecast, forecastSpend } from "./tools/forecast-spend.ts";
import type { Usage } from "./tools/parse-usage.ts";
import type { Prices } from "./tools/price-lookup.ts";
import type { Summary } from "./tools/summarize-spend.ts";
import { DAY_MS, TOTAL } from "./usage/series.ts";

export interface Measured {
  readonly usage: Usage;
  readonly summary: Summary;
}

export interface Evidence extends Partial<Measured> {
  readonly prices?: Prices | undefined;
  readonly anomalies?: Anomalies | undefined;
  readonly forecast?: Forecast | undefined;
  readonly budget?: number | undefined;
  readonly comparison?: Comparison | undefined;
  /** What is compared is no volume of the user's: only the ratios say something. */
  readonly sampled?: boolean;
  /** What else there is to say, by title. */
  readonly asides?: ReadonlyArray<readonly [string, string]>;
  /** Tools whose findings are missing. */
  readonly failed: readonly string[];
}

type Steps<T> = Generator<Effect, T, unknown>;

/** Fewer days have no usual day. */
const MIN_DAYS = 7;

const HORIZON_MONTHS = 3;

/** A trend nobody asked for has to be one. */
const MIN_TREND_DAYS = 14;
const MIN_TREND_MONTHS = 3;

export interface Looking {
  readonly asked: Asked;
  readonly facts: Facts;
  readonly ledger: Ledger;
  /** Prices that came with the question, as they came. */
  readonly own_prices: unknown;
}

export function* lookCloser(measured: Measured | undefined, looking: Looking): Steps<Evidence> {
  const failed: string[] = [];
  const attempt = function* <Args, Result>(
    tool: Tool<Args, Result>,
    args: Args | undefined,
  ): Steps<Result | undefined> {
    if (args === undefined) return undefined;
    const [outcome] = yield* tools([[tool, args]]);
    if (outcome?.status === "ok") return outcome.result;
    failed.push(tool.name);
    return undefined;
  };
  const { target: budget } = looking.facts;
  const series = measured?.usage.series ?? [];
  const days = series.find(({ name }) => name === TOTAL)?.costs.length ?? 0;
  const anomalies = yield* attempt(detectAnomalies, days >= MIN_DAYS ? { series } : undefined);
  const forecast = yield* attempt(forecastSpend, forecastArgs(measured, looking));
  const comparison = yield* attempt(compareModels, comparisonArgs(looking));
  return { ...measured, anomalies, forecast, comparison, sampled: !looking.facts.tokens, budget, failed };
}

/** Days where there are any, otherwise months; a trend nobody asked for only where there is a budget to pass. */
function forecastArgs(measured: Measured | undefined, { asked, facts: { target } }: Looking) {
  if (measured === undefined) return undefined;
  const { usage, summary } = measured;
  const daily = usage.series.find(({ name }) => name === TOTAL);
  // A month that is missing breaks the line: what comes after it counts.
  const last = Date.parse(summary.months.at(-1)?.month ?? "");
  const before = (month: string) => Math.round((last - Date.parse(month)) / DAY_MS / DAYS_PER_MONTH);
  const months = summary.months.filter(({ month }, at) => before(month) === summary.months.length - 1 - at);
  const [first] = months;
  const points = (daily?.costs ?? months).length;
  const telling = target !== undefined && points >= (daily ? MIN_TREND_DAYS : MIN_TREND_MONTHS);
  if (asked.kind !== "forecast" && !telling) return undefined;
  const budget = target === undefined ? {} : { budget: target };
  if (daily) return { series: daily, step_days: 1, months: HORIZON_MONTHS, ...budget };
  if (first === undefined) return undefined;
  const costs = months.map(({ cost }) => cost);
  const series = { name: TOTAL, from: `${first.month}-01`, costs };
  return { series, step_days: DAYS_PER_MONTH, months: HORIZON_MONTHS, ...budget };
}

function comparisonArgs({ asked, facts, ledger, own_prices }: Looking) {
  if (asked.kind !== "comparison") return undefined;
  const current = currentModel(facts, ledger)?.model;
  const mix = tokenMix(facts, ledger);
  return { ...mix, ...(current && { current }), prices: own_prices };
}
