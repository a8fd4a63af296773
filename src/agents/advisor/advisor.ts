/**
 * The embedded default agent: answers questions about AI costs with arithmetic
 * over the user's figures, and labelled assumptions where there are none.
 */
import { isRecord } from "../../protocol/pure/json.ts";
import type { Recommendation, Report } from "../../protocol/report.ts";
import type { Agent, AgentInput, AgentResult } from "../agent.ts";
import { type Effect, report, think, tool, tools } from "../effects.ts";
import { type Allocation, allocate, bucketOf, type Setting } from "./allocation.ts";
import { body, headline, opening, SMALL_BILL } from "./answer.ts";
import { type Asked, askedFor, exclusionsIn } from "./asked.ts";
import { LABELS, type Spend } from "./buckets.ts";
import type { Basics } from "./compute-runs.ts";
import type { Line } from "./data-lines.ts";
import { type Evidence, lookCloser, type Measured } from "./evidence.ts";
import { absentIn } from "./facts/absent.ts";
import { MAX_USER_MESSAGES, understand } from "./facts/facts.ts";
import { type Facts, MAX_PROSE_CHARS } from "./facts/message.ts";
import { findingsFor, qualityOf } from "./findings.ts";
import { type Intent, intentOf } from "./intent.ts";
import { openLedger } from "./ledger.ts";
import { LEVERS, type Lever, leversNamed, wantsOf } from "./levers.ts";
import { measuredFacts } from "./measured.ts";
import { currentModel, tokenMix } from "./mix.ts";
import { BUNDLED, type PriceTable, withOwnPrices } from "./prices.ts";
import { questionsFor } from "./questions.ts";
import { quote, quoted } from "./quote.ts";
import { recalled, saidEarlier } from "./recall.ts";
import {
  type Candidate,
  candidate,
  rankArgs,
  recommendations,
  ruleCandidates,
  soberly,
} from "./recommend.ts";
import { simulationsFor } from "./simulations.ts";
import { HELLO_REPORT, hello, SUBSCRIPTION } from "./smalltalk.ts";
import { stream } from "./stream.ts";
import { parseUsage } from "./tools/parse-usage.ts";
import { type Prices, priceLookup } from "./tools/price-lookup.ts";
import { rankRecommendations } from "./tools/rank-recommendations.ts";
import { summarizeSpend } from "./tools/summarize-spend.ts";
import { type Found, findPasted, findUsage } from "./usage/find.ts";

/** Of the bill. */
const MIN_PART = 0.05;

type Steps<T> = Generator<Effect, T, unknown>;

/** What an operator may set: prices under LiteLLM's field names, GPU rates, and the date they are from. */
export interface AdvisorPrices {
  readonly prices?: unknown;
  readonly prices_as_of?: string;
  readonly gpu_rates?: unknown;
}

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

interface Talk {
  readonly setting: Setting;
  readonly asked: Asked;
  /** Levers that are done already, or not wanted. */
  readonly not: readonly string[];
  readonly wants: Basics["wants"];
  readonly data: Found["data"];
  /** What is said of data that could not be read. */
  readonly unread: string;
  /** The data came with an earlier message. */
  readonly earlier_data: boolean;
  readonly own_prices: unknown;
  readonly question: string;
}

function read(input: AgentInput, own: AdvisorPrices, base: PriceTable): Talk {
  const found = findUsage(input);
  const own_prices = ownPrices(input.data, own);
  const prices = withOwnPrices(input.data, base);
  const { said, data } = earlier(input, found.data);
  const understanding = understand(found.prose, said, prices);
  const { facts, now } = understanding;
  const out = exclusionsIn(absentIn(found.prose).rest);
  const asked = askedFor(out.rest, said.length > 0, { ...now, models: facts.models });
  const not = [...said.flatMap((each) => exclusionsIn(each).levers), ...out.levers].filter(
    (lever) => !asked.levers.includes(lever),
  );
  const setting = {
    ...understanding,
    intent: topicOf(
      out.rest,
      said.map((each) => absentIn(each).rest),
      { asked, now, given: data !== undefined || hasFigures(facts) },
    ),
    ledger: openLedger(prices),
    measured: false,
    tokenCost: 0,
  };
  const wants = wantsOf(
    asked.kind === "levers" ? found.prose : [...said, found.prose].join("\n"),
    asked.levers,
    facts.fleets.some(({ purchase }) => purchase === "spot") ? [...not, "spot", "gpu_spot"] : not,
  );
  return {
    setting,
    asked,
    not: [...new Set(not)],
    wants,
    data,
    // What looks like a table may have been read as prose.
    unread: found.unread && (input.data || !hasFigures(now)) ? unusable(`columns: ${found.unread}`) : "",
    earlier_data: found.data === undefined,
    own_prices,
    question: found.prose,
  };
}

/**
 * What the user said before, and the latest data they gave. Data pasted earlier counts where the question
 * brings none; where there is some already, only prose is looked for, and that is at the beginning.
 */
function earlier({ history, now }: AgentInput, given: Found["data"]) {
  let data = given;
  const said = history
    .filter(({ role }) => role === "user")
    .toReversed()
    .map(({ content }) => {
      const found = findPasted(data === undefined ? content : content.slice(0, MAX_PROSE_CHARS), now);
      data ??= found.data;
      return found.prose.slice(0, MAX_PROSE_CHARS);
    })
    .slice(0, MAX_USER_MESSAGES)
    .toReversed();
  return { said, data };
}

