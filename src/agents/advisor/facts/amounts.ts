/** What each amount of money in a text is for, and how much that is per month. */
import { type Scope, scopeOf } from "../buckets.ts";
import { type Money, readMoney } from "./money.ts";
import { PER_MONTH, PERIOD, type Period, periodIn } from "./periods.ts";
import { perMillion, type Role, roleOf, SPENDING } from "./roles.ts";
import { type Context, contexts } from "./sentences.ts";

export interface Amount {
  readonly role: Role;
  /** Per month, except a `gpu_rate`, which is per hour, and a `token_rate`, per million. */
  readonly low: number;
  readonly high: number;
  readonly currency: string;
  readonly currency_stated: boolean;
  readonly period: Period | undefined;
  readonly scope: Scope | undefined;
  /** Said to be for everything ("on AI infrastructure", "in total"). */
  readonly general: boolean;
  /** For moving data, which is a part of what data costs. */
  readonly transfer: boolean;
  readonly said: string;
}

const GENERAL =
  /\b(?:ai|ml|genai) (?:infra|stack|cost|spend|bill|budget|service|tool)|\b(?:total|overall|everything)\b/i;
const SPENT_JUST_BEFORE = /\b(?:spend|pay|cost|bill|budget)\w* (?:is |of |about |around |us |roughly |~)*$/i;
const LISTED = /[$€£¥₹]|\b(?:usd|eur|gbp|monthly|costs?)\b/i;
/** "Actually it's 80k", "it is 80k now, not 50k": said in answer to an amount named before. */
const CORRECTS_BEFORE =
  /\b(?:actually|sorry,?|i mean|i meant|it(?:'s| is| was)|make (?:it|that)) (?:now |about |more like )?$/i;
const CORRECTS_AFTER = /^ ?(?:now|actually)\b/i;
const PERIOD_NEXT = new RegExp(`^\\W?${PERIOD}`, "i");

/** "On Acme": somebody nobody here knows, and neither models nor GPUs. */
const VENDOR = /^ ?(?:on|to) (?!Gen|Mach|Infra|The|Our)[A-Z][a-z]{2,}/;

/** A number that stands where an amount would: better named than dropped in silence. */
const BESIDE = /\b(?:spen[dt]\w*|pa(?:y|id|ying)|costs?|bill|budget)\b[^,]{0,15}$/i;
const COUNTED = /^ ?[a-z]+s\b/i;

export interface Amounts {
  readonly amounts: readonly Amount[];
  /** Read as no amount, though something about paying is said right before. */
  readonly unused: readonly string[];
}

/** `masked` is `text` with everything blanked that is known not to be money. */
export function readAmounts(masked: string, text: string, follows = false): Amounts {
  const found = readMoney(masked);
  const around = contexts(text, found);
  const hidden = contexts(masked, found);
  const named = found.find(({ currency }) => currency !== undefined)?.currency;
  const unused: string[] = [];
  const amounts = found.flatMap((money, index) => {
    const [context, layer] = [around[index], hidden[index]];
    if (context === undefined || layer === undefined) return [];
    if (!isMoney(money, context, follows)) {
      const { before, after } = context;
      if (money.high >= 100 && BESIDE.test(before) && !COUNTED.test(after)) unused.push(money.said.trim());
      return [];
    }
    const period = [layer.after.slice(0, 40), layer.before, layer.sentence, masked]
      .map(periodIn)
      .find((each) => each !== undefined);
    const role = roleOf(money, context, { period, changed: found[index - 1]?.leads_to_next === true });
    return [amount(money, context, { period, role, currency: money.currency ?? named })];
  });
  return { amounts, unused };
}

/**
 * A number without a currency is money only where the sentence is about paying
 * and the number looks like a bill, or where it is one of a list ("GPU 22k, API 14k").
 */
function isMoney(
  { currency, said }: Money,
  { before, lead, after, sentence }: Context,
  follows: boolean,
): boolean {
  if (currency !== undefined) return true;
  if (!/[km]$|\d[,. ]?\d{3}$/i.test(said)) return false;
  const ends = /^ ?(?:$|[,.;!?)]|(?:and|on|for|instead|now|actually|not|in total)\b)/.test(after);
  if (ends && LISTED.test(sentence) && scopeOf(before) !== undefined) return true;
  // "We pay 3k for one thing and 12k for another."
  if (/^ ?(?:on|for)\b/.test(after) && SPENDING.test(lead) && scopeOf(after) !== undefined) return true;
  if (/^ ?(?:instead|rather)\b/.test(after)) return true;
  if (
    follows &&
    (CORRECTS_AFTER.test(after) || (CORRECTS_BEFORE.test(lead) && (ends || PERIOD_NEXT.test(after))))
  )
    return true;
  if (!SPENDING.test(lead + after)) return false;
  return PERIOD_NEXT.test(after) || (SPENT_JUST_BEFORE.test(lead) && ends);
}

interface Reading extends Pick<Amount, "period" | "role"> {
  readonly currency: string | undefined;
}

function amount(money: Money, context: Context, { period, role, currency }: Reading): Amount {
  const rate = role === "gpu_rate" ? 1 : role === "token_rate" ? perMillion(context.after) : undefined;
  const factor = rate ?? PER_MONTH[period ?? "month"];
  const { following, clause, vendor } = wordsAround(context);
  const scope = meant(following) ?? vendor ?? meant(clause);
  return {
    role,
    low: money.low * factor,
    high: money.high * factor,
    currency: currency ?? "USD",
    currency_stated: currency !== undefined,
    period,
    scope: scope === "all" ? undefined : scope,
    general: scope === "all",
    transfer: /egress|transfer/i.test(meant(following) === undefined ? clause : following),
    said: money.said.trim(),
  };
}

/** What follows says most ("$30k on GPUs", "$30k GPU bill"); otherwise the clause before ("GPUs: $30k"). */
function wordsAround({ before, after }: Context) {
  const rest = after.replace(PERIOD_NEXT, "");
  const following = /^ ?(?:[,;:)]|and\b|plus\b)/i.test(rest)
    ? ""
    : (rest.split(/[,(:]/)[0]?.slice(0, 60) ?? "");
  const clause = before.split(/,|;|\band\b|\bplus\b|: (?=.*\w)/i).at(-1) ?? "";
  const vendor = VENDOR.test(rest) ? ("platform" as const) : undefined;
  return { following, clause, vendor };
}

function meant(words: string): Scope | "all" | undefined {
  return GENERAL.test(words) ? "all" : scopeOf(words);
}
