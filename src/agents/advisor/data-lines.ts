/** What the user's own data shows, a line per finding: where the money goes, how it moves, what a unit costs. */
import type { Evidence, Measured } from "./evidence.ts";
import { money, moneyRange } from "./money-text.ts";
import type { Forecast } from "./tools/forecast-spend.ts";
import { percent, type Range, rounded } from "./tools/savings.ts";

export type Line = readonly [title: string, detail: string];

export function dataLines(evidence: Evidence, currency: string): readonly Line[] {
  const { usage, summary, forecast, budget } = evidence;
  return [
    ...(usage && summary ? measuredLines({ usage, summary }, currency) : []),
    ...unusual(evidence, currency),
    ...(forecast ? trend(forecast, budget, currency) : []),
    ...compared(evidence, currency),
    ...(evidence.asides ?? []),
  ];
}

function measuredLines({ usage, summary }: Measured, currency: string): readonly Line[] {
  const { by_provider, by_service, by_model, pareto, months, untagged_share, cached_share } = summary;
  const by = [by_provider, by_service, by_model].find((groups) => groups.length > 1);
  const groups = (by ?? by_service)
    .slice(0, 4)
    .map(({ key, cost, share }) => `${key} ${money(cost, currency)} (${percent(share)})`);
  const most =
    pareto && pareto.services < pareto.of
      ? `; ${pareto.services} of ${pareto.of} make ${percent(pareto.share)}`
      : "";
  const moved = months.slice(-4).map(({ month, cost, days, change }) => {
    const by = change === undefined ? "" : `${signed(change)}${days ? " a day" : ""}`;
    const about = [days && `${days} days`, by].filter(Boolean).join(", ");
    return `${month} ${money(cost, currency)}${about && ` (${about})`}`;
  });
  const units = unitCosts(summary, currency);
  const idle = usage.fleet.map(({ type, gpus, utilisation, idle: off, idle_cost, monthly_cost }) => {
    const used = utilisation === undefined ? "" : `, ${percent(utilisation)} used`;
    return `${gpus} × ${type}${used}, ${money(monthly_cost, currency)} a month${off > 0 ? `, of which ${money(idle_cost, currency)} for ${off} GPUs under 10 %` : ""}`;
  });
  const lines: ReadonlyArray<readonly [string, string | false | undefined]> = [
    ["Fleet", idle.join("; ")],
    [
      `Where it goes${usage.days > 0 ? ` (${usage.days} days)` : ""}`,
      usage.fleet.length === 0 && groups.length > 1 && `${groups.join(", ")}${most}`,
    ],
    ["Month by month", moved.length > 1 && moved.join(", ")],
    ["Unit costs", units],
    [
      "Cached",
      cached_share !== undefined &&
        cached_share > 0 &&
        `${percent(cached_share)} of input tokens are read from a cache already`,
    ],
    [
      "Tags",
      untagged_share !== undefined &&
        untagged_share > 0 &&
        `${percent(untagged_share)} of the cost has no tag`,
    ],
  ];
  return lines.flatMap(([title, detail]) => (detail ? [[title, detail] as const] : []));
}

function unitCosts({ unit_costs }: Measured["summary"], currency: string): string {
  const { per_million_tokens, per_gpu_hour, per_request } = unit_costs;
  return [
    per_million_tokens !== undefined && `${fine(per_million_tokens, currency)} per 1M tokens`,
    per_gpu_hour !== undefined && `${fine(per_gpu_hour, currency)} per GPU-hour`,
    per_request !== undefined && `${fine(per_request, currency)} per request`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** Small amounts need their digits. */
function fine(value: number, currency: string): string {
  if (value >= 1 || value === 0) return money(Math.round(value * 100) / 100, currency);
  const digits = Math.min(6, 1 - Math.floor(Math.log10(value)));
  return money(1, currency).replace("1", value.toFixed(digits));
}

function unusual({ anomalies, summary }: Evidence, currency: string): readonly Line[] {
  if (anomalies === undefined || summary === undefined) return [];
  const days = anomalies.anomalies
    .slice(0, 3)
    .map(
      ({ name, day, cost, usual }) =>
        `${day} ${name} ${money(cost, currency)} against a usual ${money(usual, currency)}`,
    );
  return days.length > 0 ? [["Unusual days", days.join("; ")]] : [["Unusual days", "none"]];
}

function trend(
  { months, points, monthly_change, level, breach }: Forecast,
  budget: number | undefined,
  currency: string,
): readonly Line[] {
  if (months.length === 0)
    return [["Forecast", `${points} points are too few for a trend; 14 days or 3 months are enough`]];
  const way =
    monthly_change === 0
      ? "flat"
      : `${monthly_change > 0 ? "up" : "down"} ${money(rounded(Math.abs(monthly_change)), currency)} a month`;
  const size = ([low, high]: Range) => moneyRange([rounded(low), rounded(high)], currency);
  const ahead = months.map(
    ({ month, low, expected, high }) => `${month} ${size([expected, expected])} (${size([low, high])})`,
  );
  const sum = money(budget ?? 0, currency);
  const passed =
    budget === undefined
      ? ""
      : level > budget
        ? `${sum} a month is passed already; `
        : breach
          ? `${sum} a month is passed ${breach.length > 7 ? "on" : "in"} ${breach} at this pace; `
          : `${sum} a month is not passed within a year; `;
  return [
    ["Forecast", `${passed}${way}; ${ahead.join(", ")}; four of five months should end inside the ranges`],
  ];
}

function compared({ comparison, sampled }: Evidence, currency: string): readonly Line[] {
  if (comparison === undefined || comparison.models.length < 2) return [];
  const { models, current, as_of } = comparison;
  const each = models.map(({ model, cost, change, named }) => {
    const against = `${signed(change)}${named ? "" : ", same class"}`;
    const paid = sampled ? "" : ` ${money(cost, currency)}`;
    return `${model}${paid}${model === current ? "" : ` (${against})`}`;
  });
  return [["Same tokens, other models", `${each.join(", ")}; list prices of ${as_of}, quality not counted`]];
}

function signed(change: number): string {
  return `${change < 0 ? "−" : "+"}${percent(Math.abs(change))}`;
}
