/** What would sharpen the answer most: at most three questions about what is missing. */
import type { Allocation } from "./allocation.ts";
import type { Facts } from "./facts/message.ts";

const MAX_QUESTIONS = 3;

const EXPORT = "A billing export works too.";

export function questionsFor({ basis, spend, alternatives }: Allocation, facts: Facts): string[] {
  const { models, tokens, percents } = facts;
  const asks: ReadonlyArray<readonly [unknown, string]> = [
    [basis === "illustration", `What do you spend a month, and on what? ${EXPORT}`],
    [alternatives.length > 0, `How does the bill split between APIs, GPUs and others? ${EXPORT}`],
    [
      spend.llm_api && (models.length === 0 || !tokens),
      "Which models, with how many input and output tokens a day?",
    ],
    [
      (spend.gpu ?? spend.training) && percents.utilisation === undefined,
      "Which GPUs, how many, how busy, committed or not?",
    ],
    [spend.training, "How many training runs fail?"],
    [spend.data, "How much data is read and recomputed?"],
  ];
  return asks.flatMap(([open, question]) => (open ? [question] : [])).slice(0, MAX_QUESTIONS);
}
