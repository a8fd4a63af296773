/** What the percentages of a text mean: utilisation, shares of the spend, cache hits, failed runs, a goal. */
import { type Scope, scopeOf } from "../buckets.ts";
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
  readonly cache_hit?: number;
  readonly deferrable?: number;
  readonly failed?: number;
  /** "Cut costs by 30%". */
  readonly goal?: number;
  readonly shares: readonly Share[];
}

type Meaning = Exclude<keyof PercentFacts, "shares"> | "idle" | "other";

const PERCENT =
  /(?<![\d.,])(?:(\d{1,3}(?:\.\d+)?)\s?%?\s?(?:-|–|to)\s?)?(\d{1,3}(?:\.\d+)?)\s?(?:%|percent\b|pct\b)/gi;

/** Tried in this order on the words after, then on the words before. */
const MEANINGS: ReadonlyArray<readonly [Meaning, RegExp]> = [
  ["idle", /\bidle\b/i],
  ["utilisation", /\b(?:utili[sz]\w*|busy|util)\b/i],
  ["cache_hit", /\bcach\w*|\bhit rate\b/i],
  ["deferrable", /\b(?:batch\w*|offline|async\w*|overnight|can wait|deferr\w*|not urgent)\b/i],
  ["failed", /\b(?:fail\w*|crash\w*|restart\w*|wasted)\b/i],
  ["other", /\b(?:margin|discount|growth|gr[eo]w\w*|accura\w*|uptime|increase\w*|cpu|memory|more|higher)\b/i],
];

const GOAL = /\b(?:cut|reduc\w*|sav\w*|lower|trim|shave|drop|decrease)\b[^%]*$/i;

export function readPercents(text: string, original: string): PercentFacts & { readonly rest: string } {
  const { matches, rest } = mask(text, PERCENT);
  const spans = matches.map((match) => ({ start: match.index, end: match.index + match[0].length }));
  const around = contexts(original, spans);
  const found: { -readonly [key in Meaning]?: number } = {};
  const shares: Share[] = [];
  matches.forEach((match, index) => {
    const context = around[index];
    const value = fraction(match);
    if (context === undefined || value === undefined) return;
    const meaning = meaningOf(context);
    if (meaning !== undefined) found[meaning] ??= value;
    else shares.push(...shareOf(context, value));
  });
  const { idle, other: _, ...facts } = found;
  return { ...(idle === undefined ? {} : { utilisation: 1 - idle }), ...facts, shares, rest };
}

/** The middle of a range; `undefined` above 100 %. */
function fraction([, low, high = ""]: RegExpExecArray): number | undefined {
  const value = (Number(low ?? high) + Number(high)) / 200;
  return value <= 1 ? value : undefined;
}

function meaningOf({ before, lead, after }: Context): Meaning | undefined {
  const near = after.slice(0, 40).split(/,/)[0] ?? "";
  const direct = MEANINGS.find(([, words]) => words.test(near));
  if (direct) return direct[0];
  if (GOAL.test(lead.slice(-50))) return "goal";
  const said = MEANINGS.find(([, words]) => words.test(before.slice(-40)));
  if (said) return said[0];
  return /\bgpus?\b.{0,20}\bat\W*$/i.test(before) || /\brun\w*\W+at\W*$/i.test(before)
    ? "utilisation"
    : undefined;
}

function shareOf({ before, after }: Context, share: number): readonly Share[] {
  const words = after.slice(0, 45).split(/[,(]/)[0] ?? "";
  // "GPT-5 is 80 %", but not "$3k on GPT-5, 70 % of calls are simple".
  const subject = /(?:\b(?:is|are|at|about)|[:=(~]) ?$/i.test(before) ? before.slice(-25) : "";
  for (const near of [words, subject]) {
    const model = readModels(near).models[0];
    if (model !== undefined) return [{ share, model }];
    const scope = scopeOf(near);
    if (scope !== undefined) return [{ share, scope }];
  }
  return [];
}
