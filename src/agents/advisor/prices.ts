/**
 * Bundled list prices. Field names follow LiteLLM's
 * `model_prices_and_context_window.json`, so that a subset of that file can
 * replace this table; the rows are kept short and expanded on lookup.
 */

export const PRICES_AS_OF = "2026-06-30";
export const PRICES_SOURCE = "list prices; check before relying on them";

export type Tier = "frontier" | "mid" | "small";

export interface ModelPrice {
  readonly model: string;
  readonly tier: Tier;
  /** US dollars, as all prices here. */
  readonly input_cost_per_token: number;
  readonly output_cost_per_token: number;
  readonly cache_read_input_token_cost: number;
  readonly cache_creation_input_token_cost: number;
  /** The model of the same provider that easy calls can go to. */
  readonly smaller: string | undefined;
}

/** model, tier, then $ per million: input, output, cached input, cache write; smaller model. */
type Row = readonly [string, Tier, number, number, number, number, string?];

const ROWS: readonly Row[] = [
  ["gpt-5.4", "frontier", 2.5, 15, 0.25, 2.5, "gpt-5-mini"],
  ["gpt-5", "frontier", 1.25, 10, 0.125, 1.25, "gpt-5-mini"],
  ["gpt-5-mini", "mid", 0.25, 2, 0.025, 0.25, "gpt-5-nano"],
  ["gpt-5-nano", "small", 0.05, 0.4, 0.005, 0.05],
  ["gpt-4o", "frontier", 2.5, 10, 1.25, 2.5, "gpt-4o-mini"],
  ["gpt-4o-mini", "small", 0.15, 0.6, 0.075, 0.15],
  ["claude-opus-4-6", "frontier", 5, 25, 0.5, 6.25, "claude-sonnet-4-6"],
  ["claude-sonnet-4-6", "frontier", 3, 15, 0.3, 3.75, "claude-haiku-4-5"],
  ["claude-haiku-4-5", "mid", 1, 5, 0.1, 1.25],
  ["gemini-3.1-pro-preview", "frontier", 2, 12, 0.2, 2, "gemini-2.5-flash"],
  ["gemini-2.5-flash", "mid", 0.3, 2.5, 0.03, 0.3],
  ["amazon.nova-2-lite", "mid", 0.3, 2.5, 0.075, 0.3],
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
  L40S: [1.86, 1.2],
  L4: [0.8, 0.5],
  T4: [0.53, 0.33],
};

export interface GpuRate {
  readonly on_demand: number;
  readonly committed: number;
}

export const MODELS: readonly string[] = ROWS.map(([model]) => model);

export const MODEL_PRICES: readonly ModelPrice[] = ROWS.map(expand);

export function priceOf(model: string): ModelPrice | undefined {
  return MODEL_PRICES.find((price) => price.model === model);
}

export function gpuRate(type: string): GpuRate | undefined {
  const row = Object.hasOwn(GPU_ROWS, type) ? GPU_ROWS[type] : undefined;
  return row && { on_demand: row[0], committed: row[1] };
}

function expand([model, tier, input, output, cached, write, smaller]: Row): ModelPrice {
  return {
    model,
    tier,
    input_cost_per_token: input / 1e6,
    output_cost_per_token: output / 1e6,
    cache_read_input_token_cost: cached / 1e6,
    cache_creation_input_token_cost: write / 1e6,
    smaller,
  };
}
