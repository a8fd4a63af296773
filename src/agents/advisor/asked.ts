/** What kind of answer a question wants, besides what it is about, and which steps it rules out. */
import type { Facts } from "./facts/message.ts";
import { leversNamed } from "./levers.ts";

export type Kind =
  | "analysis"
  | "levers"
  | "reasons"
  | "order"
  | "assumptions"
  | "forecast"
  | "comparison"
  | "prices";

export interface Asked {
  readonly kind: Kind;
  /** The levers it is about; empty for all. */
  readonly levers: readonly string[];
}

const REASONS =
  /^\W*(?:but |and |ok(?:ay)?,? )?(?:why|how come|explain)\b|\bhow (?:do|did) you (?:get|know|arrive|come)|\bshow (?:me )?(?:the|your) (?:math|arithmetic|calculation|working)/i;
const ORDER =
  /\b(?:which|what|where)\b.{0,40}\b(?:first|start|begin)\b|\bpriorit|\bin what order\b|\bmonday\b/i;
const ASSUMPTIONS = /\b(?:what|which|list|show)\b(?! if).{0,30}\bassum/i;
const FORECAST =
  /\b(?:forecast|predict\w*|project(?:ed|ion)|trend|run.?rate|next (?:month|quarter|year)|exceed|overrun|breach|run out)\b/i;
const COMPARISON =
  /\b(?:compar\w+|versus|vs\.?|switch(?:ing)? (?:from|to)|cheap(?:er|est) (?:model|alternative)|instead of)\b/i;

const PRICES =
  /^(?!.*\b(?:reduc|cut|sav|lower|optimi)).*\b(?:how much (?:is|are|do|does)|what (?:is|are|does|do)|pric(?:es?|ing))\b.*/is;

/** A follow-up is one by what came before; alone, "why?" is nothing. */
export function askedFor(question: string, follows: boolean, { models, tokens, total, parts }: Facts): Asked {
  const levers = follows ? leversNamed(question) : leversAsked(question);
  if (follows && REASONS.test(question)) return { kind: "reasons", levers };
  if (follows && ASSUMPTIONS.test(question)) return { kind: "assumptions", levers: [] };
  if (follows && ORDER.test(question)) return { kind: "order", levers: [] };
  if (FORECAST.test(question)) return { kind: "forecast", levers: [] };
  const two = models.length > 1 && tokens && /\b(?:save|cost)\b/i.test(question);
  if (two || ((models.length > 0 || tokens) && COMPARISON.test(question)))
    return { kind: "comparison", levers: [] };
  const volume = tokens || total || parts.length > 0;
  if (models.length > 0 && !volume && levers.length === 0 && PRICES.test(question))
    return { kind: "prices", levers };
  return levers.length > 0 ? { kind: "levers", levers } : { kind: "analysis", levers: [] };
}

const GAIN =
  /^(?:so )?(?:(?:how much|what) (?:would|could|can|will|does|do)|should (?:we|i)|would|will|does|is it worth)\b/i;

/** In a first message levers are also told of; only a question after what one brings is about it alone. */
function leversAsked(question: string): readonly string[] {
  return [
    ...new Set(
      question
        .split(PARTS)
        .filter((part) => GAIN.test(part))
        .flatMap((part) => leversNamed(part)),
    ),
  ];
}

/** Said to be done, or unwanted; "we don't cache yet" and "should we cache?" are neither. */
const EXCLUDED =
  /(?<!^(?:is|are|does|do)\b.*)\balready (?!spen|pa[yi])|(?<!\b(?:if|whether|should|could|would|can) )\b(?:we|i)(?:'ve)? (?:do|use|did|tried)\b(?! not)|\b(?:except|besides|other than|apart from|excluding|(?<=^(?:what|how|where) .*)without)\b|(?<!\b(?:do|does|did|have|has|are|is) )\bnot? |\b(?:can't|cannot|won't)\b/i;
const PARTS =
  /[.?!;\n]+\s*|,? but |, *(?=(?:so|and)? ?(?:what|which|how|why|should|would|does|can|is|tell)\b)/i;

export interface Exclusions {
  /** Levers that are done already, or not wanted. */
  readonly levers: readonly string[];
  /** What else was said. */
  readonly rest: string;
}

export function exclusionsIn(text: string): Exclusions {
  const parts = text.split(PARTS).filter(Boolean);
  const out = parts.filter((part) => EXCLUDED.test(part) && leversNamed(part).length > 0);
  return {
    levers: out.flatMap((part) => leversNamed(part)),
    rest: out.length > 0 ? parts.filter((part) => !out.includes(part)).join(". ") : text,
  };
}
