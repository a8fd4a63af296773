/** The answer where there is nothing to analyse: what this agent does, and which figures help. */
import type { Report } from "../../protocol/report.ts";
import { GREETING } from "./intent.ts";

const ABOUT =
  "I work out where AI costs can be cut: LLM APIs, GPUs, training, data pipelines. By arithmetic, not a language model.\n\nTell me what you spend (“$50k a month, 60 % on GPUs”) or run (“16 H100s at 40 %”), or paste a billing export or a GPU inventory as CSV or JSON.\n";

/** Letters English does without, and greetings that have none of them. */
const FOREIGN =
  /[^\p{ASCII}\p{P}\p{S}\p{Emoji}\s]|\b(?:hola|bonjour|salut|ciao|guten|hallo|namaste|merhaba|danke|merci|gracias)\b/iu;

/** Paid by the head: no way of calling a model makes it cheaper. */
export const SUBSCRIPTION =
  /^(?!.*\b(?:apis?|open ?ai|tokens?)\b).*\b(?:(?:chatgpt|claude) (?:plus|pro|max|team|business|enterprise)|copilot|cursor)\b/is;

export function hello(question: string): string {
  if (SUBSCRIPTION.test(question))
    return `A subscription costs the same however it is used: cancel seats nobody uses, take a smaller plan, or pay by the token where use is light.\n\n${ABOUT}`;
  if (FOREIGN.test(question))
    return `Hello! I answer in English; figures I also read in German, French and Spanish.\n\n${ABOUT}`;
  if (question.trim() === "" || GREETING.test(question)) return ABOUT;
  return `I found nothing about costs in that.\n\n${ABOUT}`;
}

export const HELLO_REPORT: Report = {
  summary: "Nothing to analyse yet.",
  findings: [],
  recommendations: [],
  assumptions: [],
  questions: ["What do you spend a month, and on what?"],
};
