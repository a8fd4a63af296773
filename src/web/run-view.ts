/** One answer: the steps of its run, the text as it streams in, and the report. */
import { inProgress, type Message, type Report, type Run } from "../client/index.ts";
import { el } from "./dom.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderReport } from "./report.ts";
import { StepsView } from "./steps.ts";

const ENDINGS: Readonly<Record<string, string>> = {
  failed: "The run failed. What it had found so far is above.",
  cancelled: "Stopped. What was written so far is kept.",
  interrupted: "The run was interrupted and could not be continued.",
};

export class RunView {
  readonly element = el("li", { class: "turn answer" });
  readonly #steps = new StepsView();
  readonly #waiting = el("p", { class: "waiting" });
  readonly #text = el("div", { class: "prose" });
  readonly #report = el("div");
  readonly #ending = el("p", { class: "ending" });
  #shown_text = "";
  #shown_report: Report | undefined;

  constructor() {
    const speaker = el("h2", { class: "visually-hidden", text: "Answer" });
    this.element.append(speaker, this.#steps.element, this.#waiting, this.#text, this.#report, this.#ending);
  }

  update(run: Run | undefined, answer: Message | undefined): void {
    const running = run !== undefined && inProgress(run) && answer === undefined;
    const text = answer?.content ?? run?.text ?? "";
    this.element.classList.toggle("running", running);
    this.element.setAttribute("aria-busy", String(running));
    this.#steps.update(run?.steps ?? [], running);
    this.#showWaiting(run, running && text === "");
    this.#showText(text);
    this.#showReport(answer?.report ?? run?.report, answer?.run_id ?? run?.run_id ?? "");
    this.#showEnding(answer?.status ?? run?.status ?? "");
  }

  #showWaiting(run: Run | undefined, waiting: boolean): void {
    this.#waiting.hidden = !waiting;
    this.#waiting.textContent = run?.status === "queued" ? "Waiting for its turn" : "Working on it";
  }

  #showText(text: string): void {
    this.#text.hidden = text === "";
    if (text === this.#shown_text) return;
    this.#shown_text = text;
    this.#text.replaceChildren(renderMarkdown(text));
  }

  #showReport(report: Report | undefined, scope: string): void {
    if (report === this.#shown_report) return;
    this.#shown_report = report;
    this.#report.replaceChildren(...(report === undefined ? [] : [renderReport(report, scope)]));
  }

  #showEnding(status: string): void {
    const text = ENDINGS[status];
    this.#ending.hidden = text === undefined;
    this.#ending.textContent = text ?? "";
    this.#ending.dataset.status = status;
  }
}
