/** One record as a row of usage, or the reason why it is none. */
import { scopeOf } from "../buckets.ts";
import { tableName } from "../facts/models.ts";
import { currencyOf } from "../facts/money.ts";
import { parseNumber } from "../facts/numbers.ts";
import { HOURS_PER_MONTH } from "../facts/periods.ts";
import { gpuRate, type PriceTable, priceOf } from "../prices.ts";
import { costOf } from "../tools/price-lookup.ts";
import type { Column, Columns } from "./columns.ts";
import { looksLikeFleet } from "./columns.ts";
import { type GpusIn, gpusIn } from "./gpus.ts";
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
  readonly cached: number;
  readonly requests: number;
  readonly gpu_hours: number;
  /** `undefined` where the data has no tags at all. */
  readonly tagged: boolean | undefined;
  /** Of an inventory. */
  readonly fleet: Fleet | undefined;
  /** The cost follows from list prices, because the data has none. */
  readonly priced: boolean;
}

export interface Fleet extends GpusIn {
  readonly utilisation: number | undefined;
  readonly committed: boolean;
}

/** Names are labels; longer ones are cut. */
const MAX_LABEL_CHARS = 48;

/** No row of a bill costs more, and no fleet has more GPUs. */
const MAX_COST = 1e12;
const MAX_GPUS = 1e6;

/** What providers take off in their batch interfaces. */
const BATCH_FACTOR = 0.5;

/** Sums under the rows would count everything twice. */
const TOTAL = /^\W*(?:(?:grand|sub|sous)?[ -]?total|summe?|gesamt\w*)\W*$/i;

export type Read = (column: Column) => string;

export function readRow(cells: Cells, columns: Columns, table?: PriceTable): Row | string {
  if (Object.values(cells).some((cell) => typeof cell === "string" && TOTAL.test(cell)))
    return "a total, not usage";
  const text: Read = (column) => textOf(cells[columns[column] ?? ""]);
  return looksLikeFleet(columns) ? fleetRow(text, columns, table) : costRow(text, columns, table);
}

function costRow(text: Read, columns: Columns, table?: PriceTable): Row | string {
  const count = (column: Column) => Math.max(0, numberOf(text(column)) ?? 0);
  // OpenAI's costs have it in the line item: "gpt-5-2025-08-07, input".
  const model = tableName(text("model") || text("service"), table) ?? text("model");
  const [input, output] = [count("input"), count("output")];
  const tokens = { input, output, cached: Math.min(input, count("cached")), written: count("written") };
  const priced = columns.cost === undefined;
  const factor = /^true$/i.test(text("batch")) ? BATCH_FACTOR : 1;
  const cost = priced ? listCost(model, tokens, factor, table) : numberOf(text("cost"));
  if (cost === undefined || cost > MAX_COST)
    return priced ? "no cost, no list price" : "cost is not a number";
  if (cost < 0) return "negative cost";
  const machine = gpusIn(`${text("machine")} ${text("model")} ${text("service")}`);
  const labels = labelsOf(text, columns, {
    model,
    tokens: input + output > 0,
    llm: /model|token/i.test(`${text("model") && columns.model} ${columns.quantity} ${columns.input}`),
    machine: machine !== undefined,
  });
  const quantity = count("quantity") || input + output;
  return {
    labels,
    day: dayOf(text("period")).slice(0, 10),
    quantity,
    cost,
    ...tokensOf(tokens, labels.unit, quantity),
    requests: count("requests") || (columns.request ? 1 : 0),
    gpu_hours: machine && /^h(?:ou)?rs?$|hours?$/i.test(labels.unit) ? quantity * machine.count : 0,
    tagged: columns.tags === undefined ? undefined : !/^(?:|\{\}|\[\]|null|none)$/i.test(text("tags")),
    fleet: undefined,
    priced,
  };
}

interface Kind {
  readonly model: string;
  readonly tokens: boolean;
  /** A column of models or tokens: nothing else has one. */
  readonly llm: boolean;
  readonly machine: boolean;
}

function labelsOf(text: Read, columns: Columns, { model, tokens, llm, machine }: Kind): Labels {
  const [provider, service] = [text("provider"), text("service")];
  const [cost, named] =
    columns.cost === undefined ? [text("rate"), columns.rate] : [text("cost"), columns.cost];
  const currency =
    text("currency") || /\p{Sc}|(?:usd|eur|gbp|inr|jpy|chf)(?=\W*$)/iu.exec(`${cost} ${named}`)?.[0];
  const category = categoryOf(text("category"), service, model, provider);
  const known =
    machine && category !== "training" ? "gpu" : llm && category === "other" ? "llm_api" : category;
  return {
    period: dayOf(text("period")).slice(0, 7),
    provider,
    service,
    category: known,
    model,
    unit: text("unit") || (tokens ? "tokens" : ""),
    currency: currencyOf(currency) ?? "",
  };
}

interface TokenCounts {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly written: number;
}

/** FOCUS has tokens as a quantity, at times in thousands or millions; which way they went is then not known. */
function tokensOf({ input, output, cached }: TokenCounts, unit: string, quantity: number) {
  const [, scale = ""] =
    /^(1?[km]?|1,?000|1,?000,?000|thousands?|millions?) ?(?:input |output )?tokens?$/i.exec(unit) ?? [
      "",
      "-",
    ];
  if (input + output > 0 || scale === "-") return { input, output, cached };
  const factor = /m|000,?000/i.test(scale) ? 1e6 : /k|th|000/i.test(scale) ? 1e3 : 1;
  const all = quantity * factor;
  return /output/i.test(unit) ? { input: 0, output: all, cached } : { input: all, output: 0, cached };
}

