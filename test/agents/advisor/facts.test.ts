/** What is read from what people write, nasty cases included. */
import { describe, expect, test } from "vitest";
import { understand } from "../../../src/agents/advisor/facts/facts.ts";
import { middle } from "../../../src/agents/advisor/facts/message.ts";

const read = (text: string) => understand(text, []).facts;

/** Spend per month: the total, or the sum of the parts. */
function monthly(text: string): number | undefined {
  const { total, parts, rest } = read(text);
  if (total !== undefined) return Math.round(middle(total));
  return parts.length > 0 ? Math.round(parts.reduce((sum, { amount }) => sum + amount, 0) + rest) : undefined;
}

describe("spend", () => {
  test.each<[string, number | undefined, string?]>([
    ["I'm spending $50k/month on AI infrastructure", 50_000, "USD"],
    ["$50K per month", 50_000, "USD"],
    ["we spend $ 50 k a month", 50_000, "USD"],
    ["$600,000 per year on AI", 50_000, "USD"],
    ["$0.6m per annum", 50_000, "USD"],
    ["0.6m€/yr", 50_000, "EUR"],
    ["$1.2 million annually", 100_000, "USD"],
    ["$1.2bn/year", 100_000_000, "USD"],
    ["50,000 USD a month", 50_000, "USD"],
    ["USD 50,000 monthly", 50_000, "USD"],
    ["€20k", 20_000, "EUR"],
    ["20.000 € per month", 20_000, "EUR"],
    ["20 000 € a month", 20_000, "EUR"],
    ["1,5k€ per month", 1_500, "EUR"],
    ["CHF 50'000 each month", 50_000, "CHF"],
    ["£12,500.50 per month", 12_501, "GBP"],
    ["$40-60k per month", 50_000, "USD"],
    ["$40k to $60k a month", 50_000, "USD"],
    ["between $40k and $60k monthly", 50_000, "USD"],
    ["$5–10k/mo", 7_500, "USD"],
    ["$1,000 a day", 30_417, "USD"],
    ["$12k a week", 52_000, "USD"],
    ["$150k per quarter", 50_000, "USD"],
    ["our AI bill is 50k a month", 50_000, "USD"],
    ["we pay 50,000 for AI services", 50_000, "USD"],
    ["We pay $30k on GPUs and $20k on OpenAI per month", 50_000, "USD"],
    ["GPUs: $30k, OpenAI: $12.5k, Snowflake $7.5k (monthly)", 50_000, "USD"],
    ["$50k/month in total, of which $30k is GPUs", 50_000, "USD"],
    ["$30k on GPUs and another $20k elsewhere", 50_000, "USD"],
    ["we spend $50k/month and want to cut to $30k", 50_000, "USD"],
    ["cut our $50k/month bill", 50_000, "USD"],
    ["reduce from $50k to $30k a month", 50_000, "USD"],
    ["costs went from $30k to $50k a month", 50_000, "USD"],
    ["up from $30k we now spend $50k a month", 50_000, "USD"],
    ["We make $2M ARR and spend $50k a month on ml", 50_000, "USD"],
    ["we raised $5m and burn $50k/month on AI", 50_000, "USD"],
    ["our budget is $50k/month", 50_000, "USD"],
    ["we spend up to $50k a month", 50_000, "USD"],
    ["$50k a month on GPUs, so $600k a year on GPUs", 50_000, "USD"],
    ["we spend $50k/month on 200M tokens/day", 50_000, "USD"],
    ["we spend $50k per month, $3 per 1M tokens", 50_000, "USD"],
    ["５０，０００ USD per month", 50_000, "USD"],
    ["we spend about 50 thousand dollars a month", 50_000, "USD"],
    ["Monthly: GPU 22k, API 14k, storage 3k EUR", 39_000, "EUR"],
    ["our costs doubled from $25k to $50k per month", 50_000, "USD"],
    ["Our Anthropic bill hit $18,432.17 last month, up from $9k", 18_432, "USD"],
    ["a budget of $10k per month, and currently we spend $14k", 14_000, "USD"],
    ["we pay 3k for GPT-4o and 12k for 8xA100 at 35% utilization", 15_000, "USD"],
    ["wir zahlen 12.000 Euro pro Jahr für KI", 1_000, "EUR"],
    ["KI kostet uns 1,5 Mio. € pro Jahr", 125_000, "EUR"],
    ["2 Mrd. € im Jahr", 166_666_667, "EUR"],
    ["nous payons 12 000 € par an", 1_000, "EUR"],
    ["30.000 euros al año", 2_500, "EUR"],
    ["nous dépensons 5 millions d'euros par an", 416_667, "EUR"],
    ["2 millones de euros al año", 166_667, "EUR"],
    ["Our AI spend isn't $50k, it's $60k a month", 60_000, "USD"],
    ["we pay $10k, not $12k, a month", 10_000, "USD"],
    ["700 € pro Tag", 21_292, "EUR"],
    ["₹40 lakh a month", 4_000_000, "INR"],
    ["₹2 crore a year", 1_666_667, "INR"],
    ["our AI bill is 5 million yen a month", 5_000_000, "JPY"],
    ["¥300,000 per month", 300_000, "JPY"],
    ["we spend two hundred thousand dollars a month", 200_000, "USD"],
    ["fifty thousand euros per month", 50_000, "EUR"],
    ["a million dollars a year", 83_333, "USD"],
    ["half a million dollars a year", 41_667, "USD"],
    ["ninety thousand dollars a month", 90_000, "USD"],
    ["ten thousand dollars a month", 10_000, "USD"],
    ["twenty thousand dollars a month", 20_000, "USD"],
    ["we have 22k users, 14k sessions and no costs", undefined],
    ["we pay 3k for GPT-4o, and have 12k users", 3_000, "USD"],
    ["$0.50 per 1M tokens", undefined],
    ["$3 per 1M input tokens and $15 per million output tokens", undefined],
    ["cut costs to $30k", undefined],
    ["keep it under $30k", undefined],
    ["save $10k a month", undefined],
    ["cut costs by $10k per month", undefined],
    ["we have $100k in AWS credits", undefined],
    ["tokens cost $3 per 1M tokens", undefined],
    ["$20 per seat", undefined],
    ["we serve 50k requests a day", undefined],
    ["in 2025 we launched", undefined],
    ["$0/month", undefined],
    ["$-", undefined],
    ["$99999999999999999999 a month", undefined],
    ["save 30%", undefined],
    ["", undefined],
  ])("[G8] %j comes to %s a month", (text, expected, currency) => {
    expect(monthly(text)).toBe(expected);
    expect(read(text).currency).toBe(currency);
  });

  test("[G8] parts keep what they are for", () => {
    expect(read("GPUs: $30k, OpenAI: $12.5k, Snowflake $7k (monthly)").parts).toMatchObject([
      { scope: "gpu", amount: 30_000 },
      { scope: "llm_api", amount: 12_500 },
      { scope: "data", amount: 7_000 },
    ]);
  });

  test.each<[string, unknown[]]>([
    ["$20k on Pinecone and $30k on OpenAI", ["platform", "llm_api"]],
    ["We pay $5k/month on Acme and $10k on GPUs", ["platform", "gpu"]],
    ["$50k a month on Generative AI", []],
    ["$12k a month for June", []],
    ["$50k a month on AI", []],
  ])("[G8] who nobody knows is no GPU: %j", (text, scopes) => {
    expect(read(text).parts.map(({ scope }) => scope)).toEqual(scopes);
  });

  test.each<[string, object]>([
    ["we spend $50k/month, cut it to $30k", { target: 30_000 }],
    ["we spend $50k/month, target $30k", { target: 30_000 }],
    ["I want to spend $30k, now it is $50k a month", { target: 30_000 }],
    ["we spend $50k/month with a budget of $40k", { target: 40_000 }],
    ["our budget is $40k, now we spend €50k a month", { target: undefined }],
    ["We have a $20k budget but pay $35k a month", { target: 20_000, total: { low: 35_000 } }],
    ["We have a $20k budget but spent $35k last month", { target: 20_000, total: { low: 35_000 } }],
    ["$20k monthly AI budget, we burn about $35k", { target: 20_000, total: { low: 35_000 } }],
    ["We have a $20k budget a month", { target: undefined, total: { low: 20_000, role: "budget" } }],
  ])("[G8] %j holds a wish", (text, wish) => {
    expect(read(text)).toMatchObject(wish);
  });

  test("[G8] a second currency is set aside", () => {
    expect(read("We pay €20k for APIs and $5k for GPUs a month")).toMatchObject({
      currency: "EUR",
      left_out: ["$5k"],
    });
  });
});

