/**
 * Bundled prices, and how to replace them. Field names follow LiteLLM's
 * `model_prices_and_context_window.json`, so that a subset of that file can
 * take the place of these rows; they are kept short and expanded on lookup.
 */
import { isRecord } from "../../protocol/pure/json.ts";

export const PRICES_AS_OF = "2026-06-30";
export const PRICES_SOURCE = "list prices; check before relying on them";

/** Rates are planning values, not quotes: what a contract says replaces them. */
export const GPU_AS_OF = "2026-05-31";

export type Tier = "frontier" | "mid" | "small" | "embedding";

export interface ModelPrice {
  readonly model: string;
  readonly tier: Tier;
  /** US dollars, as all prices here. */
  readonly input_cost_per_token: number;
  readonly output_cost_per_token: number;
  readonly cache_read_input_token_cost: number;
  readonly cache_creation_input_token_cost: number;
  readonly output_cost_per_reasoning_token: number;
  /** The model of the same provider that easy calls can go to. */
  readonly smaller: string | undefined;
}

export interface GpuRate {
  /** $ per GPU-hour. */
  readonly on_demand: number;
  /** With a one-year commitment. */
  readonly committed: number;
}

export interface PriceTable {
  readonly as_of: string;
  readonly source: string;
  readonly models: readonly ModelPrice[];
  readonly gpus: Readonly<Record<string, GpuRate>>;
  /** Where the GPU rates come from. */
  readonly gpu_source: string;
}

/** model, tier, then $ per million: input, output, cached input, cache write; smaller model. */
type Row = readonly [string, Tier, number, number, number, number, string?];

const ROWS: readonly Row[] = [
  ["gpt-5.4", "frontier", 2.5, 15, 0.25, 2.5, "gpt-5-mini"],
  ["gpt-5", "frontier", 1.25, 10, 0.125, 1.25, "gpt-5-mini"],
  ["gpt-5.1", "frontier", 1.25, 10, 0.125, 1.25, "gpt-5-mini"],
  ["gpt-5-mini", "mid", 0.25, 2, 0.025, 0.25, "gpt-5-nano"],
  ["gpt-5-nano", "small", 0.05, 0.4, 0.005, 0.05],
  ["gpt-4.1", "frontier", 2, 8, 0.5, 2, "gpt-4.1-mini"],
  ["gpt-4.1-mini", "mid", 0.4, 1.6, 0.1, 0.4, "gpt-4.1-nano"],
  ["gpt-4.1-nano", "small", 0.1, 0.4, 0.025, 0.1],
  ["gpt-4o", "frontier", 2.5, 10, 1.25, 2.5, "gpt-4o-mini"],
  ["gpt-4o-mini", "small", 0.15, 0.6, 0.075, 0.15],
  ["o3", "frontier", 2, 8, 0.5, 2, "o4-mini"],
  ["o3-mini", "mid", 1.1, 4.4, 0.55, 1.1],
  ["o4-mini", "mid", 1.1, 4.4, 0.275, 1.1],
  ["claude-opus-4-6", "frontier", 5, 25, 0.5, 6.25, "claude-sonnet-4-6"],
  ["claude-opus-4-5", "frontier", 5, 25, 0.5, 6.25, "claude-sonnet-4-5"],
  ["claude-opus-4-1", "frontier", 15, 75, 1.5, 18.75, "claude-sonnet-4-5"],
  ["claude-sonnet-4-6", "frontier", 3, 15, 0.3, 3.75, "claude-haiku-4-5"],
  ["claude-sonnet-4-5", "frontier", 3, 15, 0.3, 3.75, "claude-haiku-4-5"],
  ["claude-haiku-4-5", "mid", 1, 5, 0.1, 1.25],
  ["gemini-3.1-pro-preview", "frontier", 2, 12, 0.2, 2, "gemini-2.5-flash"],
  ["gemini-2.5-pro", "frontier", 1.25, 10, 0.125, 1.25, "gemini-2.5-flash"],
  ["gemini-2.5-flash", "mid", 0.3, 2.5, 0.03, 0.3, "gemini-2.5-flash-lite"],
  ["gemini-2.5-flash-lite", "small", 0.1, 0.4, 0.01, 0.1],
  ["amazon.nova-2-lite", "mid", 0.3, 2.5, 0.075, 0.3],
  ["text-embedding-3-large", "embedding", 0.13, 0, 0.13, 0.13, "text-embedding-3-small"],
  ["text-embedding-3-small", "embedding", 0.02, 0, 0.02, 0.02],
  ["gemini-embedding-001", "embedding", 0.15, 0, 0.15, 0.15],
];

/**
 * $ per GPU-hour on demand, and the same with a one-year commitment. Rough: H100, H200 and A100 lie within
 * published ranges of May 2026 for large clouds, the other types and all committed rates are from memory.
 */
