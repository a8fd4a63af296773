/**
 * The advisor's tools as a language model is offered them: what each is for, and
 * its arguments as JSON Schema. Written by hand, because a model needs more words
 * than the advisor, and making schemas of schemas would weigh more than this; a
 * test compares them with what the tools take.
 */
import type { OfferedTool } from "../registry.ts";
import type { JsonSchema } from "../schema.ts";
import { orAttached, parseAttached } from "./attached.ts";
import { BUNDLED } from "./prices.ts";
import { compareModels } from "./tools/compare-models.ts";
import { dataPipelineAudit } from "./tools/data-pipeline-audit.ts";
import { detectAnomalies } from "./tools/detect-anomalies.ts";
import { forecastSpend } from "./tools/forecast-spend.ts";
import { gpuRightsizing } from "./tools/gpu-rightsizing.ts";
import { priceLookup } from "./tools/price-lookup.ts";
import { rankRecommendations } from "./tools/rank-recommendations.ts";
import { selfhostVsApi } from "./tools/selfhost-vs-api.ts";
import { simulateBatch } from "./tools/simulate-batch.ts";
import { simulateCaching } from "./tools/simulate-caching.ts";
import { simulateRouting } from "./tools/simulate-routing.ts";
import { summarizeSpend } from "./tools/summarize-spend.ts";
import { trainingEfficiency } from "./tools/training-efficiency.ts";

export const ADVISOR_PROMPT =
  "You advise on what AI infrastructure costs and how to spend less. Work figures out with the tools, not in your head; data that the user sent they take with attached: true. Use the user's own figures, never invent any, and label every assumption. When the figures are ready, call final_report once, then answer briefly in words: what it costs, at least three steps with the range each saves, and what you would need to know.";

const MODELS = BUNDLED.models.map(({ model }) => model);

const amount = { type: "number", minimum: 0 };
const share = { type: "number", minimum: 0, maximum: 1 };
const shares = { type: "array", items: share, minItems: 2, maxItems: 2, description: "[low, high], 0 to 1" };
const text = { type: "string" };
const amounts = { type: "array", items: amount, minItems: 2, maxItems: 2, description: "[low, high]" };
const level = { enum: ["low", "medium", "high"] };

/** Tokens per month, and the models they are priced on. */
const mix = {
  models: list({ enum: MODELS }),
  input_tokens: { ...amount, description: "cached ones included" },
  ...{ cached_tokens: amount, cache_write_tokens: amount, output_tokens: amount },
};

const attached = { const: true, description: "to take the data that the user attached or pasted" };
const costs = list({ type: "number" });
const series = object({
  name: text,
  from: { ...text, description: "day of the first cost, YYYY-MM-DD" },
  costs,
});

