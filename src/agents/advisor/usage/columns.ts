/** Which column means what: FOCUS, and the exports of OpenAI, LiteLLM, OpenRouter and clouds. */
import type { Cells } from "./table.ts";

/** Best name first; names are compared in lower case, without punctuation. */
const NAMES = {
  cost: "billedcost effectivecost cost costusd totalcost amountvalue amount amountusd spend unblendedcost costinusd responsecost costtotal listcost charge total",
  currency: "billingcurrency currency currencycode amountcurrency",
  period:
    "chargeperiodstart date day month period usagedate starttime startdate timestamp createdat billingperiodstart time",
  provider: "providername provider vendor litellmprovider customllmprovider cloud",
  service: "servicename service product lineitem",
  category: "servicecategory category usagetype type",
  model: "model modelname modelgroup snapshotid skuid sku",
  quantity: "consumedquantity quantity usageamount totaltokens tokens requests",
  unit: "consumedunit unit pricingunit",
  input: "inputtokens prompttokens tokensprompt",
  output: "outputtokens completiontokens tokenscompletion",
} as const;

export type Column = keyof typeof NAMES;

export type Columns = Readonly<Partial<Record<Column, string>>>;

export function columnsOf(cells: Cells): Columns {
  const given = new Map(
    Object.keys(cells).map((name) => [name.toLowerCase().replace(/[^a-z0-9]/g, ""), name]),
  );
  const found = Object.entries(NAMES).map(([column, names]) => [
    column,
    given.get(names.split(" ").find((each) => given.has(each)) ?? ""),
  ]);
  return Object.fromEntries(found.filter(([, name]) => name !== undefined));
}

/** Enough to be usage: a cost, or tokens of a model that may have a price. */
export function looksLikeUsage({ cost, model, input }: Columns): boolean {
  return cost !== undefined || (model !== undefined && input !== undefined);
}
