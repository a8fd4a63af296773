/** Which column means what: FOCUS, and the exports of OpenAI, LiteLLM, OpenRouter and clouds. */
import type { Cells } from "./table.ts";

/** Best name first; names are compared in lower case, without punctuation. */
const NAMES = {
  cost: "billedcost effectivecost cost costusd totalcost amountvalue amount amountusd spend responsecost total",
  currency: "billingcurrency currency amountcurrency",
  period: "chargeperiodstart date day month starttime timestamp createdat",
  provider: "providername provider vendor customllmprovider",
  service: "servicename service product lineitem",
  category: "servicecategory category type",
  model: "model modelname skuid sku",
  quantity: "consumedquantity quantity totaltokens tokens",
  unit: "consumedunit unit",
  input: "inputtokens prompttokens",
  output: "outputtokens completiontokens",
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
