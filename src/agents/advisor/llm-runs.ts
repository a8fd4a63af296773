/** Simulations of API spend: the user's models and shares where given, labelled assumptions elsewhere. */
import type { Basics } from "./compute-runs.ts";
import type { Facts } from "./facts/message.ts";
import { HOURS_PER_MONTH } from "./facts/periods.ts";
import { type Ledger, PLANNING } from "./ledger.ts";
import { currentModel, mixIds, mixOf } from "./mix.ts";
import { gpuRate, type ModelPrice, millions, priceOf } from "./prices.ts";
import { factorRun, type Run, run } from "./run.ts";
import { clamp, dollars, percent, percents as percentsText, type Range } from "./tools/savings.ts";
import { selfhostVsApi } from "./tools/selfhost-vs-api.ts";
import { simulateBatch } from "./tools/simulate-batch.ts";
import { simulateCaching } from "./tools/simulate-caching.ts";
import { simulateRouting } from "./tools/simulate-routing.ts";

/** The pair to compare where no model is named. */
const USUAL_MODEL = "claude-sonnet-4-6";

/** What open models run on, where no GPU is named. */
const SELFHOST_GPU = "H100";

export function llmRuns(spend: number, basics: Basics): readonly Run[] {
  const { facts, ledger, wants } = basics;
  const current = currentModel(facts, ledger);
  const embeds = facts.percents.shares.length > 0 && chatShare(facts) === 0;
  const usual = embeds ? "text-embedding-3-large" : (facts.stand_in ?? USUAL_MODEL);
  const big = current ?? priceOf(usual, ledger.prices) ?? ledger.prices.models[0];
  if (big === undefined) return [];
  // Nothing but batches needs no price.
  const priced = wants("route", "cache", "selfhost");
  const ids = priced ? priceIds(big, current !== undefined, facts, ledger) : [];
  const known = { ledger, ids };
  const cacheable = big.cache_read_input_token_cost < big.input_cost_per_token;
  return [
    ...(wants("route", "embed") ? routing(spend, big, facts, known) : []),
    ...(wants("cache") && cacheable ? [caching(spend, big, facts, known)] : []),
    ...(wants("batch") ? [batching(spend, basics)] : []),
    ...(wants("selfhost") ? [selfhosting(spend, big, facts, known)] : []),
  ];
}

interface Known {
  readonly ledger: Ledger;
  /** Assumptions about prices and the mix of tokens. */
  readonly ids: readonly string[];
}

function priceIds(big: ModelPrice, named: boolean, facts: Facts, ledger: Ledger): readonly string[] {
  const small = priceOf(big.smaller ?? "", ledger.prices);
  const cached = percent(big.cache_read_input_token_cost / big.input_cost_per_token);
  const ratio =
    small && `${small.model} costs ${percent(blended(small, facts) / blended(big, facts))} of ${big.model}`;
  const reads = cached === "100 %" ? "" : `, cached input ${cached} of plain`;
  const stand_in = named ? "" : ` (${big.model} stands in)`;
  return [
    ledger.listed(`${ratio ?? big.model}${reads}${stand_in}`),
    ...(big.tier === "embedding" ? [] : mixIds(facts, ledger)),
  ];
}

function routing(spend: number, big: ModelPrice, facts: Facts, { ledger, ids }: Known): readonly Run[] {
  const small = priceOf(big.smaller ?? "", ledger.prices);
  if (small === undefined) return [];
  const [price_big, price_small] = [blended(big, facts), blended(small, facts)];
  const way = `from ${big.model} to ${small.model}`;
  const args = { spend, addressable: addressableOf(big, facts), price_big, price_small, way };
  if (big.tier === "embedding") {
    const texts = ledger.assume("50–100 % of texts can move to the smaller embedding model", PLANNING);
    return [
      run(simulateRouting, { ...args, lever: "embed", routed: [0.5, 1], escalation: 0 }, () => [
        texts,
        ...ids,
      ]),
    ];
  }
  const { easy } = facts.percents;
  // What is called easy is not all easy.
  const routed: Range = easy === undefined ? [0.25, 0.45] : [clamp(easy * 0.7), easy];
  const suit = `${percentsText(routed)} of calls suit a smaller model${easy === undefined ? "" : " (yours, less a margin)"}`;
  const calls = ledger.assume(`${suit}; 10 % of those escalate`, PLANNING);
  return [run(simulateRouting, { ...args, routed, escalation: 0.1 }, () => [calls, ...ids])];
}

