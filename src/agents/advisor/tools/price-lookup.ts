/** What a mix of tokens costs on the models named, and which models of the same class are cheaper. */
import * as z from "zod/mini";
import type { Tool } from "../../tool.ts";
import { MODEL_PRICES, type ModelPrice, PRICES_AS_OF, PRICES_SOURCE } from "../prices.ts";
import { amount, cents, clamp } from "./savings.ts";

const input = z.object({
  models: z.array(z.string()),
  /** Tokens per month; input includes what is read from or written to a cache. */
  input_tokens: amount,
  cached_tokens: amount,
  cache_write_tokens: amount,
  output_tokens: amount,
});

const priced = z.object({ model: z.string(), cost: amount });
const output = z.object({
  models: z.array(priced),
  /** The cheapest model of the same tier: a candidate to test, not an equal. */
  cheaper: z.array(
    z.object({ instead_of: z.string(), model: z.string(), cost: amount, saving_share: amount }),
  ),
});

type Mix = z.infer<typeof input>;
export type Prices = z.infer<typeof output>;

export const priceLookup: Tool<Mix, Prices> = {
  name: "price_lookup",
  description: "Cost of tokens.",
  input,
  output,
  idempotent: true,
  execute(mix) {
    const known = MODEL_PRICES.filter(({ model }) => mix.models.includes(model));
    return {
      as_of: PRICES_AS_OF,
      source: PRICES_SOURCE,
      models: known.map((price) => ({
        model: price.model,
        cost: cents(costOf(price, mix)),
      })),
      cheaper: known.flatMap((price) => cheaper(price, mix)),
      unknown: mix.models.filter((name) => !known.some(({ model }) => model === name)),
    };
  },
};

function costOf(
  price: ModelPrice,
  { input_tokens, cached_tokens, cache_write_tokens, output_tokens }: Mix,
): number {
  const cached = Math.min(cached_tokens, input_tokens);
  const written = Math.min(cache_write_tokens, input_tokens - cached);
  return (
    (input_tokens - cached - written) * price.input_cost_per_token +
    cached * price.cache_read_input_token_cost +
    written * price.cache_creation_input_token_cost +
    output_tokens * price.output_cost_per_token
  );
}

function cheaper(price: ModelPrice, mix: Mix): Prices["cheaper"] {
  const own = costOf(price, mix);
  const [cheapest = price] = MODEL_PRICES.filter(({ tier }) => tier === price.tier).toSorted(
    (a, b) => costOf(a, mix) - costOf(b, mix),
  );
  const { model } = cheapest;
  const cost = costOf(cheapest, mix);
  return cost < own
    ? [{ instead_of: price.model, model, cost: cents(cost), saving_share: clamp(1 - cost / own) }]
    : [];
}
