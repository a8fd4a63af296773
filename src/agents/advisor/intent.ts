/** What kind of answer is asked for. */
import { type Bucket, FOCI } from "./buckets.ts";
import { leversNamed } from "./levers.ts";

/** A bucket means: about that alone. */
export type Intent = "overview" | "audit" | "smalltalk" | Exclude<Bucket, "platform">;

const WHOLE = /\b(?:entire|whole|full|complete|all|everything)\b/i;
const INFRASTRUCTURE = /\b(?:infra\w*|stack|everything)\b/i;
const COSTS =
  /\b(?:costs?|spend|spending|optimi[sz]\w*|sav(?:e|ing)s?|reduc\w*|cheaper|expensive|bills?|budget|cut|prices?|pay|money|wast\w*|efficien\w*|utili[sz]\w*)\b|[$€£¥₹]\s?\d/i;
export const GREETING = /^\W*(?:hi|hello|hey|thanks?|thank you)\b[^?]{0,40}$|what can you do/i;

/** A follow-up that names no subject ("and at 60 %?") keeps that of the conversation. */
export function intentOf(question: string, earlier: readonly string[], hasFigures: boolean): Intent {
  const before = earlier.filter((text) => matters(text) || /\d/.test(text));
  const own = hasFigures || before.length > 0 || matters(question) ? classify(question) : undefined;
  if (own !== undefined) return own;
  if (GREETING.test(question)) return "smalltalk";
  return before.map(classify).findLast(Boolean) ?? (hasFigures ? "overview" : "smalltalk");
}

/** Prompts and data have many sides; only what names costs, or a way to lower them, is ours. */
function matters(text: string): boolean {
  return COSTS.test(text) || leversNamed(text).length > 0;
}

function classify(text: string): Intent | undefined {
  const scores = FOCI.map(([intent, words]) => ({ intent, score: text.split(words).length - 1 }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score);
  const [first, second] = scores;
  if (WHOLE.test(text) && (INFRASTRUCTURE.test(text) || (!first && COSTS.test(text)))) return "audit";
  if (first === undefined) return COSTS.test(text) ? "overview" : undefined;
  // Training runs on GPUs: naming both, and nothing else, is still about training.
  if (scores.every(({ intent }) => intent === "training" || intent === "gpu"))
    return scores.find(({ intent }) => intent === "training")?.intent ?? "gpu";
  return first.score >= (second?.score ?? -1) + 2 ? first.intent : "overview";
}