/** Passed on to tools as they came: arguments show what a result was made from. */
function ownPrices(data: unknown, own: AdvisorPrices): AdvisorPrices | undefined {
  const given: AdvisorPrices = isRecord(data) ? data : {};
  const prices = given.prices ?? own.prices;
  const gpu_rates = given.gpu_rates ?? own.gpu_rates;
  const as_of = given.prices === undefined ? own.prices_as_of : given.prices_as_of;
  if (prices === undefined && gpu_rates === undefined) return undefined;
  return { prices, gpu_rates, ...(as_of !== undefined && { prices_as_of: as_of }) };
}

function unusable(why: string): string {
  return `I could not use your data (${why}). I read CSV or JSON with a cost per row, or with a model and its tokens, or with GPU types and counts.\n\n`;
}

interface Topic {
  readonly asked: Asked;
  readonly now: Facts;
  readonly given: boolean;
}

function topicOf(question: string, said: readonly string[], { asked, now, given }: Topic): Intent {
  const { parts, total, changes, percents, training, gpus } = now;
  if (said.length === 0 && parts.length < 2 && gpus.length === 0 && SUBSCRIPTION.test(question))
    return "smalltalk";
  // A supposition moves the whole bill.
  if (changes.length > 0 && said.length > 0) return "overview";
  if (training.params !== undefined && (training.tokens !== undefined || /\btrain/i.test(question)))
    return "training";
  // "Why?" is about what was talked about, whatever words it uses; "the GPUs are 10 % of it" corrects the split.
  const split = percents.shares.some(({ scope }) => scope !== undefined) && asked.kind === "analysis";
  const about = (split || asked.kind === "reasons" || asked.kind === "order") && said.length > 0;
  const named = intentOf(about ? "" : question, said, given);
  // A bill of several parts is about all of them, whichever is named most.
  const scopes = new Set(parts.map(({ scope }) => scope)).size + (total?.general ? 1 : 0);
  const shared = percents.shares.some(({ scope }) => scope !== undefined) && total?.general;
  if ((shared || (parts.length > 0 && scopes > 1)) && bucketOf(named)) return "overview";
  return named === "smalltalk" &&
    given &&
    (about || now.total !== undefined || leversNamed(question).length > 0)
    ? "overview"
    : named;
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

function hasFigures({ total, parts, tokens, gpus, models, percents }: Facts): boolean {
  const lists = [parts, gpus, models, percents.shares];
  return [total, tokens, percents.utilisation, ...lists.flat()].some((each) => each !== undefined);
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

interface Simulated {
  readonly candidates: Candidate[];
  readonly failed: string[];
  readonly asides: Line[];
  /** Assumptions behind the asides. */
  readonly ids: readonly string[];
}

/** A simulation that fails takes its levers with it, not the answer. */
function* simulate(spend: Spend, basics: Basics, asked: readonly string[]): Steps<Simulated> {
  const runs = simulationsFor(spend, basics);
  const calls = runs.map((run) => [run.tool, run.args] as const);
  const outcomes = calls.length > 0 ? yield* tools(calls) : [];
  const found = runs.map((run, index) => ({ ...run, outcome: outcomes[index] }));
  const failed = found.filter(({ outcome }) => outcome?.status !== "ok").map(({ tool: { name } }) => name);
  const mfu: Line[] = [];
  const levers = found.flatMap(({ bucket, ids, part, outcome }) => {
    if (outcome?.status !== "ok") return [];
    const { levers: saved, notes = [] } = outcome.result;
    mfu.push(...notes.flatMap(({ lever, text }) => (lever === "MFU" ? [[lever, text] as const] : [])));
    return saved
      .filter(({ lever }) => basics.wants(lever, ...(lever === "spot" ? ["gpu_spot"] : [])))
      .map((each) => {
        const note = notes.find(({ lever }) => lever === each.lever)?.text;
        return { ...each, bucket, part, note, ids: ids(each.lever) };
      });
  });
  // A rule of thumb for a bucket goes for each of its parts.
  const rules = ruleCandidates(spend, basics).flatMap((rule) => {
    const own = found.filter(({ bucket, part }) => part && bucket === rule.bucket);
    return own.length > 0 ? own.map(({ part }) => ({ ...rule, part })) : [rule];
  });
  const parts = Map.groupBy(levers, ({ bucket, lever }) => `${bucket} ${lever}`).values();
  const asides = [...parts].flatMap((own) => asideOf(own, asked));
  return {
    candidates: [...levers.flatMap(candidate), ...rules],
    failed: [...new Set(failed)],
    asides: [...mfu, ...asides],
    ids: asides.length > 0 ? levers.flatMap(({ ids }) => ids) : [],
  };
}

/** What was asked about is answered, also where it saves nothing. */
function asideOf(
  parts: ReadonlyArray<Omit<Candidate, keyof Lever>>,
  asked: readonly string[],
): readonly Line[] {
  return parts.slice(0, 1).flatMap(({ lever, note }): readonly Line[] => {
    const title = LEVERS[lever]?.title ?? lever;
    const pays = parts.some(({ share }) => share[1] > 0);
    const how = parts.map(({ part, how: why }) => (part ? `${part.what}: ${why}` : why)).join("; ");
    if (lever === "selfhost")
      return [[title, `${pays ? "can pay" : "does not pay on these figures"}: ${how}. ${note}`]];
    return pays || !asked.includes(lever) ? [] : [[title, `nothing to gain: ${how}`]];
  });
}
