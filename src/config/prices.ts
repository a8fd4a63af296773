/** The variable `MODEL_PRICES`: what models cost, as LiteLLM's table of prices has it. */
import * as z from "zod/mini";
import type { Price, Prices } from "../protocol/prices.ts";
import { isRecord } from "../protocol/pure/json.ts";

/** $10,000 for a million tokens: beyond, somebody took a price per million for one per token. */
const MAX_COST_PER_TOKEN = 0.01;

const RULE = "must be an object of prices by model";
const COST_RULE = `must be a number from 0 to ${MAX_COST_PER_TOKEN}, US dollars per token`;

const cost = z.number({ error: COST_RULE }).check(z.gte(0, COST_RULE), z.lte(MAX_COST_PER_TOKEN, COST_RULE));

/** The other fields of LiteLLM's rows are passed over, so that a part of its file can be taken as it is. */
const price = z.object(
  {
    model: z.string().check(z.minLength(1, "must not be empty")),
    input_cost_per_token: cost,
    output_cost_per_token: cost,
    cache_read_input_token_cost: z.optional(cost),
    cache_creation_input_token_cost: z.optional(cost),
    output_cost_per_reasoning_token: z.optional(cost),
  },
  { error: "must be an object with input_cost_per_token and output_cost_per_token" },
);

/** What is wrong is named by its place: the name of a model is for nobody else to read. */
export const modelPrices = z.pipe(
  z.transform((value: unknown) => (isRecord(value) ? Object.entries(value).map(withModel) : value)),
  z.array(price, { error: RULE }),
);

export function pricesOf(rows: z.infer<typeof modelPrices>): Prices {
  return new Map(rows.map(({ model, ...price }): [string, Price] => [model, price]));
}

function withModel([model, price]: [string, unknown]): unknown {
  return isRecord(price) ? { ...price, model } : price;
}