function addressableOf(big: ModelPrice, facts: Facts): number {
  const shares = facts.percents.shares.filter(({ model }) => model !== undefined);
  const all = shares.reduce((sum, { share }) => sum + share, 0);
  const own = shares.find(({ model }) => model === big.model)?.share ?? all;
  // A share is of the API bill where that was named, and otherwise of everything.
  const whole = facts.parts.some(({ scope }) => scope === "llm_api") ? 1 : all;
  return all > 0 ? clamp(own / whole) : 1;
}

function caching(spend: number, model: ModelPrice, facts: Facts, { ledger, ids }: Known): Run {
  const { cache_hits: cached_now = 0, repeated } = facts.percents;
  const { input_cost_per_token: plain, cache_read_input_token_cost: cached } = model;
  const input = ((1 - cached_now) * plain + cached_now * cached) * mixOf(facts);
  // Prompts that share a prefix are not all prefix.
  const part: Range = repeated === undefined ? [0.4, 0.6] : [clamp(repeated * 0.7), repeated];
  const repeats = ledger.assume(
    `${percentsText(part)} of input tokens repeat${repeated === undefined ? "" : " (yours, less a margin)"}, 60–80 % of those can be cache hits`,
    PLANNING,
  );
  const args = {
    spend,
    input_share: clamp((input / (input + model.output_cost_per_token)) * chatShare(facts)),
    ...(cached_now > 0 && { cached_now }),
    price_in: millions(plain),
    price_cached: millions(cached),
    price_write: millions(model.cache_creation_input_token_cost),
  };
  return run(simulateCaching, { ...args, repeated: part, hits: [0.6, 0.8] }, () => [repeats, ...ids]);
}

/** Of the API bill: embeddings have no prefix that could be cached. */
function chatShare({ percents: { shares } }: Facts): number {
  return clamp(
    1 - shares.reduce((sum, { share, model = "" }) => sum + (/embed/i.test(model) ? share : 0), 0),
  );
}

function batching(spend: number, basics: Basics): Run {
  const { deferrable } = basics.facts.percents;
  const wait: Range = deferrable === undefined ? [0.1, 0.25] : [deferrable, deferrable];
  return factorRun(simulateBatch, basics, {
    spend,
    levers: { batch: { "of API work can wait": wait, discount: [0.5, 0.5] } },
  });
}

function selfhosting(spend: number, model: ModelPrice, facts: Facts, { ledger, ids }: Known): Run {
  const [fleet] = facts.gpus;
  const type = fleet && gpuRate(fleet.type, ledger.prices) ? fleet.type : SELFHOST_GPU;
  const gpu_rate = facts.gpu_rate ?? gpuRate(type, ledger.prices)?.on_demand ?? 0;
  const own = [
    ledger.rated(`${type} at ${dollars(gpu_rate)} an hour`),
    ledger.assume(
      "An open model does 1,000–3,000 tokens a second per GPU, loaded 40 % of the time; it can take 50–80 % of the work; running it costs $5,000 a month of people's time",
      PLANNING,
    ),
  ];
  const args = {
    spend,
    api_price: blended(model, facts),
    gpu_rate,
    hours: facts.hours ?? HOURS_PER_MONTH,
    min_gpus: fleet?.count ?? 2,
    throughput: [1_000, 3_000] as Range,
    load: 0.4,
    movable: [0.5, 0.8] as Range,
    operations: 5_000,
  };
  return run(selfhostVsApi, args, () => [...own, ...ids]);
}

/** $ per million tokens of the mix. */
function blended({ input_cost_per_token, output_cost_per_token }: ModelPrice, facts: Facts): number {
  const mix = mixOf(facts);
  return millions((input_cost_per_token * mix + output_cost_per_token) / (mix + 1));
}
