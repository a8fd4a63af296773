/** Which column means what: FOCUS, the exports of OpenAI, LiteLLM, OpenRouter, OpenTelemetry and clouds, GPU inventories, and what Germans and French call them. */
import type { Cells } from "./table.ts";

/** Best name first; names are compared in lower case, without punctuation, and without what they are nested in. */
const NAMES = {
  cost: "billedcost effectivecost cost costusd totalcost costtotal monthlycost amountvalue amount spend responsecost usage usagecost total kosten gesamtkosten betrag cout couts montant",
  currency: "billingcurrency currency amountcurrency wahrung devise",
  period:
    "chargeperiodstart date day month starttime usagestartdate timestamp createdat time starttimeunixnano datum monat tag mois jour",
  provider:
    "providername serviceprovidername provider vendor customllmprovider genaiprovidername genaisystem anbieter fournisseur",
  service: "servicename service product lineitem dienst posten",
  category: "servicecategory category type kategorie categorie",
  model:
    "genairesponsemodel genairequestmodel model modelname modelpermaslug modelgroup modell modele skuid sku",
  quantity: "consumedquantity quantity totaltokens tokens menge anzahl quantite",
  unit: "consumedunit unit einheit unite",
  input: "inputtokens prompttokens tokensprompt genaiusageinputtokens",
  output: "outputtokens completiontokens tokenscompletion genaiusageoutputtokens",
  cached:
    "inputcachedtokens cachedtokens cachereadinputtokens tokenscached genaiusagecachereadinputtokens prompttokensdetailscachedtokens",
  written: "cachecreationinputtokens inputcachewritetokens genaiusagecachecreationinputtokens",
  requests: "nummodelrequests requests apirequests calls",
  /** A row per request has one. */
  request: "requestid generationid spanid",
  batch: "batch",
  tags: "tags requesttags labels projectid teamid team",
  machine: "gputype gpu accelerator instancetype machinetype resourcetype chargedescription",
  gpus: "gpucount gpus acceleratorcount count",
  utilisation: "utilizationgpu gpuutilization utilization utilisation avgutilization",
  hours: "hourspermonth hours",
  rate: "hourlyrate priceperhour hourlycost rate",
  purchase: "pricingcategory purchaseoption pricingmodel commitment capacitytype",
  /** nvidia-smi calls the GPU so. */
  name: "name",
} as const;

export type Column = keyof typeof NAMES;

export type Columns = Readonly<Partial<Record<Column, string>>>;

/** "Kosten (EUR)". */
const IN = /(?:in)?(?:eur|usd|chf|gbp)$/;

/** Where OpenTelemetry and others nest the fields that count. */
const NESTED = /^(?:attributes|metrics|spanattributes|usage(?=prompttokens|completiontokens|cost))/;

export function columnsOf(cells: Cells): Columns {
  const given = new Map(
    Object.keys(cells).map((name) => [
      name
        .normalize("NFD")
        .toLowerCase()
        .replace(/[^a-z0-9]/g, "")
        .replace(NESTED, "")
        .replace(IN, ""),
      name,
    ]),
  );
  const found = Object.entries(NAMES).map(([column, names]) => [
    column,
    given.get(names.split(" ").find((each) => given.has(each)) ?? ""),
  ]);
  return Object.fromEntries(found.filter(([, name]) => name !== undefined));
}

/** Enough to be usage: a cost, tokens of a model that may have a price, or GPUs that have one. */
export function looksLikeUsage(columns: Columns): boolean {
  const { cost, model, input } = columns;
  return cost !== undefined || (model !== undefined && input !== undefined) || looksLikeFleet(columns);
}

export function looksLikeFleet({ cost, machine, gpus, utilisation, rate, name }: Columns): boolean {
  if (cost !== undefined) return false;
  return machine === undefined
    ? name !== undefined && utilisation !== undefined
    : gpus !== undefined || utilisation !== undefined || rate !== undefined;
}
