/** The empty conversation: what this is for, and questions to start with. */
import { button, el } from "./dom.ts";

const EXAMPLES = [
  "I'm spending $50k/month on AI infrastructure. Help me optimize costs.",
  "We run 24 A100 GPUs for inference at 35% utilization. What should we change?",
  "We pay $31k/month for gpt-5 and claude-sonnet-4-6 calls. Where should we start?",
  "Review our model training pipeline: 16 H100s, $90k a month. How do we cut costs?",
] as const;

export function fillWelcome(section: HTMLElement, ask: (question: string) => void): void {
  const title = el("h2", { id: "welcome-title", text: "Where does your AI budget go?" });
  const lead = el("p", {
    text: "Describe what you run and what it costs. You get concrete savings with numbers, and every assumption behind them.",
  });
  const examples = EXAMPLES.map((text) =>
    el(
      "li",
      {},
      button(text, "example", () => ask(text)),
    ),
  );
  section.append(title, lead, el("ul", { class: "examples" }, ...examples));
}
