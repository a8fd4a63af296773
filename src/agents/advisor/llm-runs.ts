/** Simulations of API spend: the user's models and shares where given, labelled assumptions elsewhere. */
import type { Facts } from "./facts/message.ts";
import { type Ledger, LIST_PRICES, PLANNING } from "./ledger.ts";
import { mixIds, mixOf } from "./mix.ts";
import { type ModelPrice, priceOf } from "./prices.ts";
import { factorRun, type Run, run } from "./run.ts";
import { clamp, percent } from "./tools/savings.ts";
import { simulateBatch } from "./tools/simulate-batch.ts";
import { simulateCaching } from "./tools/simulate-caching.ts";
import { simulateRouting } from "./tools/simulate-routing.ts";

/** The pair to compare where no model is named. */
const USUAL_MODEL = "claude-sonnet-4-6";

export function llmRuns(spend: number, facts: Facts, ledger: Ledger): readonly Run[] {
  const named = facts.models.flatMap((model) => priceOf(model) ?? []);
  const big = named.find(({ smaller }) => smaller !== undefined) ?? named[0] ?? priceOf(USUAL_MODEL);
  if (big === undefined) return [];
  const ids = priceIds(big, named.length > 0, facts, ledger);
  return [
    ...routing(spend, big, facts, { ledger, ids }),
    caching(spend, big, facts, { ledger, ids }),
    batching(spend, ledger),
  ];
}

interface Known {
  readonly ledger: Ledger;
  /** Assumptions about prices and the mix of tokens. */
  readonly ids: readonly string[];
}

function priceIds(big: ModelPrice, named: boolean, facts: Facts, ledger: Ledger): readonly string[] {
  const small = priceOf(big.smaller ?? "");
  const cached = percent(big.cache_read_input_token_cost / big.input_cost_per_token);
  const ratio =
    small && `${small.model} costs ${percent(blended(small, facts) / blended(big, facts))} of ${big.model}`;
  const stand_in = named ? "" : ` (${big.model} stands in)`;
  return [
    ledger.assume(`${ratio ?? big.model}, cached input ${cached} of plain${stand_in}`, LIST_PRICES),
    ...mixIds(facts, ledger),
  ];
}

function routing(spend: number, big: ModelPrice, facts: Facts, { ledger, ids }: Known): readonly Run[] {
  const small = priceOf(big.smaller ?? "");
  if (small === undefined) return [];
  const [price_big, price_small] = [blended(big, facts), blended(small, facts)];
  const calls = ledger.assume("25–45 % of calls suit a smaller model; 10 % of those escalate", PLANNING);
  const shares = facts.percents.shares.filter(({ model }) => model !== undefined);
  const all = shares.reduce((sum, { share }) => sum + share, 0);
  const own = shares.find(({ model }) => model === big.model)?.share ?? all;
  // A share is of the API bill where that was named, and otherwise of everything.
  const whole = facts.parts.some(({ scope }) => scope === "llm_api") ? 1 : all;
  const addressable = all > 0 ? clamp(own / whole) : 1;
  const args = { spend, addressable, price_big, price_small, escalation: 0.1 };
  return [run(simulateRouting, { ...args, routed: [0.25, 0.45] }, () => [calls, ...ids])];
}

function caching(spend: number, model: ModelPrice, facts: Facts, { ledger, ids }: Known): Run {
  const input = model.input_cost_per_token * mixOf(facts);
  const repeats = ledger.assume(
    "40–60 % of input tokens repeat, 60–80 % of those can be cache hits",
    PLANNING,
  );
  const args = {
    spend,
    input_share: clamp(input / (input + model.output_cost_per_token)),
    price_in: millions(model.input_cost_per_token),
    price_cached: millions(model.cache_read_input_token_cost),
    price_write: millions(model.cache_creation_input_token_cost),
  };
  return run(simulateCaching, { ...args, repeated: [0.4, 0.6], hits: [0.6, 0.8] }, () => [repeats, ...ids]);
}

function batching(spend: number, ledger: Ledger): Run {
  return factorRun(simulateBatch, ledger, {
    spend,
    levers: { batch: { "of API work can wait": [0.1, 0.25], discount: [0.5, 0.5] } },
  });
}

/** $ per million tokens of the mix. */
function blended({ input_cost_per_token, output_cost_per_token }: ModelPrice, facts: Facts): number {
  const mix = mixOf(facts);
  return millions((input_cost_per_token * mix + output_cost_per_token) / (mix + 1));
}

function millions(perToken: number): number {
  return Math.round(perToken * 1e10) / 1e4;
}
