/** What models cost, in the field names of LiteLLM's `model_prices_and_context_window.json`. */

/** US dollars, as all costs here. */
export interface Price {
  readonly input_cost_per_token: number;
  readonly output_cost_per_token: number;
  readonly cache_read_input_token_cost?: number | undefined;
  readonly cache_creation_input_token_cost?: number | undefined;
  readonly output_cost_per_reasoning_token?: number | undefined;
}

/** By `provider/model`, or by the model alone, whoever provides it. */
export type Prices = ReadonlyMap<string, Price>;
