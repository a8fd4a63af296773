/** The arithmetic of the tools, against numbers worked out by hand. */
import { describe, expect, test } from "vitest";
import { BUNDLED, gpuRate, priceOf } from "../../../src/agents/advisor/prices.ts";
import { dataPipelineAudit } from "../../../src/agents/advisor/tools/data-pipeline-audit.ts";
import { gpuRightsizing } from "../../../src/agents/advisor/tools/gpu-rightsizing.ts";
import { priceLookup } from "../../../src/agents/advisor/tools/price-lookup.ts";
import { rankRecommendations } from "../../../src/agents/advisor/tools/rank-recommendations.ts";
import { simulateBatch } from "../../../src/agents/advisor/tools/simulate-batch.ts";
import { simulateCaching } from "../../../src/agents/advisor/tools/simulate-caching.ts";
import { simulateRouting } from "../../../src/agents/advisor/tools/simulate-routing.ts";
import {
  speedSaving,
  spotSaving,
  trainingEfficiency,
} from "../../../src/agents/advisor/tools/training-efficiency.ts";
import { SchemaError, validate } from "../../../src/agents/schema.ts";
import type { Tool } from "../../../src/agents/tool.ts";
import { toolContext } from "../../support/drive-agent.ts";

const context = toolContext();

/** As the host does it: arguments are validated first. */
async function run<Args, Result>(tool: Tool<Args, Result>, args: Args): Promise<Result> {
  return tool.execute(validate(tool.input, args, tool.name), context);
}

describe("simulate_caching", () => {
  // 1M of input tokens a month at $3: half repeats, 80 % of that hits at $0.30, the rest is written at $3.75.
  const args = {
    spend: 6,
    input_share: 0.5,
    repeated: [0.5, 0.5] as [number, number],
    hits: [0.8, 0.8] as [number, number],
    price_in: 3,
    price_cached: 0.3,
    price_write: 3.75,
  };

  test("[G10] counts cheaper reads, less dearer writes", async () => {
    // 0.5 × 0.8 × 2.70 − 0.5 × 0.2 × 0.75 = 1.08 − 0.075
    const { levers } = await run(simulateCaching, args);
    expect(levers[0]).toMatchObject({ lever: "cache", share: [0.1675, 0.1675], saving: [1.01, 1.01] });
  });

  test("[G10] knows the hit rate that breaks even", async () => {
    // 0.75 ÷ (2.70 + 0.75)
    expect(await run(simulateCaching, args)).toMatchObject({ break_even_hit_rate: 0.2174 });
    expect(await run(simulateCaching, { ...args, price_write: 3 })).toMatchObject({ break_even_hit_rate: 0 });
    expect(await run(simulateCaching, { ...args, price_cached: 3 })).toMatchObject({
      break_even_hit_rate: 1,
    });
  });

  test.each([
    ["below break-even", { hits: [0.1, 0.1] as [number, number] }],
    ["without prices", { price_in: 0, price_cached: 0, price_write: 0 }],
    ["without spend", { spend: 0 }],
    ["where reads are not cheaper", { price_cached: 3 }],
  ])("[G10] saves nothing %s", async (_, change) => {
    expect((await run(simulateCaching, { ...args, ...change })).levers[0]?.saving).toEqual([0, 0]);
  });
});

