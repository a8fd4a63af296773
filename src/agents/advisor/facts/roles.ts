/** What an amount of money is for, by the words around it. */
import type { Money } from "./money.ts";
import type { Period } from "./periods.ts";
import type { Context } from "./sentences.ts";

/**
 * `spend` is what is paid now, `target` what it should fall to, `goal` what
 * should be saved; `budget`, `previous` and `projected` stand in for the spend
 * only where nothing else does.
 */
export type Role = "spend" | "target" | "goal" | "budget" | "previous" | "projected" | "gpu_rate" | "other";

export interface Reading {
  readonly period: Period | undefined;
  /** Second half of "from A to B". */
  readonly changed: boolean;
}

export const SPENDING = /\b(?:spen[dt]|pa(?:y|id)|cost|bill|budget|burn|expens|invoice)/i;

const ABOUT = "(?:about |around |roughly |at least |just |~)?$";
const CUT = "\\b(?:cut|reduc\\w*|lower|bring|get|down|drop|shrink|go|trim|optimi[sz]e|slash)\\b";
const MOVED = /\b(?:went|fell|dropped|came|gr[eo]wn?|rose|doubled|tripled|jumped|increased|climbed|gone)\b/i;

/** Tried in order: the words before (the last 60 characters), then the words after; either absent fits all. */
const RULES: ReadonlyArray<readonly [Role, RegExp | undefined, RegExp?]> = [
  [
    "goal",
    new RegExp(`${CUT}.*\\bby ${ABOUT}|\\b(?:sav(?:e|ing)|shave|free up) (?:us |me |up to )?${ABOUT}`, "i"),
  ],
  ["goal", /\b(?:cut|trim|take|drop) $/i, /^.{0,12}\b(?:from|off|out of)\b/i],
  [
    "target",
    /\b(?:want|like|hope|aim|need|should|could|plan|keep|stay)\b.{0,25}\b(?:spend|pay|be|cost|get|stay|keep|go|under|below|at)\b.{0,12}$/i,
  ],
  [
    "spend",
    /\b(?:(?:spend|pay)\w*|bill is) (?:just )?(?:under|below|less than|at most) $|\b(?:up|close|comes?|amounts?|adds up) to $/i,
  ],
  ["target", /\b(?:target\w*|cap(?:ped)?|ceiling|limit|max(?:imum)?|at most|no more than|within)\b.{0,12}$/i],
  ["target", new RegExp(`${CUT}.*\\b(?:to|under|below|less than|towards?) ${ABOUT}`, "i")],
  ["budget", /\bbudget\b.{0,15}$/i],
  ["budget", undefined, /^.{0,12}\bbudget\b/i],
  ["previous", /\b(?:up from|down from|used to \w+|previously|originally|a year ago|last year)\b.{0,30}$/i],
  ["previous", undefined, /^.{0,10}\b(?:a year ago|last year|previously)\b/i],
  ["projected", /\b(?:expect|forecast|project|will (?:be|reach|hit)|reach|grow to|heading)\w*.{0,15}$/i],
];

const PER_UNIT =
  /^ ?(?:\/|per|an?|each|for) ?(?:1? ?[km]|1,?000|million|thousand)? ?(?:tokens?|requests?|calls?|seats?|users?|quer(?:y|ies)|images?|[tg]b|customers?|nodes?|instances?|employees?|developers?|documents?)\b/i;
const PER_GPU =
  /^ ?(?:\/|per|an?) ?(?:gpu|card)|^ ?(?:\/|per|an?) ?(?:h|hr|hour)\b ?(?:\/|per|each|for each) ?(?:gpu|card)?/i;
const ELSEWHERE =
  /\b(?:revenue|[am]rr|raised|funding|valuation|profit|credits?|salar\w*|payroll|runway|savings of)\b/i;

/** No cloud charges more for one GPU-hour. */
const MAX_GPU_RATE = 150;

export function roleOf(
  { high, leads_to_next }: Money,
  { lead, before, after }: Context,
  { period, changed }: Reading,
): Role {
  const hourly = period === "hour" && /gpu|[ahbl]\d{1,3}/i.test(lead);
  if (PER_GPU.test(after) || (hourly && high < MAX_GPU_RATE))
    return high < MAX_GPU_RATE ? "gpu_rate" : "other";
  const clause =
    before
      .split(/,|\band\b/i)
      .at(-1)
      ?.slice(-30) ?? "";
  if (PER_UNIT.test(after) || ELSEWHERE.test(`${clause} ${after.slice(0, 30)}`)) return "other";
  if (leads_to_next) return MOVED.test(lead) ? "previous" : "spend";
  if (changed) return MOVED.test(lead) ? "spend" : "target";
  const last = lead.slice(-60);
  return (
    RULES.find(([, first, then]) => (first?.test(last) ?? true) && (then?.test(after) ?? true))?.[0] ??
    "spend"
  );
}
