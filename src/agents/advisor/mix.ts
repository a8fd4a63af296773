/** How many tokens go in and come out per month, as far as that is known. */
import type { Facts } from "./facts/message.ts";
import { type Ledger, PLANNING } from "./ledger.ts";
import { type ModelPrice, priceOf } from "./prices.ts";

/** Input tokens per output token, where not known. */
const USUAL_MIX = 5;

/** A round volume to compare prices on, where none was named. */
const SAMPLE_TOKENS = 1e6;

/** The model that totals, comparisons and levers are about alike: that of the first share, or the first named. */
export function currentModel({ percents, models }: Facts, { prices }: Ledger): ModelPrice | undefined {
  const named = [...percents.shares.map(({ model = "" }) => model), ...models].flatMap(
    (model) => priceOf(model, prices) ?? [],
  );
  const chat = named.filter(({ tier }) => tier !== "embedding");
  return chat.find(({ smaller }) => smaller !== undefined) ?? chat[0] ?? named[0];
}

/** The arguments of `price_lookup`. */
export function tokenMix(facts: Facts, ledger: Ledger) {
  const { models, tokens, percents } = facts;
  const { total = SAMPLE_TOKENS, input, output } = tokens ?? {};
  // Embeddings have no output.
  const embeds =
    models.length > 0 && models.every((model) => priceOf(model, ledger.prices)?.tier === "embedding");
  if (tokens && !embeds) mixIds(facts, ledger);
  const guess = output ? output * USUAL_MIX : (total / (USUAL_MIX + 1)) * USUAL_MIX;
  const inputs = embeds ? total : (input ?? guess);
  return {
    models: [...models],
    input_tokens: Math.round(inputs),
    output_tokens: embeds ? 0 : Math.round(output ?? inputs / USUAL_MIX),
    cached_tokens: embeds ? 0 : Math.round(inputs * (percents.cache_hits ?? 0)),
    cache_write_tokens: 0,
  };
}

export function mixOf({ tokens }: Facts): number {
  return tokens?.input && tokens.output ? tokens.input / tokens.output : USUAL_MIX;
}

/** The assumption about the mix, where it is one. */
export function mixIds({ tokens }: Facts, ledger: Ledger): readonly string[] {
  const known = tokens?.input && tokens.output;
  return known ? [] : [ledger.assume(`${USUAL_MIX} input tokens per output token`, PLANNING)];
}
