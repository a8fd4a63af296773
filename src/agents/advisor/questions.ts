/** What would sharpen the answer most: at most three questions about what is missing. */
import type { Allocation } from "./allocation.ts";
import type { Asked } from "./asked.ts";
import type { Facts } from "./facts/message.ts";

const MAX_QUESTIONS = 3;

const EXPORT = "A billing export works too.";

interface Known {
  readonly asked: Asked;
  readonly measured: boolean;
}

export function questionsFor(
  { basis, spend, alternatives }: Allocation,
  facts: Facts,
  { asked, measured }: Known,
): string[] {
  const { models, tokens, percents } = facts;
  const { kind, levers } = asked;
  const about = (...names: readonly string[]) =>
    levers.length === 0 || names.some((name) => levers.includes(name));
  const gpus = about("rightsize", "commit", "spot", "quantise") && (spend.gpu ?? spend.training);
  const asks: ReadonlyArray<readonly [unknown, string]> = [
    [kind === "forecast" && !measured, "What did you spend per day or month so far?"],
    [basis === "illustration", `What do you spend a month, and on what? ${EXPORT}`],
    [alternatives.length > 0, `How does the bill split between APIs, GPUs and others? ${EXPORT}`],
    [
      levers.includes("cache") && percents.cache_hits === undefined,
      "What share of your input tokens is cached now?",
    ],
    [
      levers.includes("batch") && percents.deferrable === undefined,
      "What share of the calls can wait a day?",
    ],
    [
      about("cache", "route", "batch", "selfhost") && spend.llm_api && (models.length === 0 || !tokens),
      `${models.length > 0 ? "How" : "Which models, with how"} many input and output tokens a day?`,
    ],
    [
      gpus && percents.utilisation === undefined && !facts.training.params,
      `GPUs: ${facts.gpus.length > 0 ? "" : "which, how many, "}how busy, committed or not?`,
    ],
    [about("waste") && spend.training && percents.failed === undefined, "How many training runs fail?"],
    [levers.length === 0 && spend.data, "How much data is read and recomputed?"],
  ];
  return asks.flatMap(([open, question]) => (open ? [question] : [])).slice(0, MAX_QUESTIONS);
}
