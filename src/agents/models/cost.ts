/** What a call of a model costs, as far as anybody knows. */
import type { Prices } from "../../protocol/prices.ts";
import type { Usage } from "./model.ts";

/**
 * What is read from or written to a cache is part of the input, reasoning is part
 * of the output; what has no price of its own costs what the rest does.
 * @returns undefined without a price: what nobody knows is not 0
 */
export function costOf(usage: Usage, prices: Prices): number | undefined {
  const price = prices.get(`${usage.provider}/${usage.model}`) ?? prices.get(usage.model);
  if (price === undefined) return undefined;
  const { input_cost_per_token: input, output_cost_per_token: output } = price;
  const cached = Math.min(usage.cached_input_tokens ?? 0, usage.input_tokens);
  const written = Math.min(usage.cache_write_input_tokens ?? 0, usage.input_tokens - cached);
  const reasoning = Math.min(usage.reasoning_tokens ?? 0, usage.output_tokens);
  return dollars(
    (usage.input_tokens - cached - written) * input +
      cached * (price.cache_read_input_token_cost ?? input) +
      written * (price.cache_creation_input_token_cost ?? input) +
      (usage.output_tokens - reasoning) * output +
      reasoning * (price.output_cost_per_reasoning_token ?? output),
  );
}

/** Without the digits that binary fractions add: 0.1 + 0.2 is 0.3. */
export function dollars(amount: number): number {
  return Number(amount.toPrecision(12));
}
