/** GPUs and their hours: "8xA100", "16 H100s", "2 nodes of 8xH100", "24/7". */
import { mask } from "./mask.ts";
import { NUMBER, parseNumber } from "./numbers.ts";
import { HOURS_PER_MONTH, PER_MONTH, PERIOD, periodOf } from "./periods.ts";

export interface Gpus {
  readonly count: number;
  /** "GPU" where the text names no type. */
  readonly type: string;
}

export interface HardwareFacts {
  readonly gpus: readonly Gpus[];
  /** Hours each GPU is paid for, per month. */
  readonly hours: number | undefined;
  readonly rest: string;
}

const COUNT = String.raw`(?<![$€£\d.,])(\d{1,2},\d{3}|\d{1,5}) ?[x×*]? ?`;
const NODES = String.raw`(?:(?:nodes?|servers?) ?(?:of|with|[x×])? ?|(?<=[x×] ?))(\d{1,3}) ?[x×]? ?`;
const WORDS = "(?:(?:nvidia|reserved|on-demand|spot|idle)[ -]+)?";
const TYPE = String.raw`(?<![a-wyz])([BH]200|[AHV]100|A10G|L40S|L4|T4)(?:[ -]?\d+ ?gb)?s?\b`;

const TYPED = new RegExp(`(?:${COUNT})?(?:${NODES})?${WORDS}${TYPE}(?: ?[x×] ?(\\d{1,4})\\b)?`, "gi");
const UNTYPED = new RegExp(`${COUNT}${WORDS}gpus?\\b(?![- ]?hours?)`, "gi");
const HOURS = new RegExp(`\\b(${NUMBER}) ?h(?:ours?|rs?)? ?${PERIOD}|\\b24 ?[/x×] ?7\\b`, "gi");

export function readHardware(text: string): HardwareFacts {
  const hours = mask(text, HOURS);
  const typed = mask(hours.rest, TYPED);
  const untyped = mask(typed.rest, UNTYPED);
  const named = typed.matches.flatMap(([, before, perNode, type = "", after]) => {
    const nodes = before ?? after ?? (perNode && "1");
    return nodes ? gpus(nodes, type.toUpperCase(), perNode) : [];
  });
  const unnamed = untyped.matches.flatMap(([, count = ""]) => gpus(count, "GPU"));
  return {
    gpus: distinct(named.length > 0 ? named : unnamed),
    hours: hours.matches.map(hoursPerMonth).find((each) => each > 0),
    rest: untyped.rest,
  };
}

function gpus(nodes: string, type: string, perNode = "1"): readonly Gpus[] {
  const count = (parseNumber(nodes) ?? 0) * (parseNumber(perNode) ?? 0);
  return count > 0 ? [{ count, type }] : [];
}

/** "16 H100s … those 16 H100s" is one fleet. */
function distinct(found: readonly Gpus[]): readonly Gpus[] {
  return [...new Map(found.map((each) => [`${each.count} ${each.type}`, each])).values()];
}

function hoursPerMonth([, digits, unit, adverb]: RegExpExecArray): number {
  if (digits === undefined) return HOURS_PER_MONTH;
  const period = periodOf(unit ?? adverb);
  return Math.min(HOURS_PER_MONTH, (parseNumber(digits) ?? 0) * (period ? PER_MONTH[period] : 0));
}