export const advisorTools: readonly OfferedTool[] = [
  offer(
    parseAttached,
    "Reads a billing or usage export: what the user attached or pasted; or text (CSV, TSV, JSON lines), or rows that are objects. Returns rows, totals, currencies and what was rejected.",
    object({ attached, text, rows: list({ type: "object" }) }, []),
  ),
  offer(
    orAttached(summarizeSpend, ({ rows, currencies, days, measures, series }) => {
      const currency = currencies[0]?.currency ?? "";
      return { rows, currency, days, measures, series };
    }),
    "Totals of the user's data: monthly, by category and by model, in its main currency or the one given; or of rows, with their currency and the days they cover.",
    object(
      {
        attached,
        rows: list(
          object({
            ...{ period: text, provider: text, service: text, category: text, model: text },
            ...{ quantity: amount, unit: text, cost: amount, currency: text },
          }),
        ),
        currency: text,
        days: amount,
      },
      [],
    ),
  ),
  offer(
    orAttached(detectAnomalies, ({ series }) => ({ series })),
    "Days that cost far more than usual, in the user's data or in the series given, the total first.",
    object({ attached, series: list(series) }, []),
  ),
  offer(
    orAttached(forecastSpend, ({ series: [total] }) => ({ series: total, step_days: 1 })),
    "Where a monthly spend is going, with an 80 % interval, and the day on which it passes a budget; from the user's daily data, or a series.",
    object(
      {
        attached,
        series,
        step_days: {
          ...amount,
          description: "from one cost to the next: 1, or 30.4 where costs are monthly",
        },
        ...{ months: amount, budget: { ...amount, description: "per month" } },
      },
      ["months"],
    ),
  ),
  offer(
    priceLookup,
    `What tokens per month cost in US dollars at list price on each model, and a cheaper model of its class. Knows ${MODELS.join(", ")}.`,
    object(mix),
  ),
  offer(
    compareModels,
    "What the same tokens per month cost on the models named and on the three cheapest of the same class, against the current one, in US dollars.",
    object({ ...mix, current: { enum: MODELS } }, Object.keys(mix)),
  ),
  offer(
    selfhostVsApi,
    "From how many tokens a month GPUs of one's own are cheaper than an API, and what moving there saves.",
    object({
      spend: { ...amount, description: "monthly, on the API" },
      api_price: { ...amount, description: "per million tokens, input and output mixed as they are" },
      gpu_rate: { ...amount, description: "per GPU and hour" },
      hours: { ...amount, description: "per month" },
      ...{
        min_gpus: amount,
        throughput: { ...amounts, description: "[low, high] tokens per second and GPU" },
      },
      load: { ...share, description: "part of the time that is used" },
      movable: { ...shares, description: "[low, high] part of the work that an open model can do, 0 to 1" },
      operations: { ...amount, description: "per month, for the people who run it" },
    }),
  ),
  offer(
    simulateCaching,
    "What prompt caching saves of a monthly spend. Prices per million input tokens.",
    object({
      ...{ spend: amount, input_share: share, repeated: shares, hits: shares },
      ...{ price_in: amount, price_cached: amount, price_write: amount },
    }),
  ),
  offer(
    simulateRouting,
    "What sending easy calls to a smaller model saves of a monthly spend.",
    object({
      spend: amount,
      addressable: { ...share, description: "part of the spend on the big model" },
      ...{ price_big: amount, price_small: amount, routed: shares },
      escalation: { ...share, description: "part of the routed calls that need the big model after all" },
    }),
  ),
  offer(
    simulateBatch,
    "What batching saves: spend × the product of each lever's factors, such as can_wait × discount.",
    factors(),
  ),
  offer(
    gpuRightsizing,
    "What fewer GPUs save, and what a commitment saves, of a fleet's monthly spend.",
    object(
      {
        ...{ spend: amount, gpus: amount, utilisation: shares, target: shares },
        ...{ on_demand_rate: amount, committed_rate: amount },
        steady: { ...shares, description: "[low, high] part that always runs and is not committed yet" },
      },
      ["spend", "utilisation", "target", "on_demand_rate", "committed_rate", "steady"],
    ),
  ),
  offer(
    trainingEfficiency,
    "What cheaper capacity, faster steps and fewer wasted runs save in training: spend × the product of each lever's factors.",
    factors(),
  ),
  offer(
    dataPipelineAudit,
    "What incremental processing, colder storage and pruned scans save: spend × the product of each lever's factors.",
    factors(),
  ),
  offer(
    rankRecommendations,
    "Orders levers by saving, confidence and effort, and adds them up without counting anything twice. A lever's share is of its bucket's spend. alternatives are other splits of the spend; none: [].",
    object({
      buckets: buckets(),
      levers: list(object({ lever: text, bucket: text, share: shares, confidence: level, effort: level })),
      alternatives: list(object({ name: text, buckets: buckets() })),
    }),
  ),
];

function offer(tool: OfferedTool, description: string, parameters: JsonSchema): OfferedTool {
  return { ...tool, description, parameters };
}

/** All are required unless others are named. */
function object(properties: JsonSchema, required: readonly string[] = Object.keys(properties)): JsonSchema {
  return { type: "object", properties, required };
}

function list(items: JsonSchema): JsonSchema {
  return { type: "array", items };
}

function buckets(): JsonSchema {
  return list(object({ bucket: text, spend: amount }));
}

/** Levers by name, each with its factors by name. */
function factors(): JsonSchema {
  const levers = { type: "object", additionalProperties: { type: "object", additionalProperties: shares } };
  return object({ spend: amount, levers });
}