describe("simulate_routing", () => {
  const args = {
    spend: 10_000,
    addressable: 1,
    price_big: 6,
    price_small: 2,
    routed: [0.3, 0.5] as [number, number],
    escalation: 0.1,
  };

  test("[G10] counts what escalates twice", async () => {
    // 0.3 × (0.9 − 1/3) and 0.5 × (0.9 − 1/3)
    expect((await run(simulateRouting, args)).levers[0]).toMatchObject({
      share: [0.17, 0.2833],
      saving: [1_700, 2_833],
    });
  });

  test("[G10] shows how the saving depends on escalations", async () => {
    const { notes } = await run(simulateRouting, args);
    expect(notes?.[0]?.text).toBe(
      "Break-even where 67 % of routed calls escalate. It saves, of this spend: 0 % escalate: 20–33 %, 10 % escalate: 17–28 %, 20 % escalate: 14–23 %, 30 % escalate: 11–18 %",
    );
  });

  test("[G10] applies to the share of the big model only", async () => {
    expect((await run(simulateRouting, { ...args, addressable: 0.5 })).levers[0]?.saving).toEqual([
      850, 1_417,
    ]);
  });

  test.each([
    ["a smaller model that costs more", { price_small: 9 }],
    ["every call escalating", { escalation: 1 }],
    ["no price", { price_big: 0 }],
    ["nothing routed", { routed: [0, 0] as [number, number] }],
  ])("[G10] saves nothing with %s", async (_, change) => {
    expect((await run(simulateRouting, { ...args, ...change })).levers[0]?.saving).toEqual([0, 0]);
  });
});

describe("gpu_rightsizing", () => {
  const args = {
    spend: 10_000,
    utilisation: [0.35, 0.35] as [number, number],
    target: [0.5, 0.7] as [number, number],
    on_demand_rate: 4,
    committed_rate: 3,
    steady: [0.4, 0.6] as [number, number],
  };

  test("[G10] frees what the target does not need", async () => {
    const result = await run(gpuRightsizing, args);
    expect(result.levers[0]).toMatchObject({ lever: "rightsize", share: [0.3, 0.5], saving: [3_000, 5_000] });
  });

  test("[G10] prices a commitment", async () => {
    const result = await run(gpuRightsizing, args);
    expect(result.levers[1]).toMatchObject({ lever: "commit", share: [0.1, 0.15] });
  });

  test("[G10] frees whole GPUs where the fleet is known", async () => {
    // 3 × 0.35 ÷ 0.5 = 2.1 → 3; 3 × 0.35 ÷ 0.7 = 1.5 → 2
    expect((await run(gpuRightsizing, { ...args, gpus: 3 })).levers[0]?.share).toEqual([0, 0.3333]);
    // Exactly 8 of 16, in spite of binary fractions.
    expect((await run(gpuRightsizing, { ...args, gpus: 16 })).levers[0]?.share).toEqual([0.25, 0.5]);
  });

  test.each([
    ["a fleet that is busy already", { utilisation: [0.9, 0.9] as [number, number] }],
    ["a target of nothing", { target: [0, 0] as [number, number] }],
    ["a single GPU", { gpus: 1 }],
    ["no spend", { spend: 0 }],
  ])("[G10] right-sizing saves nothing with %s", async (_, change) => {
    expect((await run(gpuRightsizing, { ...args, ...change })).levers[0]?.saving).toEqual([0, 0]);
  });

  test.each([
    ["committed already", { steady: [0, 0] as [number, number] }],
    ["dearer than by the hour", { committed_rate: 9 }],
    ["of unknown price", { on_demand_rate: 0 }],
  ])("[G10] a commitment saves nothing where it is %s", async (_, change) => {
    expect((await run(gpuRightsizing, { ...args, ...change })).levers[1]?.saving).toEqual([0, 0]);
  });
});