const GPU_ROWS: Readonly<Record<string, readonly [number, number]>> = {
  B200: [8, 5.6],
  H200: [5, 3.5],
  H100: [3.9, 2.7],
  A100: [2.75, 1.85],
  V100: [2.5, 1.6],
  L40S: [1.86, 1.2],
  A10G: [1, 0.63],
  L4: [0.8, 0.5],
  T4: [0.53, 0.33],
};

/** Rows of a table that somebody brings are far fewer; a whole file is cut. */
const MAX_OWN_ROWS = 200;

export const BUNDLED: PriceTable = {
  as_of: PRICES_AS_OF,
  source: PRICES_SOURCE,
  models: ROWS.map(expand),
  gpus: Object.fromEntries(
    Object.entries(GPU_ROWS).map(([type, [on_demand, committed]]) => [type, { on_demand, committed }]),
  ),
  gpu_source: `rates of ${GPU_AS_OF}, partly from memory; replace with your contract's`,
};

export function priceOf(model: string, { models }: PriceTable = BUNDLED): ModelPrice | undefined {
  return models.find((price) => price.model === model);
}

/** $ per million tokens. */
export function millions(perToken: number): number {
  return Math.round(perToken * 1e10) / 1e4;
}

export function gpuRate(type: string, { gpus }: PriceTable = BUNDLED): GpuRate | undefined {
  return Object.hasOwn(gpus, type) ? gpus[type] : undefined;
}

/**
 * `prices` (LiteLLM's field names) and `gpu_rates` ({H100: {on_demand, committed}}) before those of `base`.
 * Rows without usable prices are skipped, unknown fields ignored.
 */
export function withOwnPrices(given: unknown, base: PriceTable = BUNDLED): PriceTable {
  if (!isRecord(given)) return base;
  const models = entriesOf(given.prices).flatMap(([name, row]) => ownPrice(name, row, base));
  const gpus = entriesOf(given.gpu_rates).flatMap(([type, row]) => ownRate(type, row));
  const as_of = typeof given.prices_as_of === "string" ? given.prices_as_of.slice(0, 20) : "your data";
  return {
    ...base,
    ...(models.length > 0 && {
      as_of,
      source: "prices you gave; the bundled list for the rest",
      models: [...models, ...base.models.filter(({ model }) => models.every((own) => own.model !== model))],
    }),
    ...(gpus.length > 0 && {
      gpus: { ...base.gpus, ...Object.fromEntries(gpus) },
      gpu_source: "GPU rates you gave; planning rates for the rest",
    }),
  };
}

type Given = Readonly<Record<string, unknown>>;

function entriesOf(value: unknown): ReadonlyArray<readonly [string, Given]> {
  if (!isRecord(value)) return [];
  return Object.entries(value)
    .slice(0, MAX_OWN_ROWS)
    .flatMap(([key, row]) => (isRecord(row) && key !== "sample_spec" ? [[key, row] as const] : []));
}

function ownPrice(name: string, row: Given, base: PriceTable): readonly ModelPrice[] {
  const input = priceIn(row.input_cost_per_token);
  const output = priceIn(row.output_cost_per_token) ?? (row.mode === "embedding" ? 0 : undefined);
  if (!input || output === undefined) return [];
  const model = (name.split("/").at(-1) ?? name).slice(0, 60);
  const known = priceOf(model, base);
  return [
    {
      model,
      tier: known?.tier ?? (output === 0 ? "embedding" : tierOf(output)),
      input_cost_per_token: input,
      output_cost_per_token: output,
      cache_read_input_token_cost: Math.min(input, priceIn(row.cache_read_input_token_cost) ?? input),
      cache_creation_input_token_cost: priceIn(row.cache_creation_input_token_cost) ?? input,
      output_cost_per_reasoning_token: priceIn(row.output_cost_per_reasoning_token) ?? output,
      smaller: known?.smaller,
    },
  ];
}

/** Where nothing else is known the price tells the class. */
function tierOf(output: number): Tier {
  return output >= 8e-6 ? "frontier" : output >= 1e-6 ? "mid" : "small";
}

function ownRate(type: string, { on_demand, committed }: Given) {
  const rate = priceIn(on_demand);
  if (!rate) return [];
  return [
    [type.toUpperCase(), { on_demand: rate, committed: Math.min(rate, priceIn(committed) ?? rate) }] as const,
  ];
}

/** No token and no GPU-hour costs a thousand dollars. */
function priceIn(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value < 1_000 ? value : undefined;
}

function expand([model, tier, input, output, cached, write, smaller]: Row): ModelPrice {
  return {
    model,
    tier,
    input_cost_per_token: input / 1e6,
    output_cost_per_token: output / 1e6,
    cache_read_input_token_cost: cached / 1e6,
    cache_creation_input_token_cost: write / 1e6,
    output_cost_per_reasoning_token: output / 1e6,
    smaller,
  };
}
