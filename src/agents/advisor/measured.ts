/** What usage data says, in the terms of what a user says: measured figures take the place of stated ones. */
import { BUCKETS } from "./buckets.ts";
import type { Facts } from "./facts/message.ts";
import { type Ledger, LIST_PRICES, READING } from "./ledger.ts";
import type { Usage } from "./tools/parse-usage.ts";
import type { Summary } from "./tools/summarize-spend.ts";

export function measuredFacts(facts: Facts, usage: Usage, summary: Summary, ledger: Ledger): Facts {
  const { days, priced_rows, input_tokens: input, output_tokens: output, rows } = usage;
  const { monthly, currency, by_category, by_model } = summary;
  if (priced_rows > 0)
    ledger.assume(`${priced_rows} rows without a cost are priced by their tokens`, LIST_PRICES);
  if (days > 0) ledger.assume(`${days} days of data are scaled to a month of 30.4 days`, READING);
  else if (rows.every(({ period }) => period === "")) ledger.assume("The data covers one month", READING);
  const parts = by_category.flatMap(({ key, share }) => {
    const scope = BUCKETS.find((bucket) => bucket === key);
    return scope && share > 0 ? [{ scope, amount: monthly * share }] : [];
  });
  const models = by_model.length > 0 && {
    models: by_model.map(({ key }) => key),
    percents: { ...facts.percents, shares: by_model.map(({ key, share }) => ({ model: key, share })) },
  };
  return {
    ...facts,
    ...models,
    ...(input > 0 &&
      output > 0 && { tokens: { input, output, total: input + output, period_stated: true, said: "" } }),
    total: undefined,
    parts,
    rest: parts.reduce((rest, { amount }) => rest - amount, monthly),
    currency: currency || "USD",
    currency_stated: currency !== "",
  };
}
