/** Questions for prices alone: a table, and no analysis that nobody asked for. */
import type { Report } from "../../protocol/report.ts";
import type { Setting } from "./allocation.ts";
import type { Asked } from "./asked.ts";
import { SPOT } from "./compute-runs.ts";
import { mixIds, tokenMix } from "./mix.ts";
import { money } from "./money-text.ts";
import { type ModelPrice, millions, type PriceTable } from "./prices.ts";
import { costOf } from "./tools/price-lookup.ts";
import { dollars, percent } from "./tools/savings.ts";
import { billions } from "./tools/selfhost-vs-api.ts";

const GPU_PRICE =
  /^(?!.*\b(?:reduc|cut|sav|lower|optimi|spend|pay)).*\b(?:costs?|prices?|rates?|pricing|how much)\b/is;

const TIERS = ["small", "mid", "frontier"] as const;

/** Of a class, where none or one was named. */
const MAX_OTHERS = 3;

interface Talk {
  readonly setting: Setting;
  readonly asked: Asked;
  readonly question: string;
  readonly data: unknown;
  readonly earlier_data: boolean;
}

/** Empty where more than prices is asked for: a bill that was named is analysed. */
export function quote({ setting, asked: { kind }, question, data, earlier_data }: Talk): string {
  const { facts, now, ledger } = setting;
  if (data && !earlier_data) return "";
  if (now.total !== undefined || now.parts.length > 0 || now.gpus.length > 0) return "";
  if (GPU_PRICE.test(question) && now.tokens === undefined) {
    const rates = gpuRates(question, ledger.prices);
    if (rates !== "") return rates;
  }
  const bill = data ?? facts.total ?? facts.parts[0] ?? facts.gpus[0];
  return kind === "prices" || (kind === "comparison" && bill === undefined) ? modelPrices(setting, kind) : "";
}

function gpuRates(question: string, { gpus, gpu_source }: PriceTable): string {
  const words = question.toUpperCase().split(/\W/);
  const named = Object.entries(gpus).filter(([type]) => words.includes(type) || words.includes(`${type}S`));
  const lines = named.map(
    ([type, { on_demand, committed }]) =>
      `- **${type}**, per GPU-hour: ${dollars(on_demand)} on demand, ${dollars(committed)} with a one-year commitment, about ${dollars(on_demand * (1 - SPOT.discount))} on spot (${percent(SPOT.discount)} off, varies).\n`,
  );
  return lines.length > 0 ? `${lines.join("")}\nGPU ${gpu_source}.\n` : "";
}

function modelPrices({ facts, ledger }: Setting, kind: Asked["kind"]): string {
  const { prices } = ledger;
  const { models, tokens } = facts;
  const mix = tokenMix(facts, ledger);
  const cost = (price: ModelPrice) => costOf(price, mix);
  const named = models.flatMap((model) => prices.models.filter((each) => each.model === model));
  const [current] = named;
  const cheapest = (tier: string) =>
    prices.models
      .filter(
        (each) => each.tier === tier && !named.includes(each) && !(current && cost(each) >= cost(current)),
      )
      .toSorted((a, b) => cost(a) - cost(b))
      .slice(0, MAX_OTHERS);
  const others =
    kind === "prices" || named.length > 1 ? [] : (current ? [current.tier] : TIERS).flatMap(cheapest);
  const lines = [...named, ...others].map((each) => {
    const off = current && each !== current ? `, ${against(cost(each), cost(current))}` : "";
    const paid = tokens ? `: **${money(cost(each), "USD")} a month**${off}` : "";
    const tier = named.includes(each) ? "" : ` (${each.tier})`;
    return `- **${each.model}**${tier}, ${perMillion(each)}${paid}.\n`;
  });
  const notes = [
    tokens?.period_stated === false && ", read as per month",
    tokens && mixIds(facts, ledger).length > 0 && ", 5 input tokens per output token assumed",
  ].filter(Boolean);
  const volume = tokens
    ? `For ${billions(mix.input_tokens)} input and ${billions(mix.output_tokens)} output tokens a month${notes.join("")}:\n\n`
    : "";
  return `${volume}${lines.join("")}\nAs of ${prices.as_of}; ${prices.source}.${lines.length > 1 ? " Quality is not compared." : ""}\n`;
}

function perMillion(each: ModelPrice): string {
  const per = (price: number) => dollars(millions(price));
  return `per 1M tokens: ${per(each.input_cost_per_token)} input, ${per(each.cache_read_input_token_cost)} cached input, ${per(each.output_cost_per_token)} output`;
}

function against(cost: number, current: number): string {
  const less = current - cost;
  return `${money(Math.abs(less), "USD")} ${less < 0 ? "more" : "less"} (${percent(Math.abs(less) / current)})`;
}

/** The lines of the table are what was found. */
export function quoted(answer: string): Report {
  const lines = answer.split("\n").filter((line) => line.startsWith("- "));
  const findings = lines.map((line) => ({ title: "Price", detail: line.slice(2).replaceAll("**", "") }));
  return { summary: "List prices.", findings, recommendations: [], assumptions: [], questions: [] };
}
