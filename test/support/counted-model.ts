/** A model that says "Hello." and always costs the same: 10 tokens of input, 4 of them cached, and 5 of output, 2 of them thought. */
import type { Model } from "../../src/agents/models/model.ts";

export const COUNTED = {
  provider: "fake",
  model: "counted",
  input_tokens: 10,
  output_tokens: 5,
  total_tokens: 15,
  cached_input_tokens: 4,
  reasoning_tokens: 2,
};

export const PRICE = {
  input_cost_per_token: 0.001,
  output_cost_per_token: 0.002,
  cache_read_input_token_cost: 0.0005,
  output_cost_per_reasoning_token: 0.003,
};

/** 6 × 0.001 + 4 × 0.0005 + 3 × 0.002 + 2 × 0.003. */
export const COST = 0.02;

/** @param hangs says half a word, and then nothing until it is aborted */
export function countedModel({ hangs = false } = {}): Model {
  return {
    provider: COUNTED.provider,
    model_id: COUNTED.model,
    async *stream(_, { signal }) {
      yield { type: "text", delta: "Hello." };
      if (hangs) {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        return;
      }
      yield { type: "finish", finish_reason: "stop", usage: COUNTED };
    },
  };
}
