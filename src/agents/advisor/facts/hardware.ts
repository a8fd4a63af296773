/** GPUs and their hours: "8xA100", "16 H100s", "2 nodes of 8xH100", "24/7". */
import { detailsOf, type Fleet, joined } from "./fleets.ts";
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
  /** One by one, with what is said of each. */
  readonly each: readonly Fleet[];
  /** Hours each GPU is paid for, per month. */
  readonly hours: number | undefined;
  readonly rest: string;
}

const COUNT = String.raw`(?<![$€£\d.,])(\d{1,2},\d{3}|\d{1,5}) ?[x×*]? ?`;
const NODES = String.raw`(?:(?:nodes?|servers?) ?(?:of|with|[x×])? ?|(?<=[x×] ?))(\d{1,3}) ?[x×]? ?`;
const WORDS = "(?:nvidia )?((?:reserved|committed|on-demand|spot|preemptible|idle)[ -]+)?(?:nvidia )?";
const TYPE = String.raw`(?<![a-wyz])([BH]200|[AHV]100|A10G|L40S|L4|T4)(?:[ -]?\d+ ?gb)?s?\b`;

const TYPED = new RegExp(`(?:${COUNT})?(?:${NODES})?${WORDS}${TYPE}(?: ?[x×] ?(\\d{1,4})\\b)?`, "gi");
const UNTYPED = new RegExp(`${COUNT}${WORDS}gpus?\\b(?![- ]?hours?)`, "gi");
const AGAIN = /\b(?:those|these|the|our|all)(?: same)? $/i;
/** "Weekly on 8 H100s for 20 hours." */
const RECURRING = new RegExp(
  `(?:\\b(twice) )?${PERIOD}[^.!?;\\n]{0,60}?\\b(?:for|takes?|taking) (?:about )?(${NUMBER}) ?h(?:ours?|rs?)?\\b`,
  "i",
);
const HOURS = new RegExp(`\\b(${NUMBER}) ?h(?:ours?|rs?)? ?${PERIOD}|\\b24 ?[/x×] ?7\\b`, "gi");

export function readHardware(text: string): HardwareFacts {
  const hours = mask(text, HOURS);
  const typed = mask(hours.rest, TYPED);
  const untyped = mask(typed.rest, UNTYPED);
  const named = fleetsIn(hours.rest, typed.matches, ([, before, perNode, word, type = "", after]) => {
    const nodes = before ?? after ?? (perNode && "1");
    return { word, found: nodes ? gpus(nodes, type.toUpperCase(), perNode) : [] };
  });
  const unnamed = fleetsIn(hours.rest, untyped.matches, ([, count = "", word]) => ({
    word,
    found: gpus(count, "GPU"),
  }));
  const { found, blank } = named.found.length > 0 ? named : unnamed;
  const each = joined(found, hours.rest);
  return {
    gpus: [...Map.groupBy(each, ({ type }) => type)].map(([type, own]) => ({
      type,
      count: own.reduce((sum, { count }) => sum + count, 0),
    })),
    each,
    hours: hours.matches.map(hoursPerMonth).find((some) => some > 0) ?? recurring(text),
    rest: blank(untyped.rest),
  };
}

interface Named {
  readonly word: string | undefined;
  readonly found: readonly Gpus[];
}

/** The fleets, and what blanks the loads that were read with them. */
function fleetsIn(
  text: string,
  matches: readonly RegExpExecArray[],
  named: (match: RegExpExecArray) => Named,
) {
  const loads: Array<readonly [at: number, length: number]> = [];
  const found = matches.flatMap((match, index) => {
    const { word, found: own } = named(match);
    const end = match.index + match[0].length;
    const after = text.slice(end, matches[index + 1]?.index).split(/[.;!?](?=\s|$)|\n/)[0] ?? "";
    const lead = text.slice(Math.max(0, match.index - 80), match.index);
    const { read, ...details } = detailsOf({ lead, word, after });
    if (own.length > 0 && read > 0) loads.push([end, read]);
    return own.map((fleet) => ({ ...fleet, ...details, again: AGAIN.test(lead) }));
  });
  const blank = (rest: string) =>
    loads.reduce(
      (left, [at, length]) => left.slice(0, at) + " ".repeat(length) + left.slice(at + length),
      rest,
    );
  return { found, blank };
}

function recurring(text: string): number | undefined {
  const [, twice, unit, adverb, digits = ""] = RECURRING.exec(text) ?? [];
  const period = periodOf(unit ?? adverb);
  const each = parseNumber(digits);
  if (each === undefined || period === undefined) return undefined;
  return Math.min(HOURS_PER_MONTH, each * PER_MONTH[period] * (twice ? 2 : 1));
}

function gpus(nodes: string, type: string, perNode = "1"): readonly Gpus[] {
  const count = (parseNumber(nodes) ?? 0) * (parseNumber(perNode) ?? 0);
  return count > 0 ? [{ count, type }] : [];
}

function hoursPerMonth([, digits, unit, adverb]: RegExpExecArray): number {
  if (digits === undefined) return HOURS_PER_MONTH;
  const period = periodOf(unit ?? adverb);
  return Math.min(HOURS_PER_MONTH, (parseNumber(digits) ?? 0) * (period ? PER_MONTH[period] : 0));
}
