import { describe, expect, test } from "vitest";
import { costOf } from "../../../src/agents/models/cost.ts";
import type { Usage } from "../../../src/agents/models/model.ts";
import type { Price } from "../../../src/protocol/prices.ts";
import { COST, COUNTED, PRICE } from "../../support/counted-model.ts";

const PLAIN: Price = { input_cost_per_token: 0.001, output_cost_per_token: 0.002 };
const CALL: Usage = { provider: "p", model: "m", input_tokens: 10, output_tokens: 5, total_tokens: 15 };

function cost(more: Partial<Usage>, price: Price, key = "m") {
  return costOf({ ...CALL, ...more }, new Map([[key, price]]));
}

describe("what a call costs", () => {
  test("[U1] is its input and output, and what is cached or thought at its own price", () => {
    expect(cost({}, PLAIN)).toBe(0.02);
    expect(costOf(COUNTED, new Map([["counted", PRICE]]))).toBe(COST);
    const written = { cached_input_tokens: 4, cache_write_input_tokens: 6, output_tokens: 0 };
    const price = { ...PLAIN, cache_read_input_token_cost: 0, cache_creation_input_token_cost: 0.005 };
    expect(cost(written, price)).toBe(0.03);
  });

  test("[U1] what has no price of its own costs what the rest does", () => {
    expect(cost({ cached_input_tokens: 4, cache_write_input_tokens: 2, reasoning_tokens: 3 }, PLAIN)).toBe(
      0.02,
    );
  });

  test("[U1] the price of this provider goes before that of the model", () => {
    const dear = { input_cost_per_token: 0.01, output_cost_per_token: 0 };
    const prices = new Map<string, Price>([
      ["m", PLAIN],
      ["p/m", dear],
    ]);
    expect(costOf(CALL, prices)).toBe(0.1);
    expect(costOf({ ...CALL, provider: "q" }, prices)).toBe(0.02);
  });

  test.each([
    ["no price at all", "n"],
    ["another provider's", "q/m"],
    ["one that only begins alike", "m-2"],
    ["a name every object has", "constructor"],
  ])("[U1] with %s nobody knows, which is not 0", (_, key) => {
    expect(cost({}, PLAIN, key)).toBeUndefined();
  });

  test("[U1] what is free costs 0, and more cached than there was is all of it", () => {
    expect(cost({}, { input_cost_per_token: 0, output_cost_per_token: 0 })).toBe(0);
    const much = { cached_input_tokens: 99, cache_write_input_tokens: 99, reasoning_tokens: 99 };
    expect(cost(much, { ...PLAIN, cache_read_input_token_cost: 0.0001 })).toBe(0.011);
  });
});
