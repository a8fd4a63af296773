/** What an amount of money is for, by the words around it. */
import type { Money } from "./money.ts";
import type { Period } from "./periods.ts";
import type { Context } from "./sentences.ts";

/** `spend` is what is paid now, `target` what it should fall to; a `budget` is spend where no spend is named, else a target. */
export type Role = "spend" | "target" | "budget" | "gpu_rate" | "token_rate" | "other";

export interface Reading {
  readonly period: Period | undefined;
  /** Second half of "from A to B". */
  readonly changed: boolean;
}

export const SPENDING = /\b(?:spen[dt]|pa(?:y|id)|cost|bill|budget|burn|expens|invoice)/i;

const MOVED = /\b(?:went|fell|dropped|gr[eo]wn?|rose|doubled|jumped|increased)\b/i;

/** Tried in order on the last words before; what nothing fits is spend. */
const RULES: ReadonlyArray<readonly [Role, RegExp]> = [
  [
    "other",
    /(?:n't|\b(?:not|rather than|instead of|no longer|by|sav(?:e|ing)|shave|free up|up from|down from|used to \w+|cut|trim)) (?:us |up to |about )?$/i,
  ],
  [
    "target",
    /\b(?:want|like|aim|need|should|keep|stay)\b.{0,25}\b(?:spend|pay|be|get|stay|keep|under|below|at)\b.{0,12}$/i,
  ],
  [
    "spend",
    /\b(?:spen[dt]|spending|pa(?:y|id|ying)|burn(?:ed|ing)?|bill is|close|comes?|amounts?) (?:up |just )?(?:(?:to|under|below|less than|about|around|roughly|us) )?$/i,
  ],
  ["budget", /\bbudget\b.{0,15}$/i],
  ["target", /\b(?:target|cap|limit|max|at most|no more than|exceed|to|under|below)\b.{0,12}$/i],
];

/** "A $20k budget", "$20k a month AI budget". */
const BUDGET_NEXT =
  /^ ?(?:\/|an?|per)? ?(?:month(?:ly)?|year(?:ly)?|annual|quarter(?:ly)?)? ?(?:ai|ml|gpu|llm|api|cloud|infra\w*|total)? ?budget\b/i;

const PER_TOKENS = /^ ?(?:\/|per|for) ?(?:1 ?)?(k|1,?000|thousand|m|million) ?tokens?\b/i;
const PER_UNIT =
  /^ ?(?:\/|per|an?|each|for) ?(?:1? ?[km]|1,?000|million|thousand)? ?(?:(?:in|out)put |prompt |cached )*(?:token|request|call|seat|user|query|queries|image|[tg]b\b|customer|instance)/i;
const PER_GPU = /^ ?(?:\/|per|an?) ?(?:gpu|card|(?:h|hr|hour)\b ?(?:\/|per|each|for each) ?(?:gpu|card))/i;
const ELSEWHERE = /\b(?:revenue|[am]rr|raised|funding|profit|credits?|salar\w*|last year|a year ago)\b/i;

/** No cloud charges more for one GPU-hour. */
const MAX_GPU_RATE = 150;

/** What makes a price per so many tokens one per million. */
export function perMillion(after: string): number {
  return /^m/i.test(PER_TOKENS.exec(after)?.[1] ?? "") ? 1 : 1e3;
}

export function roleOf(
  { high, leads_to_next }: Money,
  { lead, before, after }: Context,
  { period, changed }: Reading,
): Role {
  const hourly = period === "hour" && /gpu|[ahbl]\d{1,3}/i.test(lead);
  if (PER_GPU.test(after) || (hourly && high < MAX_GPU_RATE))
    return high < MAX_GPU_RATE ? "gpu_rate" : "other";
  const clause = before.split(/,|\band\b/i).at(-1) ?? "";
  if (PER_TOKENS.test(after)) return "token_rate";
  if (PER_UNIT.test(after) || ELSEWHERE.test(`${clause.slice(-30)} ${after.slice(0, 30)}`)) return "other";
  if (changed || leads_to_next) {
    // "Costs went from A to B": B is paid now. "Cut it from A to B": A is.
    return MOVED.test(lead) === changed ? "spend" : changed ? "target" : "other";
  }
  if (BUDGET_NEXT.test(after)) return "budget";
  const last = lead.slice(-60);
  return RULES.find(([, words]) => words.test(last))?.[0] ?? "spend";
}
