/** What usage data says, in the terms of what a user says: measured figures take the place of stated ones. */
import { BUCKETS } from "./buckets.ts";
import { factsOf } from "./facts/fleets.ts";
import type { Facts } from "./facts/message.ts";
import { counted } from "./findings.ts";
import { type Ledger, READING } from "./ledger.ts";
import { priceOf } from "./prices.ts";
import type { Usage } from "./tools/parse-usage.ts";
import { clamp } from "./tools/savings.ts";
import type { Summary } from "./tools/summarize-spend.ts";

export function measuredFacts(facts: Facts, usage: Usage, summary: Summary, ledger: Ledger): Facts {
  const { monthly, currency, by_category } = summary;
  noteReading(usage, ledger);
  const parts = by_category.flatMap(({ key, share }) => {
    const scope = BUCKETS.find((bucket) => bucket === key);
    return scope && share > 0 ? [{ scope, amount: monthly * share }] : [];
  });
  const models = modelFacts(facts, summary, ledger);
  const fleet = fleetFacts({ ...facts, ...models }, usage);
  return {
    ...facts,
    ...models,
    ...fleet,
    ...(tokenFacts(usage, summary) ?? tokensBought(usage, summary, ledger)),
    target: facts.target ?? (facts.total?.role === "budget" ? facts.total.high : undefined),
    unused: facts.target === undefined ? facts.unused : [],
    total: undefined,
    parts,
    rest: parts.reduce((rest, { amount }) => rest - amount, monthly),
    currency: currency || "USD",
    currency_stated: currency !== "",
  };
}

function noteReading({ days, priced_rows, fleet, rows }: Usage, ledger: Ledger): void {
  const priced = `Without a cost of their own, ${counted(priced_rows)} ${priced_rows === 1 ? "is" : "are"} priced`;
  if (priced_rows > 0 && fleet.length > 0) ledger.rated(`${priced} at planning rates, by the hour`);
  else if (priced_rows > 0) ledger.listed(`${priced} by their tokens`);
  if (days > 0) ledger.assume(`${days} days of data are scaled to a month of 30.4 days`, READING);
  else if (rows.every(({ period }) => period === "")) ledger.assume("The data stands for one month", READING);
}

/** Shares are of the API bill, which is what models are paid from. */
function modelFacts({ percents, models }: Facts, summary: Summary, { prices }: Ledger) {
  const { by_model, by_category, cached_share } = summary;
  const api = by_category.find(({ key }) => key === "llm_api")?.share ?? 1;
  const priced = by_model.filter(({ key }) => priceOf(key, prices));
  const shares = by_model
    .filter((each) => priced.includes(each) || /embed/i.test(each.key))
    .map(({ key, share }) => ({ model: key, share: clamp(share / api) }));
  return {
    models: priced.length > 0 ? priced.map(({ key }) => key) : models,
    percents: {
      ...percents,
      ...(shares.length > 0 && { shares }),
      ...(cached_share && { cache_hits: cached_share }),
    },
  };
}

/** Per month, as the bill is. */
function tokenFacts(
  { input_tokens, output_tokens }: Pick<Usage, "input_tokens" | "output_tokens">,
  { monthly, total }: Summary,
) {
  if (input_tokens <= 0 || output_tokens <= 0 || total <= 0) return undefined;
  const input = Math.round((input_tokens * monthly) / total);
  const output = Math.round((output_tokens * monthly) / total);
  return { tokens: { input, output, total: input + output, period_stated: true, said: "" } };
}

/** Where input and output are lines of the bill, what they pay for at list prices: the mix is then the user's. */
function tokensBought({ rows }: Usage, summary: Summary, ledger: Ledger) {
  const price = priceOf(summary.by_model[0]?.key ?? "", ledger.prices);
  if (price === undefined) return undefined;
  const paid = (line: RegExp) =>
    rows.reduce(
      (sum, { model, service, cost }) => sum + (model === price.model && line.test(service) ? cost : 0),
      0,
    );
  const tokens = tokenFacts(
    {
      input_tokens: paid(/\binput\b/i) / price.input_cost_per_token,
      output_tokens: paid(/\boutput\b/i) / price.output_cost_per_token,
    },
    summary,
  );
  if (tokens) ledger.listed(`Input and output lines are turned into tokens of ${price.model}`);
  return tokens;
}

function fleetFacts(facts: Facts, { fleet }: Usage) {
  if (fleet.length === 0) return {};
  const { utilisation, ...all } = factsOf(fleet);
  return {
    ...all,
    fleets: fleet.map((each) => ({ ...factsOf([each]), cost: each.monthly_cost })),
    percents: utilisation === undefined ? facts.percents : { ...facts.percents, utilisation },
  };
}
