/** What a mix of tokens costs on the models named, and which models of the same class are cheaper. */
import * as z from "zod/mini";
import type { Tool } from "../../tool.ts";
import { type ModelPrice, withOwnPrices } from "../prices.ts";
import { amount, cents, clamp, ours } from "./savings.ts";

export const mixFields = {
  models: z.array(z.string()),
  /** Tokens per month; input includes what is read from or written to a cache, output what is reasoned. */
  input_tokens: amount,
  cached_tokens: amount,
  cache_write_tokens: amount,
  output_tokens: amount,
  reasoning_tokens: z.optional(amount),
  /** Prices that take the place of the bundled ones: `{prices: {model: {input_cost_per_token, …}}}`. */
  prices: z.optional(z.unknown()),
};

const input = z.object(mixFields);

export interface Prices {
  readonly as_of: string;
  readonly source: string;
  readonly models: ReadonlyArray<{ readonly model: string; readonly cost: number }>;
  /** The cheapest model of the same tier: a candidate to test, not an equal. */
  readonly cheaper: ReadonlyArray<{
    readonly instead_of: string;
    readonly model: string;
    readonly cost: number;
    readonly saving_share: number;
  }>;
  readonly unknown: readonly string[];
}

type Mix = z.infer<typeof input>;
type Tokens = Omit<Mix, "models" | "prices">;

export const priceLookup: Tool<Mix, Prices> = {
  name: "price_lookup",
  description: "Cost of tokens.",
  input,
  output: ours<Prices>(),
  idempotent: true,
  execute(mix) {
    const table = withOwnPrices(mix.prices);
    const known = table.models.filter(({ model }) => mix.models.includes(model));
    return {
      as_of: table.as_of,
      source: table.source,
      models: known.map((price) => ({
        model: price.model,
        cost: cents(costOf(price, mix)),
      })),
      cheaper: known.flatMap((price) => cheaper(price, mix, table.models)),
      unknown: mix.models.filter((name) => !known.some(({ model }) => model === name)),
    };
  },
};

export function costOf(
  price: ModelPrice,
  { input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens = 0 }: Tokens,
): number {
  const cached = Math.min(cached_tokens, input_tokens);
  const written = Math.min(cache_write_tokens, input_tokens - cached);
  const reasoned = Math.min(reasoning_tokens, output_tokens);
  return (
    (input_tokens - cached - written) * price.input_cost_per_token +
    cached * price.cache_read_input_token_cost +
    written * price.cache_creation_input_token_cost +
    (output_tokens - reasoned) * price.output_cost_per_token +
    reasoned * price.output_cost_per_reasoning_token
  );
}

function cheaper(price: ModelPrice, mix: Mix, all: readonly ModelPrice[]): Prices["cheaper"] {
  const own = costOf(price, mix);
  const [cheapest = price] = all
    .filter(({ tier }) => tier === price.tier)
    .toSorted((a, b) => costOf(a, mix) - costOf(b, mix));
  const { model } = cheapest;
  const cost = costOf(cheapest, mix);
  return cost < own
    ? [{ instead_of: price.model, model, cost: cents(cost), saving_share: clamp(1 - cost / own) }]
    : [];
}
