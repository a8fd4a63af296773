/** What kind of answer is asked for. */
import type { Bucket } from "./buckets.ts";

/** A bucket means: about that alone. */
export type Intent = "overview" | "audit" | "smalltalk" | Exclude<Bucket, "platform">;

const FOCUS: ReadonlyArray<readonly [Exclude<Bucket, "platform">, RegExp]> = [
  ["training", /\btrain(?:ing|ed)?\b|fine-?tun|pre-?train|checkpoint|epochs?\b|hyperparam/gi],
  [
    "data",
    /\bdata (?:process|pipe|platform|ware|lake|engineer|infra)\w*|\bet?l[et]?l?\b|spark\b|bigquery|snowflake|databricks|storage|egress|\bs3\b|ingest/gi,
  ],
  [
    "gpu",
    /\bgpus?\b|\b[abhlv]\d{1,3}s?\b|\dx[ah]\d00|utili[sz]ation|\bspot\b|reserved|quanti[sz]|self-?host|\bidle\b|\bvllm\b/gi,
  ],
  [
    "llm_api",
    /open ?ai|anthropic|claude|\bgpt|gemini|\bllms?\b|\bapi\b|tokens?\b|prompts?\b|cach(?:e|ing)|\bbatch|\brout(?:e|ing)\b/gi,
  ],
];

const WHOLE = /\b(?:entire|whole|full|complete|comprehensive|all|every\w*|across)\b/i;
const INFRASTRUCTURE = /\b(?:infra\w*|stack|everything|audit|report|spend\w*|costs?)\b/i;
const COSTS =
  /\b(?:costs?|spend\w*|optimi[sz]\w*|sav(?:e|ing)\w*|reduc\w*|cheaper|expensive|bills?|budgets?|cut|invoices?|prices?|pay\w*|money)\b|[$€£]\s?\d|\d\s?(?:k|usd|eur)\b/i;
const GREETING =
  /^\W*(?:hi|hello|hey|thanks?|thank you|good (?:morning|day|evening))\b[^?]{0,40}$|what can you do|who are you/i;

/** A follow-up that names no subject ("and at 60 %?") keeps that of the conversation. */
export function intentOf(question: string, earlier: readonly string[], hasFigures: boolean): Intent {
  const own = classify(question);
  if (own !== undefined) return own;
  if (GREETING.test(question)) return "smalltalk";
  return (
    earlier.map(classify).findLast((intent) => intent !== undefined) ??
    (hasFigures ? "overview" : "smalltalk")
  );
}

function classify(text: string): Intent | undefined {
  const scores = FOCUS.map(([intent, words]) => ({ intent, score: text.match(words)?.length ?? 0 }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score);
  const [first, second] = scores;
  if (
    WHOLE.test(text) &&
    INFRASTRUCTURE.test(text) &&
    (first === undefined || /infra|stack|everything/i.test(text))
  ) {
    return "audit";
  }
  // Training runs on GPUs: naming both is still about training.
  const only =
    second === undefined ||
    (scores.length === 2 &&
      first?.intent !== "data" &&
      scores.some(({ intent }) => intent === "training") &&
      scores.some(({ intent }) => intent === "gpu"));
  if (first !== undefined && only)
    return scores.find(({ intent }) => intent === "training")?.intent ?? first.intent;
  if (first !== undefined && second !== undefined)
    return first.score >= second.score + 2 ? first.intent : "overview";
  return COSTS.test(text) ? "overview" : undefined;
}
