/**
 * The embedded default agent: answers questions about AI costs with arithmetic
 * over the user's figures, and labelled assumptions where there are none.
 */
import type { Recommendation } from "../../protocol/report.ts";
import type { Agent, AgentResult } from "../agent.ts";
import { type Effect, report, think, tool, tools } from "../effects.ts";
import { type Allocation, allocate, bucketOf, type Setting } from "./allocation.ts";
import { body, headline, opening } from "./answer.ts";
import { LABELS, type Spend } from "./buckets.ts";
import { understand } from "./facts/facts.ts";
import type { Facts } from "./facts/message.ts";
import { type Evidence, findingsFor, qualityOf } from "./findings.ts";
import { intentOf } from "./intent.ts";
import { openLedger } from "./ledger.ts";
import { measuredFacts } from "./measured.ts";
import { tokenMix } from "./mix.ts";
import { questionsFor } from "./questions.ts";
import { type Candidate, candidate, rankArgs, recommendations, ruleCandidates } from "./recommend.ts";
import { simulationsFor } from "./simulations.ts";
import { HELLO, HELLO_REPORT } from "./smalltalk.ts";
import { stream } from "./stream.ts";
import { parseUsage, type Usage } from "./tools/parse-usage.ts";
import { type Prices, priceLookup } from "./tools/price-lookup.ts";
import { rankRecommendations } from "./tools/rank-recommendations.ts";
import { type Summary, summarizeSpend } from "./tools/summarize-spend.ts";
import { type Found, findPasted, findUsage } from "./usage/find.ts";

type Steps<T> = Generator<Effect, T, unknown>;

export const advisor: Agent = {
  name: "advisor",
  version: "1",
  *run(input) {
    const found = findUsage(input);
    const history = input.history.map((each) => ({ ...each, ...findPasted(each.content) }));
    const said = history.filter(({ role }) => role === "user").map(({ prose }) => prose);
    // Data pasted earlier still counts where the question brings none.
    const data = found.data ?? history.findLast((each) => each.role === "user" && each.data)?.data;
    const understanding = understand(found.prose, said);
    const named = intentOf(found.prose, said, data !== undefined || hasFigures(understanding.facts));
    // A bill of several parts is about all of them, whichever is named most.
    const { parts, total } = understanding.now;
    const scopes = new Set(parts.map(({ scope }) => scope)).size + (total?.general ? 1 : 0);
    const intent = parts.length > 0 && scopes > 1 && bucketOf(named) ? "overview" : named;
    const setting = { ...understanding, intent, ledger: openLedger(), measured: false, tokenCost: 0 };
    return yield* intent === "smalltalk" && data === undefined ? hello() : analyse(setting, data);
  },
};

function* hello(): Steps<AgentResult> {
  yield* think("No question about costs.");
  yield* stream(HELLO);
  yield* report(HELLO_REPORT);
  return { finish_reason: "stop" };
}

function* analyse(setting: Setting, data: Found["data"]): Steps<AgentResult> {
  yield* think(plan(setting, data !== undefined));
  const measured = data && (yield* measure(data));
  const facts = measured
    ? measuredFacts(setting.facts, measured.usage, measured.summary, setting.ledger)
    : setting.facts;
  const prices = yield* lookUp({ ...setting, facts });
  const tokenCost = facts.tokens ? (prices?.models[0]?.cost ?? 0) : 0;
  const allocation = allocate({ ...setting, facts, tokenCost, measured: measured !== undefined });
  yield* stream(opening(allocation, facts, measured && qualityOf(measured.usage)));
  yield* conclude({ ...setting, facts }, allocation, { ...measured, prices });
  return { finish_reason: "stop" };
}

function plan({ intent, facts }: Setting, hasData: boolean): string {
  const focus = bucketOf(intent);
  const topic = focus ? LABELS[focus] : intent === "audit" ? "all AI infrastructure" : "AI costs in general";
  const given = hasData ? "usage data" : hasFigures(facts) ? "your figures" : "no figures";
  return `Topic: ${topic}. Given: ${given}. The rest is labelled as assumed.`;
}

function hasFigures({ total, parts, tokens, gpus, models, percents }: Facts): boolean {
  const lists = [parts, gpus, models, percents.shares];
  return [total, tokens, percents.utilisation, ...lists.flat()].some((each) => each !== undefined);
}

function* conclude(setting: Setting, allocation: Allocation, evidence: Evidence): Steps<void> {
  const { facts, ledger, intent } = setting;
  const { spend, basis } = allocation;
  const focus = bucketOf(intent);
  const part = focus && spend[focus] && basis !== "measured" ? { [focus]: spend[focus] } : spend;
  const { candidates, failed } = yield* simulate(part, setting);
  const ranking = yield* tool(rankRecommendations, rankArgs(allocation, candidates));
  const steps = recommendations(allocation, ranking, candidates);
  yield* think(verdict(steps));
  const result = {
    summary: headline({ ranking, allocation }).replaceAll("**", ""),
    findings: findingsFor(allocation, evidence, failed),
    recommendations: steps,
    assumptions: [...ledger.entries],
    questions: questionsFor(allocation, facts),
  };
  yield* stream(body({ allocation, facts, ranking, report: result }));
  yield* report(result);
}

function verdict(steps: readonly Recommendation[]): string {
  return `${steps.length} levers save something; overlaps compound.`;
}

interface Measured {
  readonly usage: Usage;
  readonly summary: Summary;
}

/** Nothing usable in the data: the question is answered without it. */
function* measure(data: NonNullable<Found["data"]>): Steps<Measured | undefined> {
  const usage = yield* tool(parseUsage, data);
  const [main] = usage.currencies;
  if (main === undefined) return undefined;
  const summary = yield* tool(summarizeSpend, {
    rows: usage.rows,
    currency: main.currency,
    days: usage.days,
  });
  return summary.monthly > 0 ? { usage, summary } : undefined;
}

function* lookUp({ facts, ledger }: Setting): Steps<Prices | undefined> {
  const mix = tokenMix(facts, ledger);
  return mix.models.length > 0 ? yield* tool(priceLookup, mix) : undefined;
}

/** A simulation that fails takes its levers with it, not the answer. */
function* simulate(
  spend: Spend,
  { facts, ledger }: Setting,
): Steps<{ candidates: Candidate[]; failed: string[] }> {
  const runs = simulationsFor(spend, facts, ledger);
  const calls = runs.map((run) => [run.tool, run.args] as const);
  const outcomes = calls.length > 0 ? yield* tools(calls) : [];
  const failed: string[] = [];
  const candidates = runs.flatMap(({ bucket, ids, tool: { name } }, index) => {
    const outcome = outcomes[index];
    if (outcome?.status === "ok")
      return outcome.result.levers.flatMap((each) => candidate({ ...each, bucket, ids: ids(each.lever) }));
    failed.push(name);
    return [];
  });
  return { candidates: [...candidates, ...ruleCandidates(spend, ledger)], failed };
}
