/** One record as a row of usage, or the reason why it is none. */
import { scopeOf } from "../buckets.ts";
import { tableName } from "../facts/models.ts";
import { currencyOf } from "../facts/money.ts";
import { parseNumber } from "../facts/numbers.ts";
import { priceOf } from "../prices.ts";
import type { Column, Columns } from "./columns.ts";
import type { Cells } from "./table.ts";

/** What rows are summed up by. */
export interface Labels {
  /** `YYYY-MM`, or empty. */
  readonly period: string;
  readonly provider: string;
  readonly service: string;
  readonly category: string;
  readonly model: string;
  readonly unit: string;
  /** Empty where neither a column nor a symbol tells. */
  readonly currency: string;
}

export interface Row {
  readonly labels: Labels;
  /** `YYYY-MM-DD`, or empty. */
  readonly day: string;
  readonly quantity: number;
  readonly cost: number;
  readonly input: number;
  readonly output: number;
  /** The cost is tokens × list price, because the data has none. */
  readonly priced: boolean;
}

/** Names are labels; longer ones are cut. */
const MAX_LABEL_CHARS = 48;

/** No row of a bill costs more. */
const MAX_COST = 1e12;

export function readRow(cells: Cells, columns: Columns): Row | string {
  const text = (column: Column) => textOf(cells[columns[column] ?? ""]);
  const count = (column: Column) => Math.max(0, numberOf(text(column)) ?? 0);
  const [input, output, said] = [count("input"), count("output"), text("cost")];
  const model = tableName(text("model")) ?? text("model");
  const priced = columns.cost === undefined;
  const cost = priced ? listCost(model, input, output) : numberOf(said);
  if (cost === undefined || cost > MAX_COST)
    return priced ? "no cost, no list price" : "cost is not a number";
  if (cost < 0) return "negative cost";
  const [provider, service] = [text("provider"), text("service")];
  const day = dayOf(text("period"));
  const currency = text("currency") || /\p{Sc}|usd$/iu.exec(`${said} ${columns.cost}`)?.[0];
  return {
    labels: {
      period: day.slice(0, 7),
      provider,
      service,
      category: categoryOf(text("category"), service, model, provider),
      model,
      unit: text("unit") || (input + output > 0 ? "tokens" : ""),
      currency: currencyOf(currency) ?? "",
    },
    day: day.slice(0, 10),
    quantity: count("quantity") || input + output,
    cost,
    input,
    output,
    priced,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number"
    ? String(value).trim().slice(0, MAX_LABEL_CHARS)
    : "";
}

const NUMERIC =
  /^([-(])? ?(?:[a-z]{3}|[a-z]{0,2}\p{Sc})? ?(-)?(\d[\d.,]*(?:e[-+]?\d+)?|\.\d+) ?(?:\p{Sc}|[a-z]{3})?\)?$/iu;

/** "1,234.50", "$12", "(3.20)", "-4 EUR", "1.5e-3"; `undefined` where it is no number. */
export function numberOf(text: string): number | undefined {
  const [, before, after, digits = ""] = NUMERIC.exec(text) ?? [];
  const value = /^\d*\.?\d+(?:e.+)?$/i.test(digits) ? Number(digits) : parseNumber(digits);
  return value && (before ?? after) ? -value : value;
}

function listCost(model: string, input: number, output: number): number | undefined {
  const price = priceOf(model);
  return price && input * price.input_cost_per_token + output * price.output_cost_per_token;
}

/** ISO dates and seconds since 1970; others are ambiguous, and count as undated. */
function dayOf(said: string): string {
  if (/^1\d{9}$/.test(said)) return new Date(Number(said) * 1000).toISOString();
  return /^\d{4}-(?:0[1-9]|1[0-2])(?:-\d\d)?/.exec(said)?.[0] ?? "";
}

/** The most telling name first; a cloud's name says too little. */
function categoryOf(...names: readonly string[]): string {
  for (const name of names) {
    const scope = scopeOf(name.replace(/[_-]/g, " "));
    if (scope !== undefined && scope !== "cloud") return scope;
  }
  return "other";
}
