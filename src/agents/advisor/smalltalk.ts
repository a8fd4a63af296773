/** The answer where there is nothing to analyse: what this agent does, and which figures help. */
import type { Report } from "../../protocol/report.ts";

export const HELLO =
  "I work out what AI infrastructure costs and where it can be cut: LLM APIs, GPUs, training, data pipelines. It is arithmetic over a table of list prices, no language model, so other topics are beyond me.\n\nTell me what you spend (“$50k a month, 60 % on GPUs”), what you run (“16 H100s at 40 % utilisation”, models, tokens a day), or paste a billing export as CSV or JSON. “Help me optimize costs” gives the levers that usually matter most.\n";

export const HELLO_REPORT: Report = {
  summary: "Nothing to analyse yet.",
  findings: [],
  recommendations: [],
  assumptions: [],
  questions: [
    "What do you spend on AI a month, and on what?",
    "Which models or GPUs do you use, and how much?",
  ],
};
