/** What a conversation comes to: what was said, given, asked for and ruled out, before anything is worked out. */
import { isRecord } from "../../protocol/pure/json.ts";
import type { AgentInput } from "../agent.ts";
import { bucketOf, type Setting } from "./allocation.ts";
import { type Asked, askedFor, exclusionsIn } from "./asked.ts";
import type { Basics } from "./compute-runs.ts";
import { absentIn } from "./facts/absent.ts";
import { MAX_USER_MESSAGES, understand } from "./facts/facts.ts";
import { type Facts, MAX_PROSE_CHARS } from "./facts/message.ts";
import { type Intent, intentOf } from "./intent.ts";
import { openLedger } from "./ledger.ts";
import { leversNamed, wantsOf } from "./levers.ts";
import { type PriceTable, withOwnPrices } from "./prices.ts";
import { SUBSCRIPTION } from "./smalltalk.ts";
import { type Found, findPasted, findUsage } from "./usage/find.ts";

/** What an operator may set: prices under LiteLLM's field names, GPU rates, and the date they are from. */
export interface AdvisorPrices {
  readonly prices?: unknown;
  readonly prices_as_of?: string;
  readonly gpu_rates?: unknown;
}

export interface Talk {
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

export function read(input: AgentInput, own: AdvisorPrices, base: PriceTable): Talk {
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

/** @param why what was found instead */
export function unusable(why: string): string {
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

function hasFigures({ total, parts, tokens, gpus, models, percents }: Facts): boolean {
  const lists = [parts, gpus, models, percents.shares];
  return [total, tokens, percents.utilisation, ...lists.flat()].some((each) => each !== undefined);
}
