/** What the percentages of a text mean: utilisation, or a share of the spend. */
import { type Scope, scopeOf } from "../buckets.ts";
import type { PriceTable } from "../prices.ts";
import { mask } from "./mask.ts";
import { readModels } from "./models.ts";
import { type Context, contexts } from "./sentences.ts";

export interface Share {
  readonly share: number;
  readonly scope?: Scope;
  readonly model?: string;
}

/** Fractions, 0 to 1. */
export interface PercentFacts {
  readonly utilisation?: number;
  /** Input tokens that are read from a cache now. */
  readonly cache_hits?: number;
  /** Input tokens that repeat from call to call. */
  readonly repeated?: number;
  /** Training spend on runs that fail. */
  readonly failed?: number;
  /** API work that nobody waits for. */
  readonly deferrable?: number;
  /** Calls that a smaller model could take. */
  readonly easy?: number;
  /** By how much the spend, or a part of it, should fall. */
  readonly goal?: Share;
  readonly shares: readonly Share[];
  /** What everything without an amount or a share goes to. */
  readonly rest?: Scope;
}

const PERCENT =
  /(?<![\d.,])(?:(\d{1,3}(?:\.\d+)?)\s?%?\s?(?:-|–|to)\s?)?(\d{1,3}(?:\.\d+)?)\s?(?:%|(?:percent|prozent|pour ?cent|por ciento)\b)/gi;

const IDLE = /\bidle\b/i;
const USED = /\b(?:utili[sz]|busy|auslast)/i;
/** Percentages that are said about the work, not the bill. */
const WORK: ReadonlyArray<
  readonly [Exclude<keyof PercentFacts, "utilisation" | "goal" | "shares" | "rest">, RegExp]
> = [
  [
    "repeated",
    /\b(?:shar(?:e|es|ing)|same|identical|common|static)\b.{0,20}\b(?:prefix|prompt|context|instructions?)|\b(?:is|are) (?:repeated|static|identical|the same)\b/i,
  ],
  ["cache_hits", /\b(?:cach\w*|hit rate)/i],
  ["deferrable", /\b(?:batch|async|overnight|can wait|not urgent)/i],
  ["failed", /\b(?:fail|crash|diverge|wasted)/i],
  ["easy", /\b(?:simple|easy|trivial)\b/i],
];
/** And those that are about neither. */
const OTHER = /\b(?:margin|discount|gr[eo]w|accura|uptime|increase|cpu|memory|more|off|less|fewer)/i;
const REST =
  /\b(?:the )?(?:rest|remainder|remaining)\b(?: of (?:it|that))?(?: (?:is|goes|being|all|mostly|on|to|for))*[:=]? ([^,.;!?\n]{1,40})/i;
const WISH = /\b(?:cut|reduc\w*|sav\w*|lower)\b[^%]*$/i;
const DONE = /\b(?:saved|reduced|have|already|did|could)\b/i;
const RUNNING = /\b(?:(?:gpus?|[abhlv]\d{2,3}s?|t4s?)\b.{0,20}\bat|run\w*\W+at)\W*$/i;

export interface PercentsRead {
  readonly percents: PercentFacts;
  /** Said of the load of GPUs, and above 100 %. */
  readonly refused: readonly string[];
  readonly rest: string;
}

export function readPercents(text: string, original: string, table?: PriceTable): PercentsRead {
  const { matches, rest } = mask(text, PERCENT);
  const spans = matches.map((match) => ({ start: match.index, end: match.index + match[0].length }));
  const around = contexts(original, spans);
  const refused = around.flatMap(({ before, after }, index) =>
    fraction(matches[index]) === undefined && USED.test(before.slice(-25) + after.slice(0, 25))
      ? `${matches[index]?.[0].trim()} utilisation`
      : [],
  );
  const found = around.flatMap((context, index) => {
    const value = fraction(matches[index]);
    return value === undefined ? [] : meaningsOf(context, value, table);
  });
  // The first mention of a kind counts.
  const about = Object.assign({}, ...found.filter((each) => !("share" in each)).toReversed());
  const shares = found.filter((each) => "share" in each);
  const left = scopeOf(REST.exec(original)?.[1] ?? "");
  return { percents: { ...about, shares, ...(left && { rest: left }) }, refused, rest };
}

/** The middle of a range; `undefined` above 100 %. */
function fraction([, low, high = ""]: readonly string[] = []): number | undefined {
  const value = (Number(low ?? high) + Number(high)) / 200;
  return value <= 1 ? value : undefined;
}

/** The words after say more than the words before. */
function meaningsOf(
  context: Context,
  value: number,
  table?: PriceTable,
): ReadonlyArray<Omit<PercentFacts, "shares"> | Share> {
  const { before, lead, after, sentence } = context;
  for (const words of [after.slice(0, 40).split(",")[0] ?? "", before.slice(-40)]) {
    if (IDLE.test(words)) return [{ utilisation: 1 - value }];
    if (USED.test(words)) return [{ utilisation: value }];
    if (WISH.test(lead.slice(-50))) {
      const scope = scopeOf(lead.slice(-50));
      return DONE.test(sentence) ? [] : [{ goal: { share: value, ...(scope && { scope }) } }];
    }
    const work = WORK.find(([, said]) => said.test(words))?.[0];
    if (work !== undefined) return [{ [work]: value }];
    if (OTHER.test(words)) return [];
  }
  return RUNNING.test(before) ? [{ utilisation: value }] : shareOf(context, value, table);
}

function shareOf({ before, after }: Context, share: number, table?: PriceTable): readonly Share[] {
  const words = after.slice(0, 45).split(/[,(]/)[0] ?? "";
  // "GPT-5 is 80 %", but not "$3k on GPT-5, 70 % of calls are simple".
  const subject = /(?:\b(?:is|are|at|about)(?: (?:only|just|about|roughly|around|maybe))?|[:=(~]) ?$/i.test(
    before,
  )
    ? before.slice(-25)
    : "";
  for (const near of [words, subject]) {
    const model = readModels(near, table).models[0];
    if (model !== undefined) return [{ share, model }];
    const scope = scopeOf(near);
    if (scope !== undefined) return [{ share, scope }];
  }
  return [];
}
