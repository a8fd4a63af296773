/** What a run does, live: its thoughts and tool calls along one line. */
import type { Step } from "../client/index.ts";
import { el } from "./dom.ts";
import { duration, foldedAt, pretty } from "./format.ts";

type ToolStep = Extract<Step, { readonly kind: "tool" }>;

/** What the run is doing: at work, waiting for somebody, or over. */
export type Course = "working" | "waiting" | "ended";

type Progress = ReadonlyMap<string, string>;

/** What is longer is folded. */
const MAX_THOUGHT_CHARS = 280;

const NO_PROGRESS: Progress = new Map();

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

  update(steps: readonly Step[], course: Course, progress: Progress = NO_PROGRESS): void {
    this.element.hidden = steps.length === 0;
    this.#summary.textContent = titleOf(steps, course);
    // Open while there is something to watch, closed when the answer counts; unless the reader decided otherwise.
    if (!this.#touched) this.element.open = course !== "ended";
    steps.forEach((step, index) => {
      if (this.#shown[index] !== step) this.#put(index, step);
      if (step.kind === "tool" && step.status === "running")
        this.#tell(index, progress.get(step.tool_call_id));
    });
    this.#shown = steps;
  }

  /** Into what is there: a step that were made anew with each word would flicker. */
  #tell(index: number, note = ""): void {
    const place = this.#list.children[index]?.querySelector(".progress");
    if (place && place.textContent !== note) place.textContent = note;
  }

  #put(index: number, step: Step): void {
    const known = this.#list.children[index];
    const item = step.kind === "tool" ? toolItem(step) : thoughtItem(step.thought);
    if (known === undefined) return this.#list.append(item);
    keepOpen(known, item);
    known.replaceWith(item);
  }
}

const TITLES: Readonly<Record<Course, string>> = {
  working: "Working",
  waiting: "So far",
  ended: "How this was worked out",
};

function titleOf(steps: readonly Step[], course: Course): string {
  const tools = steps.filter(({ kind }) => kind === "tool").length;
  const count = `${steps.length} ${steps.length === 1 ? "step" : "steps"}, ${tools} ${tools === 1 ? "tool call" : "tool calls"}`;
  return `${TITLES[course]}: ${count}`;
}

/** The reasoning of a model can be longer than its answer: folded to how it begins. */
function thoughtItem(thought: string): HTMLLIElement {
  const item = el("li", { class: "step thinking" });
  if (thought.length <= MAX_THOUGHT_CHARS) {
    item.textContent = thought;
    return item;
  }
  const [beginning, rest] = foldedAt(thought);
  const summary = el("summary", {}, el("span", { class: "beginning", text: beginning }));
  item.append(el("details", {}, summary, el("div", { class: "thought", text: rest })));
  return item;
}

function toolItem(step: ToolStep): HTMLLIElement {
  const status = el("span", { class: `badge ${step.status}`, text: statusText(step) });
  // What was not executed took no time.
  const took = step.duration_ms === undefined || step.status === "denied" ? "" : duration(step.duration_ms);
  const summary = el(
    "summary",
    {},
    el("code", { class: "tool-name", text: step.tool_name }),
    status,
    el("span", { class: "took", text: took }),
    ...(step.status === "running" ? [el("span", { class: "progress" })] : []),
  );
  const parts = [labelled("Arguments", step.args), ...outcomeOf(step)];
  return el("li", { class: `step tool ${step.status}` }, el("details", {}, summary, ...parts));
}

/** What nobody agreed to in time was not denied by anybody. */
function statusText({ status, error }: ToolStep): string {
  return status === "denied" && error?.code === "approval_expired" ? "expired" : STATUS_TEXT[status];
}

function outcomeOf({ status, result, error }: ToolStep): Node[] {
  if (status === "running") return [];
  if (status === "denied") return [labelled("Not executed", error?.message ?? "the call was denied")];
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