describe("hardware", () => {
  test.each<[string, Array<{ count: number; type: string }>]>([
    ["8xA100", [{ count: 8, type: "A100" }]],
    ["8 x A100 80GB", [{ count: 8, type: "A100" }]],
    ["16 H100s", [{ count: 16, type: "H100" }]],
    ["40 × L4", [{ count: 40, type: "L4" }]],
    ["4 nvidia T4 GPUs", [{ count: 4, type: "T4" }]],
    ["2 nodes of 8xH100", [{ count: 16, type: "H100" }]],
    ["2x 8xA100", [{ count: 16, type: "A100" }]],
    ["H100 x 8", [{ count: 8, type: "H100" }]],
    ["1,024 H100s", [{ count: 1024, type: "H100" }]],
    ["24 GPUs", [{ count: 24, type: "GPU" }]],
    [
      "16 H100s and 40 L40S",
      [
        { count: 16, type: "H100" },
        { count: 40, type: "L40S" },
      ],
    ],
    ["16 H100s, those 16 H100s idle", [{ count: 16, type: "H100" }]],
    ["our H100s", []],
    ["$24 GPUs", []],
    ["5000 GPU-hours", []],
    ["GPT-5", []],
  ])("[G9] %j is a fleet", (text, gpus) => {
    expect(read(text).gpus).toEqual(gpus);
  });

  test.each<[string, number | undefined]>([
    ["8xA100 at 40% utilization", 0.4],
    ["GPUs at 35%", 0.35],
    ["our H100s are at 35 %", 0.35],
    ["The A100s run at 60 %", 0.6],
    ["16 H100s are idle 60 % of the time", 0.4],
    ["utilisation is around 30-40%", 0.35],
    ["our GPUs are idle 60% of the time", 0.4],
    ["40 percent utilised", 0.4],
    ["utilization of 140%", undefined],
    ["Auslastung 30 Prozent", 0.3],
    ["30 pour cent d'utilisation", 0.3],
    ["80% of it on GPT-5", undefined],
    ["90% cache hit rate", undefined],
  ])("[G9] utilisation in %j", (text, expected) => {
    const { utilisation } = read(text).percents;
    expect(utilisation === undefined ? undefined : Math.round(utilisation * 100) / 100).toBe(expected);
  });

  test.each<[string, Array<readonly [number, string, (number | undefined)?, string?]>]>([
    [
      "8 reserved H100 and 8 spot H100",
      [
        [8, "H100", undefined, "reserved"],
        [8, "H100", undefined, "spot"],
      ],
    ],
    [
      "10 A100 at 30 % and 4 H100 at 80 %, all reserved",
      [
        [10, "A100", 0.3, "reserved"],
        [4, "H100", 0.8, "reserved"],
      ],
    ],
    [
      "We have 16 H100s at 35 % and 3 A100s. The 3 A100s are idle.",
      [
        [16, "H100", 0.35],
        [3, "A100", 0],
      ],
    ],
    ["4x A100 spot, 12 hours a day", [[4, "A100", undefined, "spot"]]],
    ["8xA100 at 40 % utilisation", []],
    ["Should we move 8 H100s to spot or reserved?", []],
    ["10 A100 and 4 H100, 60 % of it on the H100s", []],
  ])("[G9] each fleet keeps its load and its terms in %j", (text, expected) => {
    const fleets = (read(text).fleets ?? []).map(({ gpus: [each], utilisation, purchase }) => [
      each?.count,
      each?.type,
      utilisation,
      purchase,
    ]);
    expect(fleets).toEqual(expected.map(([count, type, used, terms]) => [count, type, used, terms]));
  });

  test("[G9] a load is weighted by GPUs, and one given later holds for all", () => {
    const said = "16 H100s at 50 %, 4 A100s idle";
    expect(read(said).percents.utilisation).toBeCloseTo(0.4);
    const { facts } = understand("and at 70 % utilisation, all committed?", [said]);
    expect(facts.fleets?.map(({ utilisation }) => utilisation)).toEqual([0.7, 0.7]);
    expect(understand("we reserved nothing", [said]).facts.committed).toBe(false);
  });

  test.each<[string, boolean]>([
    ["Should we buy reserved capacity for 8 A100s running 24/7 at 85 %?", false],
    ["Spot or reserved?", false],
    ["What would reserved capacity save? Our 8 A100s are on demand", false],
    ["Is it worth buying savings plans?", false],
    ["Our 8 reserved H100s are at 30 %, where can we save?", true],
    ["We have savings plans. Where can we save?", true],
  ])("[G9] a question about commitments is none: %j", (text, committed) => {
    expect(read(text).committed).toBe(committed);
  });

  test.each<[string, number | undefined]>([
    ["Fine-tune weekly on 8 H100s for 20 hours", (20 * 52) / 12],
    ["every month a run on 8 H100s takes 100 hours", 100],
    ["training on 8 H100s for 20 hours", undefined],
    ["24/7", 730],
    ["8 hours a day", 243],
    ["40 hours per week", 173],
    ["30 hours a day", 730],
    ["hours", undefined],
  ])("[G9] hours in %j", (text, expected) => {
    const { hours } = read(text);
    expect(hours && Math.round(hours)).toBe(expected && Math.round(expected));
  });

  test("[G9] a rate per GPU-hour is no spend", () => {
    for (const text of [
      "10 H100s at $2.50 per GPU hour",
      "10 H100s at $2.50/hr per GPU",
      "H100 at $2.50/hr",
    ]) {
      expect(read(text), text).toMatchObject({ gpu_rate: 2.5, parts: [], total: undefined });
    }
  });

  test.each<[string, number | undefined]>([
    ["$0.50 per 1M tokens and 2B tokens a month", 0.5],
    ["$0.0005 per 1k tokens", 0.5],
    ["$0.50 / million tokens", 0.5],
    ["$0.000002 per token", undefined],
    ["$3 per 1M input tokens", undefined],
    ["$20 per seat", undefined],
  ])("[G9] a price per million tokens in %j", (text, expected) => {
    const { token_rate } = read(text);
    expect(token_rate && Math.round(token_rate * 1e6) / 1e6).toBe(expected);
  });

  test("[G9] reserved capacity is noticed, its absence too", () => {
    expect(read("all reserved instances").committed).toBe(true);
    expect(read("nothing is on demand, no reserved").committed).toBe(false);
    expect(read("not committed yet").committed).toBe(false);
  });
});

