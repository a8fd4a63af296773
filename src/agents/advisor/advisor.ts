/**
 * The embedded default agent: answers questions about AI costs with arithmetic
 * over the user's figures, and labelled assumptions where there are none.
 */
import type { Recommendation, Report } from "../../protocol/report.ts";
import type { Agent, AgentResult } from "../agent.ts";
import { type Effect, report, think, tool } from "../effects.ts";
import { type Allocation, allocate, bucketOf, type Setting } from "./allocation.ts";
import { body, headline } from "./answer.ts";
import { LABELS, type Spend } from "./buckets.ts";
import { type Evidence, lookCloser, type Measured } from "./evidence.ts";
import type { Facts } from "./facts/message.ts";
import { findingsFor, qualityOf } from "./findings.ts";
import { measuredFacts } from "./measured.ts";
import { currentModel, tokenMix } from "./mix.ts";
import { opening, SMALL_BILL } from "./opening.ts";
import { BUNDLED, withOwnPrices } from "./prices.ts";
import { questionsFor } from "./questions.ts";
import { quote, quoted } from "./quote.ts";
import { recalled, saidEarlier } from "./recall.ts";
import { rankArgs, recommendations, soberly } from "./recommend.ts";
import { simulate } from "./simulate.ts";
import { HELLO_REPORT, hello } from "./smalltalk.ts";
import { stream } from "./stream.ts";
import { type AdvisorPrices, read, type Talk, unusable } from "./talk.ts";
import { parseUsage } from "./tools/parse-usage.ts";
import { type Prices, priceLookup } from "./tools/price-lookup.ts";
import { rankRecommendations } from "./tools/rank-recommendations.ts";
import { summarizeSpend } from "./tools/summarize-spend.ts";
import type { Found } from "./usage/find.ts";

/** Of the bill. */
const MIN_PART = 0.05;

type Steps<T> = Generator<Effect, T, unknown>;

export const advisor: Agent = advisorWith();

export function advisorWith(own: AdvisorPrices = {}): Agent {
  const table = withOwnPrices(own);
  return {
    name: "advisor",
    // Other prices are other effects for the same input.
    version: table === BUNDLED ? "3" : `3+${table.as_of}`,
    *run(input) {
      const talk = read(input, own, table);
      const prices = quote(talk);
      if (prices !== "") return yield* greet(prices, quoted(prices), "List prices.");
      return yield* talk.setting.intent === "smalltalk" && talk.data === undefined
        ? greet(`${talk.unread}${hello(input.question)}`, HELLO_REPORT)
        : analyse(talk);
    },
  };
}

function* greet(answer: string, said: Report, thought = "No question about costs."): Steps<AgentResult> {
  yield* think(thought);
  yield* stream(answer);
  yield* report(said);
  return { finish_reason: "stop" };
}

function* analyse(talk: Talk): Steps<AgentResult> {
  const { setting, data, asked, own_prices } = talk;
  yield* think(plan(talk));
  yield* stream(talk.unread);
  const measured = data && (yield* measure(data, own_prices));
  const facts = measured
    ? measuredFacts(setting.facts, measured.usage, measured.summary, setting.ledger)
    : setting.facts;
  const closer = yield* lookCloser(measured, { asked, facts, ledger: setting.ledger, own_prices });
  const prices = yield* lookUp({ ...setting, facts }, own_prices);
  const current = currentModel(facts, setting.ledger)?.model;
  const paid = prices?.models.find(({ model }) => model === current);
  const tokenCost = facts.tokens ? (paid?.cost ?? 0) : 0;
  const allocation = allocate({ ...setting, facts, tokenCost, measured: measured !== undefined });
  const memory = recalled(setting.facts, setting.now, measured !== undefined && talk.earlier_data);
  const said_earlier = saidEarlier(setting.facts, setting.now);
  yield* stream(opening(allocation, facts, { memory, measured, said_earlier, asked, not: talk.not }));
  const then = { ...setting, facts: after(facts, allocation) };
  yield* conclude({ ...talk, setting: then }, allocation, { ...closer, prices });
  return { finish_reason: "stop" };
}

