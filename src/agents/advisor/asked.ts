/** What kind of answer a question wants, besides what it is about. */
import { leversNamed } from "./levers.ts";

export type Kind = "analysis" | "levers" | "reasons" | "order" | "forecast" | "comparison";

export interface Asked {
  readonly kind: Kind;
  /** The levers it is about; empty for all. */
  readonly levers: readonly string[];
}

const REASONS =
  /^\W*(?:but |and |ok(?:ay)?,? )?(?:why|how come|explain)\b|\bhow (?:do|did) you (?:get|know|arrive|come)|\bshow (?:me )?(?:the|your) (?:math|arithmetic|calculation|working)/i;
const ORDER =
  /\b(?:which|what|where)\b.{0,40}\b(?:first|start|begin)\b|\bpriorit|\bin what order\b|\bmonday\b/i;
const FORECAST =
  /\b(?:forecast|predict\w*|project(?:ed|ion)|trend|run.?rate|next (?:month|quarter|year)|exceed|overrun|breach|run out)\b/i;
const COMPARISON =
  /\b(?:compar\w+|versus|vs\.?|switch(?:ing)? (?:from|to)|cheap(?:er|est) (?:model|alternative)|instead of)\b/i;

/** A follow-up is one by what came before; alone, "why?" is nothing. */
export function askedFor(question: string, follows: boolean, models: number): Asked {
  const levers = follows ? leversNamed(question) : [];
  if (follows && REASONS.test(question)) return { kind: "reasons", levers };
  if (follows && ORDER.test(question)) return { kind: "order", levers: [] };
  if (FORECAST.test(question)) return { kind: "forecast", levers: [] };
  if (models > 0 && COMPARISON.test(question)) return { kind: "comparison", levers: [] };
  return levers.length > 0 ? { kind: "levers", levers } : { kind: "analysis", levers: [] };
}
