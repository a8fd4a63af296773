/** GPUs and their hours: "8xA100", "16 H100s at 35 %", "2 nodes of 8xH100", "24/7". */
import type { Fleet } from "./fleets.ts";
import { mask } from "./mask.ts";
import { NUMBER, parseNumber } from "./numbers.ts";
import { HOURS_PER_MONTH, PER_MONTH, PERIOD, periodOf } from "./periods.ts";
import { purchaseOf, wondered } from "./purchase.ts";

export interface Gpus {
  readonly count: number;
  /** "GPU" where the text names no type. */
  readonly type: string;
}

export interface HardwareFacts {
  readonly gpus: readonly Gpus[];
  /** One by one, with what is said of each. */
  readonly each: readonly Fleet[];
  /** Hours each GPU is paid for, per month. */
  readonly hours: number | undefined;
  readonly rest: string;
}

const COUNT = String.raw`(?<![$€£\d.,])(\d{1,2},\d{3}|\d{1,5}) ?[x×*]? ?`;
const NODES = String.raw`(?:(?:nodes?|servers?) ?(?:of|with|[x×])? ?|(?<=[x×] ?))(\d{1,3}) ?[x×]? ?`;
const KIND = "reserved|committed|on[- ]demand|spot|preemptible";
const WORDS = `(?:nvidia )?(?:(${KIND}|idle)[ -]+)?(?:nvidia )?`;
const TYPE = String.raw`(?<![a-wyz])([BH]200|[AHV]100|A10G|L40S|L4|T4)(?:[ -]?\d+ ?gb)?s?\b`;
/** Terms and load of these GPUs, before anything else is named. */
const NEAR = String.raw`[^\d,;%.!?\n]{0,20}`;
const TERMS = String.raw`(?:${NEAR}?\b(${KIND})\b(?! (?:or|vs)\b))?`;
const LOAD = String.raw`(?:${NEAR}(?:\b(?:at|are|is)\b|\()${NEAR}?(?:(\d{1,3}) ?%?[-–])?(\d{1,2}(?:\.\d+)?|100) ?%(?! ?(?:of|off|more|less)\b)(?: (idle))?|${NEAR}?\b(idle)\b(?!.{0,12}%))?`;
const TAIL = `${TERMS}${LOAD}${TERMS}`;

const TYPED = new RegExp(`(?:${COUNT})?(?:${NODES})?${WORDS}${TYPE}(?: ?[x×] ?(\\d{1,4})\\b)?${TAIL}`, "gi");
const UNTYPED = new RegExp(`${COUNT}${WORDS}gpus?\\b(?![- ]?hours?)${TAIL}`, "gi");
const ALL = new RegExp(`\\b(?:all|both|each)(?: of (?:them|it))?(?: (?:are|on))* (${KIND})\\b`, "i");
const AGAIN = /\b(?:those|these|the|our|all)(?: same)? $/i;
const HOURS = new RegExp(`\\b(${NUMBER}) ?h(?:ours?|rs?)? ?${PERIOD}|\\b24 ?[/x×] ?7\\b`, "gi");
/** "Weekly on 8 H100s for 20 hours." */
const RECURRING = new RegExp(
  `${PERIOD}[^.!?;\\n]{0,60}?\\b(?:for|takes?) (?:about )?(${NUMBER}) ?h(?:ours?|rs?)?\\b`,
  "i",
);

type Tail = readonly (string | undefined)[];

export function readHardware(text: string): HardwareFacts {
  const hours = mask(text, HOURS);
  const typed = [...hours.rest.matchAll(TYPED)].filter(counted);
  // What is said of GPUs nobody counted, others read.
  const rest = typed.reduce((left, [said]) => left.replace(said, " ".repeat(said.length)), hours.rest);
  const untyped = mask(rest, UNTYPED);
  const lead = ({ index }: RegExpExecArray) => text.slice(Math.max(0, index - 80), index);
  const named = typed.flatMap((match) => {
    const [, , perNode, word, type = "", , ...tail] = match;
    return fleet(gpus(counted(match), type.toUpperCase(), perNode), lead(match), [word, ...tail]);
  });
  const unnamed = untyped.matches.flatMap((match) => {
    const [, count = "", ...tail] = match;
    return fleet(gpus(count, "GPU"), lead(match), tail);
  });
  const each = joined(named.length > 0 ? named : unnamed, purchaseOf(ALL.exec(text)?.[1]));
  const [, unit, adverb, digits = ""] = RECURRING.exec(text) ?? [];
  return {
    gpus: [...Map.groupBy(each, ({ type }) => type)].map(([type, own]) => ({
      type,
      count: own.reduce((sum, { count }) => sum + count, 0),
    })),
    each,
    hours:
      hours.matches.map(([, many, ...period]) => perMonth(many, period)).find((some) => some > 0) ??
      (digits ? perMonth(digits, [unit, adverb]) : undefined),
    rest: untyped.rest,
  };
}

function counted([, before, perNode, , , after]: Tail): string | undefined {
  return before ?? after ?? (perNode && "1");
}

function gpus(nodes: string | undefined, type: string, perNode = "1"): readonly Gpus[] {
  const count = (parseNumber(nodes ?? "") ?? 0) * (parseNumber(perNode) ?? 0);
  return count > 0 ? [{ count, type }] : [];
}

interface Named extends Fleet {
  readonly again: boolean;
}

function fleet(
  [found]: readonly Gpus[],
  lead: string,
  [word = "", before, low, high, idle, off, after]: Tail,
): readonly Named[] {
  const used = high === undefined ? undefined : (Number(low ?? high) + Number(high)) / 200;
  const utilisation = used === undefined ? (/^i/i.test(off ?? word) ? 0 : undefined) : idle ? 1 - used : used;
  const purchase = wondered(lead) ? undefined : (purchaseOf(word) ?? purchaseOf(before ?? after));
  return found ? [{ ...found, utilisation, purchase, again: AGAIN.test(lead) }] : [];
}

/** "16 H100s … those 16 H100s" is one fleet. */
function joined(found: readonly Named[], common: Fleet["purchase"]): readonly Fleet[] {
  const fleets: Fleet[] = [];
  for (const { again, count, type, utilisation, purchase = common } of found) {
    const at = again ? fleets.findIndex((each) => each.count === count && each.type === type) : -1;
    const known = fleets[at];
    const own = {
      count,
      type,
      utilisation: utilisation ?? known?.utilisation,
      purchase: purchase ?? known?.purchase,
    };
    fleets.splice(known ? at : fleets.length, 1, own);
  }
  return fleets;
}

function perMonth(digits: string | undefined, [unit, adverb]: Tail): number {
  if (digits === undefined) return HOURS_PER_MONTH;
  const period = periodOf(unit ?? adverb);
  return Math.min(HOURS_PER_MONTH, (parseNumber(digits) ?? 0) * (period ? PER_MONTH[period] : 0));
}