describe("products of factors", () => {
  test("[G10] a batch saves what can wait × the discount", async () => {
    const levers = {
      batch: { "can wait": [0.1, 0.3] as [number, number], discount: [0.5, 0.5] as [number, number] },
    };
    const result = await run(simulateBatch, { spend: 1_000, levers });
    expect(result.levers).toEqual([
      {
        lever: "batch",
        share: [0.05, 0.15],
        saving: [50, 150],
        how: "10–30 % can wait × 50 % discount = 5–15 %",
      },
    ]);
  });

  test("[G10] training and data levers are worked out side by side", async () => {
    const half: [number, number] = [0.5, 0.5];
    const levers = { spot: { a: half, b: half }, waste: { c: half } };
    for (const tool of [trainingEfficiency, dataPipelineAudit]) {
      const { levers: found } = await run(tool, { spend: 100, levers });
      expect(found.map(({ lever, saving }) => [lever, saving])).toEqual([
        ["spot", [25, 25]],
        ["waste", [50, 50]],
      ]);
    }
  });

  test("[G10] spot pays for repeated work, and a speed-up saves time", () => {
    expect(spotSaving(0.6, 0.1)).toBe(0.56); // 1 − 0.4 × 1.1
    expect(spotSaving(0.05, 0.5)).toBe(0);
    expect(speedSaving(1.25)).toBe(0.2);
    expect(speedSaving(0.5)).toBe(0);
  });

  test.each([
    ["a negative spend", { spend: -1, levers: {} }],
    ["a share above one", { spend: 1, levers: { batch: { a: [0, 1.5] as [number, number] } } }],
    ["a spend that is no number", { spend: Number.NaN, levers: {} }],
  ])("[G10] %s is refused", async (_, args) => {
    await expect(run(simulateBatch, args)).rejects.toThrow(SchemaError);
  });
});

describe("price_lookup", () => {
  const mix = { input_tokens: 10e6, output_tokens: 2e6, cached_tokens: 0, cache_write_tokens: 0 };

  test("[G10] prices a mix, cached and written tokens apart", async () => {
    const cost = async (change: Partial<typeof mix>) =>
      (await run(priceLookup, { models: ["claude-sonnet-4-6"], ...mix, ...change })).models[0]?.cost;
    expect(await cost({})).toBe(60); // 10 × 3 + 2 × 15
    expect(await cost({ cached_tokens: 6e6 })).toBe(43.8); // 4 × 3 + 6 × 0.30 + 30
    expect(await cost({ cached_tokens: 6e6, cache_write_tokens: 4e6 })).toBe(46.8); // 1.80 + 4 × 3.75 + 30
    expect(await cost({ cached_tokens: 99e6 })).toBe(33); // never more cached than there is input
  });

  test("[G10] names the cheapest model of the same tier, if there is a cheaper one", async () => {
    const { cheaper } = await run(priceLookup, { models: ["claude-opus-4-6", "gpt-5"], ...mix });
    // 10 × 1.25 + 2 × 10 instead of 10 × 5 + 2 × 25
    expect(cheaper).toEqual([
      { instead_of: "claude-opus-4-6", model: "gpt-5", cost: 32.5, saving_share: 0.675 },
    ]);
  });

  test("[G10] says which models it does not know", async () => {
    expect(await run(priceLookup, { models: ["gpt-99"], ...mix })).toMatchObject({
      models: [],
      unknown: ["gpt-99"],
    });
    expect(await run(priceLookup, { models: [], ...mix })).toMatchObject({
      models: [],
      cheaper: [],
      unknown: [],
    });
  });

  test("[G10] the table is whole: positive prices, cached not dearer, smaller models cheaper and present", () => {
    expect(BUNDLED.models.length).toBeGreaterThanOrEqual(12);
    expect(new Set(BUNDLED.models.map(({ model }) => model)).size).toBe(BUNDLED.models.length);
    for (const price of BUNDLED.models) {
      expect(price.input_cost_per_token, price.model).toBeGreaterThan(0);
      expect(price.cache_read_input_token_cost, price.model).toBeLessThanOrEqual(price.input_cost_per_token);
      if (price.smaller === undefined) continue;
      expect(priceOf(price.smaller)?.input_cost_per_token, price.model).toBeLessThan(
        price.input_cost_per_token,
      );
    }
    expect(priceOf("gpt-5.4")).toMatchObject({ input_cost_per_token: 2.5e-6, output_cost_per_token: 15e-6 });
    expect(gpuRate("H100")?.committed).toBeLessThan(gpuRate("H100")?.on_demand ?? 0);
    expect(gpuRate("toString")).toBeUndefined();
  });
});

