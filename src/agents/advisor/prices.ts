/**
 * Bundled list prices. Field names follow LiteLLM's
 * `model_prices_and_context_window.json`, so that a subset of that file can
 * replace this table; the rows are kept short and expanded on lookup.
 */

export const PRICES_AS_OF = "2026-06-30";
export const PRICES_SOURCE = "public list prices, collected by hand; check before relying on them";

export type Tier = "frontier" | "mid" | "small";

export interface ModelPrice {
  readonly model: string;
  readonly litellm_provider: string;
  readonly mode: "chat" | "embedding";
  readonly tier: Tier;
  readonly max_input_tokens: number;
  /** US dollars, as all prices here. */
  readonly input_cost_per_token: number;
  readonly output_cost_per_token: number;
  readonly cache_read_input_token_cost: number;
  readonly cache_creation_input_token_cost: number;
  /** The model of the same provider that easy calls can go to. */
  readonly smaller?: string;
}

/** model, provider, tier, thousand input tokens, then $ per million: input, output, cached input; smaller model; cache write. */
type Row = readonly [string, string, Tier, number, number, number, number, (string | undefined)?, number?];

const ROWS: readonly Row[] = [
  ["gpt-5.4", "openai", "frontier", 272, 2.5, 15, 0.25, "gpt-5-mini"],
  ["gpt-5.1", "openai", "frontier", 272, 1.25, 10, 0.125, "gpt-5-mini"],
  ["gpt-5", "openai", "frontier", 272, 1.25, 10, 0.125, "gpt-5-mini"],
  ["gpt-5-mini", "openai", "mid", 272, 0.25, 2, 0.025, "gpt-5-nano"],
  ["gpt-5-nano", "openai", "small", 272, 0.05, 0.4, 0.005],
  ["gpt-4.1", "openai", "frontier", 1047, 2, 8, 0.5, "gpt-4.1-mini"],
  ["gpt-4.1-mini", "openai", "mid", 1047, 0.4, 1.6, 0.1, "gpt-4.1-nano"],
  ["gpt-4.1-nano", "openai", "small", 1047, 0.1, 0.4, 0.025],
  ["gpt-4o", "openai", "frontier", 128, 2.5, 10, 1.25, "gpt-4o-mini"],
  ["gpt-4o-mini", "openai", "small", 128, 0.15, 0.6, 0.075],
  ["o4-mini", "openai", "mid", 200, 1.1, 4.4, 0.275, "gpt-5-mini"],
  ["claude-opus-4-6", "anthropic", "frontier", 200, 5, 25, 0.5, "claude-sonnet-4-6", 6.25],
  ["claude-opus-4-5", "anthropic", "frontier", 200, 5, 25, 0.5, "claude-sonnet-4-5", 6.25],
  ["claude-sonnet-4-6", "anthropic", "frontier", 200, 3, 15, 0.3, "claude-haiku-4-5", 3.75],
  ["claude-sonnet-4-5", "anthropic", "frontier", 200, 3, 15, 0.3, "claude-haiku-4-5", 3.75],
  ["claude-haiku-4-5", "anthropic", "mid", 200, 1, 5, 0.1, undefined, 1.25],
  ["gemini-3.1-pro-preview", "gemini", "frontier", 1048, 2, 12, 0.2, "gemini-2.5-flash"],
  ["gemini-2.5-pro", "gemini", "frontier", 1048, 1.25, 10, 0.125, "gemini-2.5-flash"],
  ["gemini-2.5-flash", "gemini", "mid", 1048, 0.3, 2.5, 0.03, "gemini-2.5-flash-lite"],
  ["amazon.nova-2-lite", "bedrock", "mid", 1000, 0.3, 2.5, 0.075],
  // From memory: no second source was at hand when these were written.
  ["o3", "openai", "frontier", 200, 2, 8, 0.5, "o4-mini"],
  ["gemini-2.5-flash-lite", "gemini", "small", 1048, 0.1, 0.4, 0.01],
  ["amazon.nova-pro", "bedrock", "mid", 300, 0.8, 3.2, 0.2, "amazon.nova-2-lite"],
  ["amazon.nova-micro", "bedrock", "small", 128, 0.035, 0.14, 0.00875],
  ["deepseek-chat", "deepseek", "mid", 128, 0.28, 0.42, 0.028],
  ["grok-4", "xai", "frontier", 256, 3, 15, 0.75, "grok-4-fast"],
  ["grok-4-fast", "xai", "small", 2000, 0.2, 0.5, 0.05],
  ["text-embedding-3-small", "openai", "small", 8, 0.02, 0, 0.02],
  ["text-embedding-3-large", "openai", "mid", 8, 0.13, 0, 0.13, "text-embedding-3-small"],
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
  A10G: [1, 0.65],
  L4: [0.8, 0.5],
  T4: [0.53, 0.33],
  V100: [3.06, 1.95],
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

function expand([
  model,
  provider,
  tier,
  thousands,
  input,
  output,
  cached,
  smaller,
  write = input,
]: Row): ModelPrice {
  return {
    model,
    litellm_provider: provider,
    mode: output === 0 ? "embedding" : "chat",
    tier,
    max_input_tokens: thousands * 1000,
    input_cost_per_token: input / 1e6,
    output_cost_per_token: output / 1e6,
    cache_read_input_token_cost: cached / 1e6,
    cache_creation_input_token_cost: write / 1e6,
    ...(smaller === undefined ? {} : { smaller }),
  };
}
