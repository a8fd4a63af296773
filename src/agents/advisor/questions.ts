/** What would sharpen the answer most: at most three questions about what is missing. */
import type { Allocation } from "./allocation.ts";
import type { Facts } from "./facts/message.ts";

const MAX_QUESTIONS = 3;

const EXPORT = "A billing export (CSV or JSON) works too.";

export function questionsFor({ basis, spend, alternatives }: Allocation, facts: Facts): string[] {
  const { models, tokens, percents } = facts;
  const asks: ReadonlyArray<readonly [unknown, string]> = [
    [
      basis === "illustration",
      `What do you spend a month, and how does it split (APIs, GPUs, training, data)? ${EXPORT}`,
    ],
    [alternatives.length > 0, `How does the bill split between APIs, GPUs and the rest? ${EXPORT}`],
    [
      spend.llm_api && (models.length === 0 || !tokens),
      "Which models do you call, with how many tokens a day (input, output)?",
    ],
    [
      (spend.gpu ?? spend.training) && percents.utilisation === undefined,
      "Which GPUs, how many, how busy, on demand or committed?",
    ],
    [spend.training, "How many training runs a month, what share fails, do they checkpoint?"],
    [spend.data, "How much data is stored, read within 30 days, and recomputed?"],
    [basis !== "measured", `Which invoice can you share? ${EXPORT}`],
  ];
  return asks.flatMap(([open, question]) => (open ? [question] : [])).slice(0, MAX_QUESTIONS);
}