describe("rank_recommendations", () => {
  const lever = (name: string, share: [number, number], more: object = {}) => ({
    lever: name,
    bucket: "gpu",
    share,
    confidence: "high" as const,
    effort: "low" as const,
    ...more,
  });
  const rank = (levers: Array<ReturnType<typeof lever>>, spend = 1_000) =>
    run(rankRecommendations, { buckets: [{ bucket: "gpu", spend }], levers, alternatives: [] });

  test("[G10] orders by saving × confidence ÷ effort", async () => {
    const { ranked } = await rank([
      lever("hard", [0.5, 0.5], { effort: "high" }), // 500 × 0.9 ÷ 3 = 150
      lever("unsure", [0.4, 0.4], { confidence: "low" }), // 400 × 0.35 = 140
      lever("easy", [0.2, 0.2]), // 200 × 0.9 = 180
    ]);
    expect(ranked.map(({ lever: name, score }) => [name, score])).toEqual([
      ["easy", 180],
      ["hard", 150],
      ["unsure", 140],
    ]);
  });

  test("[G10] compounds levers on the same bucket", async () => {
    // 1 − 0.5 × 0.6 = 0.7 of 1,000
    const result = await rank([lever("a", [0.5, 0.5]), lever("b", [0.4, 0.4])]);
    expect(result.ranked.map(({ saving }) => saving)).toEqual([
      [500, 500],
      [200, 200],
    ]);
    expect(result).toMatchObject({ total: [700, 700], share: [0.7, 0.7] });
  });

  test("[G10] rounds to three figures, and the total is the sum of what is shown", async () => {
    const result = await rank([lever("a", [0.1234, 0.5678])], 10_000);
    expect(result.ranked[0]?.saving).toEqual([1_230, 5_680]);
    expect(result.total).toEqual([1_230, 5_680]);
    // 38 % of 45,000 is 17,100, and 9 % of 25,000 is 2,250: no reader should have to wonder.
    expect((await rank([lever("a", [0.31, 0.38])], 45_000)).total).toEqual([14_000, 17_100]);
    expect((await rank([lever("a", [0.09, 0.0901])], 25_000)).total).toEqual([2_250, 2_250]);
  });

  test("[G10] rounding never passes the bucket", async () => {
    expect((await rank([lever("a", [1, 1])], 99_990)).total).toEqual([99_990, 99_990]);
    expect(
      (await rank([lever("a", [0.9996, 0.9996]), lever("b", [1, 1])], 12_345)).total[1],
    ).toBeLessThanOrEqual(12_345);
  });

  test("[G10] never passes the bucket, even where low ends overlap high ends", async () => {
    const result = await rank([lever("a", [0, 0.9]), lever("b", [0.9, 0.9]), lever("c", [1, 1])]);
    expect(result.total[1]).toBeLessThanOrEqual(1_000);
    expect(result.total[0]).toBeLessThanOrEqual(result.total[1]);
  });

  test("[G10] ranks the same levers on other splits", async () => {
    const alternatives = [{ name: "half", buckets: [{ bucket: "gpu", spend: 500 }] }];
    const result = await run(rankRecommendations, {
      buckets: [{ bucket: "gpu", spend: 1_000 }],
      levers: [lever("a", [0.2, 0.4])],
      alternatives,
    });
    expect(result.alternatives).toEqual([{ name: "half", total: [100, 200], share: [0.2, 0.4] }]);
  });

  test.each([
    ["no levers", []],
    ["a bucket without spend", [lever("a", [0.5, 0.5], { bucket: "data" })]],
    ["levers that save nothing", [lever("a", [0, 0])]],
  ])("[G10] ranks nothing with %s", async (_, levers) => {
    expect(await rank(levers)).toMatchObject({ ranked: [], total: [0, 0], share: [0, 0] });
  });
});