describe("what is not there", () => {
  test.each<[string, string[]]>([
    ["No, we have no GPUs at all", ["gpu"]],
    ["$50k a month, we do not train models", ["training"]],
    ["We don’t train or run any GPUs", ["training", "gpu"]],
    ["$50k/month without GPUs", ["gpu"]],
    ["none of it is GPUs", ["gpu"]],
    ["no GPU reservations yet", []],
    ["We have no GPU utilisation data", []],
    ["our GPUs are not busy", []],
    ["What if we had no GPUs?", []],
    ["we do not know", []],
  ])("[G8] %j names what is nothing", (text, absent) => {
    expect(read(text).absent).toEqual(absent);
  });

  test("[G8] what was said to be nothing is, until it gets an amount", () => {
    const said = ["We spend $50k/month on AI infrastructure, $10k of it on GPUs", "we have no GPUs"];
    expect(understand("and?", said).facts).toMatchObject({ absent: ["gpu"] });
    expect(understand("sorry: $5k of it on GPUs", said).facts).toMatchObject({ absent: [] });
  });
});

describe("models and tokens", () => {
  test.each<[string, string[]]>([
    ["GPT 5", ["gpt-5"]],
    ["gpt-5-mini and gpt-5", ["gpt-5-mini", "gpt-5"]],
    ["claude-sonnet-4-6", ["claude-sonnet-4-6"]],
    ["Claude Sonnet 4.6", ["claude-sonnet-4-6"]],
    ["sonnet 4.6 and haiku 4.5", ["claude-sonnet-4-6", "claude-haiku-4-5"]],
    ["gemini 2.5 flash", ["gemini-2.5-flash"]],
    ["gemini-3.1-pro", ["gemini-3.1-pro-preview"]],
    ["nova-2-lite", ["amazon.nova-2-lite"]],
    ["gpt-5.5", []],
    ["llama-3-70b", []],
    ["gpt", []],
  ])("[G9] %j names models", (text, models) => {
    expect(read(text).models).toEqual(models);
  });

  test.each<[string, number | undefined, boolean?]>([
    ["200M tokens/day", 200e6 * (365 / 12), true],
    ["5B tokens a month", 5e9, true],
    ["1.5 million tokens per week", 1.5e6 * (52 / 12), true],
    ["300M tokens", 300e6, false],
    ["200M input and 40M output tokens per month", 240e6, true],
    ["2,000 tokens per request", undefined],
    ["$3 tokens", undefined],
    ["tokens", undefined],
  ])("[G9] tokens per month in %j", (text, total, stated) => {
    expect(read(text).tokens?.total).toBe(total);
    expect(read(text).tokens?.period_stated).toBe(stated);
  });

  test.each<[string, number | undefined, number | undefined, boolean?]>([
    ["500k documents a month, each 3,000 input and 500 output tokens", 1.5e9, 0.25e9, true],
    ["6k token system prompt with each of 2 million calls a month", 12e9, undefined, true],
    ["2M calls of 6,000/300 tokens on gpt-5", 12e9, 0.6e9, false],
    ["40k calls/day, 3k/500 tokens each", 120e6 * (365 / 12), 20e6 * (365 / 12), true],
    ["we do 2M API calls per month, 1,200 input tokens and 300 output tokens each", 2.4e9, 0.6e9, true],
    ["200M input and 40M output tokens a month, 2M calls a day", 200e6, 40e6, true],
    ["3,000 input tokens per request", undefined, undefined],
    ["prompts of 6,000/300 tokens", undefined, undefined],
  ])("[G9] tokens of one call are multiplied by the calls in %j", (text, input, output, stated) => {
    const { tokens } = read(text);
    expect(tokens?.input === undefined ? undefined : Math.round(tokens.input)).toBe(
      input === undefined ? undefined : Math.round(input),
    );
    expect(tokens?.output === undefined ? undefined : Math.round(tokens.output)).toBe(
      output === undefined ? undefined : Math.round(output),
    );
    expect(tokens?.period_stated).toBe(stated);
  });

  test.each([
    ["Every day we embed 50k documents of 2k tokens", 100e6 * (365 / 12)],
    ["10M documents of 1,000 tokens, text-embedding-3-large", 10e9],
    ["We make 2M calls a month and 300M tokens", 300e6],
    ["5M tokens a month for 20k requests", 5e6],
  ])("[G9] tokens without a direction in %j", (text, total) => {
    expect(read(text).tokens?.total).toBeCloseTo(total, -2);
  });

  test.each<[string, object]>([
    ["80% of it on GPT-5", { shares: [{ share: 0.8, model: "gpt-5" }] }],
    [
      "60% training, 40% inference",
      {
        shares: [
          { share: 0.6, scope: "training" },
          { share: 0.4, scope: "gpu" },
        ],
      },
    ],
    ["70% GPUs", { shares: [{ share: 0.7, scope: "gpu" }] }],
    ["20% cache hit rate", { shares: [] }],
    ["50% can wait overnight", { shares: [] }],
    ["15% of training runs fail", { shares: [] }],
    ["cut GPU costs by 30%", { shares: [] }],
    ["we grow 10% a month", { shares: [] }],
    ["$3,000/month on GPT-4o, 70% of calls are simple", { shares: [] }],
    ["GPT-4o is 70% of it", { shares: [{ share: 0.7, model: "gpt-4o" }] }],
    ["200% of GPUs", { shares: [] }],
    ["GPT-5, $12k/month, 80 % of prompts share a 5k prefix", { shares: [], repeated: 0.8 }],
    [
      "About 60 % is training, the rest is OpenAI",
      { shares: [{ share: 0.6, scope: "training" }], rest: "llm_api" },
    ],
    ["the GPUs are only 10 % of it", { shares: [{ share: 0.1, scope: "gpu" }] }],
    ["we work the rest of the day", { shares: [] }],
  ])("[G9] the percentage in %j", (text, expected) => {
    expect(read(text).percents).toMatchObject(expected);
  });
});

describe("conversation", () => {
  test("[G5] newer figures join older ones", () => {
    const { facts } = understand("80% of it on GPT-5", ["We spend $50k/month", "8xA100 at 40% utilization"]);
    expect(facts).toMatchObject({
      total: { low: 50_000 },
      gpus: [{ count: 8 }],
      percents: { utilisation: 0.4 },
      models: ["gpt-5"],
    });
  });

  test("[G5] parts that do not fit an older total replace it", () => {
    const { facts } = understand("$60k on GPUs", ["We spend $50k/month"]);
    expect(facts).toMatchObject({ total: undefined, parts: [{ scope: "gpu", amount: 60_000 }] });
  });

  test("[G5] parts that fit an older total refine it", () => {
    const { facts } = understand("$30k of it on GPUs", ["We spend $50k/month in total"]);
    expect(facts).toMatchObject({ total: { low: 50_000 }, parts: [{ scope: "gpu", amount: 30_000 }] });
  });

  test("[G5] a figure in another currency starts afresh", () => {
    const { facts } = understand("I meant €40k a month", ["We spend $50k/month"]);
    expect(facts).toMatchObject({ currency: "EUR", total: { low: 40_000 } });
  });
});