const NO_TOKENS = { input: 0, output: 0, cached: 0, requests: 0, tagged: undefined };

/** A line of an inventory: GPUs × hours × rate, at planning rates where it names none. */
function fleetRow(text: Read, columns: Columns, table?: PriceTable): Row | string {
  const machine = gpusIn(text("machine") || text("name"));
  if (machine === undefined) return "unknown GPU type";
  const gpus = columns.gpus === undefined ? machine.count : numberOf(text("gpus"));
  const hours = columns.hours === undefined ? HOURS_PER_MONTH : numberOf(text("hours"));
  const used = columns.utilisation === undefined ? undefined : utilisationOf(text("utilisation"));
  const committed = /reserv|commit|saving/i.test(text("purchase"));
  const listed = gpuRate(machine.type, table);
  const said = numberOf(text("rate"));
  const rate = said ?? (committed ? listed?.committed : listed?.on_demand);
  if (!gpus || gpus < 0 || gpus > MAX_GPUS) return "no number of GPUs";
  if (hours === undefined || hours < 0 || hours > HOURS_PER_MONTH * 1.03) return "hours out of range";
  if (Number.isNaN(used)) return "utilisation is not 0–100 %";
  if (rate === undefined || rate < 0 || gpus * hours * rate > MAX_COST) return "no rate for this GPU";
  const labels = labelsOf(text, columns, { model: "", tokens: false, llm: false, machine: true });
  // Planning rates are dollars, whatever the rates beside them are in.
  const currency = said === undefined ? "USD" : labels.currency || "USD";
  return {
    labels: { ...labels, service: machine.type, unit: "GPU-hours", currency },
    ...NO_TOKENS,
    day: "",
    quantity: gpus * hours,
    cost: gpus * hours * rate,
    gpu_hours: gpus * hours,
    fleet: { type: machine.type, count: gpus, utilisation: used, committed },
    priced: said === undefined,
  };
}

/** "37 %", "37" and "0.37" are the same; `NaN` where it is none of them. */
function utilisationOf(text: string): number {
  const value = numberOf(text.replace(/ ?%$/, "")) ?? Number.NaN;
  const share = /%/.test(text) || value > 1 ? value / 100 : value;
  return share >= 0 && share <= 1 ? share : Number.NaN;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value).trim().slice(0, MAX_LABEL_CHARS)
    : "";
}

const NUMERIC =
  /^([-(])? ?(?:[a-z]{3}|[a-z]{0,2}\p{Sc})? ?(-)?(\d[\d.,]*(?:e[-+]?\d+)?|\.\d+) ?(?:\p{Sc}|[a-z]{3})?\)?$/iu;

/** "1,234.50", "$12", "(3.20)", "-4 EUR", "1.5e-3"; `undefined` where it is no number. */
export function numberOf(text: string): number | undefined {
  const [, before, after, digits = ""] = NUMERIC.exec(text) ?? [];
  const value = /^\d*\.?\d+(?:e.+)?$/i.test(digits) ? Number(digits) : parseNumber(digits);
  if (value === undefined || !Number.isFinite(value)) return undefined;
  return value && (before ?? after) ? -value : value;
}

function listCost(
  model: string,
  tokens: TokenCounts,
  factor: number,
  table?: PriceTable,
): number | undefined {
  const price = priceOf(model, table);
  if (price === undefined) return undefined;
  const { input, output, cached, written } = tokens;
  const mix = {
    input_tokens: input,
    output_tokens: output,
    cached_tokens: cached,
    cache_write_tokens: written,
  };
  return factor * costOf(price, mix);
}

/** "31.05.2026", "05/2026"; which of "05/06/2026" is the month, nobody knows. */
const DOTTED = /^(?:(\d\d)\.)?(\d\d)[./](20\d\d)\b.*/;
/** ISO dates, and seconds, milliseconds or nanoseconds since 1970; others are ambiguous, and count as undated. */
function dayOf(said: string): string {
  const [epoch] = /^1\d{9}(?=(?:\d{3}){0,3}$)/.exec(said) ?? [];
  if (epoch !== undefined) return new Date(Number(epoch) * 1000).toISOString();
  return (
    /^\d{4}-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01])(?!\d))?/.exec(
      said.replace(DOTTED, "$3-$2-$1"),
    )?.[0] ?? ""
  );
}

/** General computers; only what says more makes them GPUs. */
const COMPUTE = /^(?:compute|virtual machines?|.*\b(?:ec2|elastic compute|compute engine)\b.*)$/i;

/** The most telling name first; a cloud's name says too little. */
function categoryOf(...names: readonly string[]): string {
  const scopes = names.map((name) => {
    const words = name.replace(/[_-]/g, " ");
    return COMPUTE.test(words) ? "platform" : scopeOf(words);
  });
  const telling = scopes.find((scope) => scope !== undefined && scope !== "cloud" && scope !== "platform");
  return telling ?? scopes.find((scope) => scope === "platform") ?? "other";
}
