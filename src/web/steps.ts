/** What a run does, live: its thoughts and tool calls along one line. */
import type { Step } from "../client/index.ts";
import { el } from "./dom.ts";
import { duration, pretty } from "./format.ts";

type ToolStep = Extract<Step, { readonly kind: "tool" }>;

const STATUS_TEXT: Readonly<Record<ToolStep["status"], string>> = {
  running: "running",
  ok: "done",
  error: "failed",
  denied: "denied",
};

export class StepsView {
  readonly element = el("details", { class: "steps" });
  readonly #summary = el("summary");
  readonly #list = el("ol");
  #shown: readonly Step[] = [];
  #touched = false;

  constructor() {
    this.element.append(this.#summary, this.#list);
    this.#summary.addEventListener("click", () => {
      this.#touched = true;
    });
  }

  update(steps: readonly Step[], running: boolean): void {
    this.element.hidden = steps.length === 0;
    this.#summary.textContent = titleOf(steps, running);
    this.element.classList.toggle("running", running);
    // Open while there is something to watch, closed when the answer counts; unless the reader decided otherwise.
    if (!this.#touched) this.element.open = running;
    steps.forEach((step, index) => {
      if (this.#shown[index] !== step) this.#put(index, step);
    });
    this.#shown = steps;
  }

  #put(index: number, step: Step): void {
    const known = this.#list.children[index];
    const item =
      step.kind === "tool" ? toolItem(step) : el("li", { class: "step thinking", text: step.thought });
    if (known === undefined) return this.#list.append(item);
    keepOpen(known, item);
    known.replaceWith(item);
  }
}

function titleOf(steps: readonly Step[], running: boolean): string {
  const tools = steps.filter(({ kind }) => kind === "tool").length;
  const count = `${steps.length} ${steps.length === 1 ? "step" : "steps"}, ${tools} ${tools === 1 ? "tool call" : "tool calls"}`;
  return running ? `Working: ${count}` : `How this was worked out: ${count}`;
}

function toolItem(step: ToolStep): HTMLLIElement {
  const status = el("span", { class: `badge ${step.status}`, text: STATUS_TEXT[step.status] });
  const took = step.duration_ms === undefined ? "" : duration(step.duration_ms);
  const summary = el(
    "summary",
    {},
    el("code", { class: "tool-name", text: step.tool_name }),
    status,
    el("span", { class: "took", text: took }),
  );
  const parts = [labelled("Arguments", step.args), ...outcomeOf(step)];
  return el("li", { class: `step tool ${step.status}` }, el("details", {}, summary, ...parts));
}

function outcomeOf({ status, result, error }: ToolStep): Node[] {
  if (status === "running") return [];
  return [
    error === undefined ? labelled("Result", result) : labelled("Error", `${error.code}: ${error.message}`),
  ];
}

function labelled(label: string, value: unknown): HTMLElement {
  const text = el("pre", { text: pretty(value) });
  text.tabIndex = 0;
  return el("div", { class: "labelled" }, el("p", { class: "label", text: label }), text);
}

function keepOpen(from: Element, to: Element): void {
  const to_details = to.querySelector("details");
  if (to_details !== null) to_details.open = from.querySelector("details")?.open ?? false;
}