/** The same work in fewer hours: what is left is busier, and cannot be saved a second time. */
function after(facts: Facts, { changed }: Allocation): Facts {
  const used = changed?.utilisation;
  return used === undefined
    ? facts
    : { ...facts, fleets: [], percents: { ...facts.percents, utilisation: Math.min(1, used) } };
}

function plan({ setting: { intent }, asked }: Talk): string {
  const focus = bucketOf(intent);
  const topic = focus ? LABELS[focus] : intent === "audit" ? "all AI infrastructure" : "AI costs in general";
  return `Topic: ${topic}. Wanted: ${asked.kind}. What is not given is labelled as assumed.`;
}

function* conclude(talk: Talk, allocation: Allocation, evidence: Evidence): Steps<void> {
  const { setting, asked, wants } = talk;
  const { facts, ledger, intent } = setting;
  const { spend, basis } = allocation;
  const focus = asked.levers.length > 0 ? undefined : bucketOf(intent);
  const part =
    focus && spend[focus] && basis !== "measured" ? { [focus]: spend[focus] } : worthwhile(allocation);
  const simulated = yield* simulate(part, { facts, ledger, wants }, asked.levers);
  const { failed, asides } = simulated;
  const found = allocation.total < SMALL_BILL ? [] : simulated.candidates;
  const candidates = found.map((each) => soberly(each, allocation, facts));
  const ranking = yield* tool(rankRecommendations, rankArgs(allocation, candidates));
  const steps = recommendations(allocation, ranking, candidates);
  yield* think(verdict(steps));
  const rests = new Set([
    ...allocation.ids,
    ...simulated.ids,
    ...steps.flatMap((each) => each.assumption_ids),
  ]);
  const known = { ...evidence, asides, failed: [...evidence.failed, ...failed] };
  const result = {
    summary: headline({ ranking, allocation }).replaceAll("**", ""),
    findings: findingsFor(allocation, known),
    recommendations: steps,
    assumptions: ledger.entries.filter(({ id }) => rests.has(id)),
    questions:
      allocation.total < SMALL_BILL
        ? []
        : questionsFor(allocation, facts, { asked, measured: evidence.usage !== undefined }),
  };
  yield* stream(body({ allocation, facts, ranking, candidates, evidence: known, asked, report: result }));
  yield* report(result);
}

/** Measured parts that hardly matter get no levers: nobody tunes three percent on a Monday. */
function worthwhile({ spend, basis, total }: Allocation): Spend {
  if (basis !== "measured") return spend;
  const parts = Object.entries(spend).filter(([, amount]) => amount >= total * MIN_PART);
  return parts.length > 0 ? Object.fromEntries(parts) : spend;
}

function verdict(steps: readonly Recommendation[]): string {
  return `Steps that save something: ${steps.length}.`;
}

/** Nothing usable in the data: that is said, and the question is answered without it. */
function* measure(data: NonNullable<Found["data"]>, prices: unknown): Steps<Measured | undefined> {
  const usage = yield* tool(parseUsage, { ...data, prices });
  const [main] = usage.currencies;
  if (main === undefined) {
    yield* stream(unusable(qualityOf(usage)));
    return undefined;
  }
  const { rows, days, measures, series } = usage;
  const summary = yield* tool(summarizeSpend, { rows, currency: main.currency, days, measures, series });
  return summary.monthly > 0 ? { usage, summary } : undefined;
}

function* lookUp({ facts, ledger }: Setting, prices: unknown): Steps<Prices | undefined> {
  const mix = tokenMix(facts, ledger);
  if (mix.models.length === 0) return undefined;
  return yield* tool(priceLookup, { ...mix, prices });
}
