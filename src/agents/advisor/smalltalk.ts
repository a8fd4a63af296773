/** The answer where there is nothing to analyse: what this agent does, and which figures help. */
import type { Report } from "../../protocol/report.ts";

export const HELLO =
  "I work out where AI costs can be cut: LLM APIs, GPUs, training, data pipelines. By arithmetic, not a language model.\n\nTell me what you spend (“$50k a month, 60 % on GPUs”) or run (“16 H100s”), or paste a billing export as CSV or JSON.\n";

export const HELLO_REPORT: Report = {
  summary: "Nothing to analyse yet.",
  findings: [],
  recommendations: [],
  assumptions: [],
  questions: ["What do you spend a month, and on what?"],
};
