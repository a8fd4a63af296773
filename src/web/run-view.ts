/** One answer: the steps of its run, the text as it streams in, and the report. */
import { inProgress, type Report } from "../client/index.ts";
import type { Opinion } from "./commands.ts";
import { button, el } from "./dom.ts";
import { renderMarkdown } from "./markdown.ts";
import { RatingView } from "./rating-view.ts";
import { renderReport } from "./report.ts";
import { StepsView } from "./steps.ts";
import type { RunTurn } from "./turns.ts";
import { VersionSwitch } from "./version-switch.ts";

const ENDINGS: Readonly<Record<string, string>> = {
  failed: "The run failed. What it had found so far is above.",
  cancelled: "Stopped. What was written so far is kept.",
  interrupted: "The run was interrupted and could not be continued.",
};

export interface RunActions {
  readonly regenerate: (answer_id: string) => void;
  /** Resolves to true once it is stored. */
  readonly rate: (opinion: Opinion) => Promise<boolean>;
  readonly show: (message_id: string) => void;
}

export class RunView {
  readonly element = el("li", { class: "turn answer" });
  readonly #steps = new StepsView();
  readonly #waiting = el("p", { class: "waiting" });
  readonly #text = el("div", { class: "prose" });
  readonly #report = el("div");
  readonly #ending = el("p", { class: "ending" });
  readonly #versions: VersionSwitch;
  readonly #again: HTMLButtonElement;
  readonly #rating: RatingView;
  #answer_id = "";
  #shown_text = "";
  #shown_report: Report | undefined;

  constructor({ regenerate, rate, show }: RunActions) {
    const speaker = el("h2", { class: "visually-hidden", text: "Answer" });
    this.#versions = new VersionSwitch(show);
    this.#again = button("Regenerate", "turn-action", () => regenerate(this.#answer_id));
    this.#rating = new RatingView((rating) => rate({ message_id: this.#answer_id, ...rating }));
    const parts = [this.#versions.element, this.#again, this.#rating.element];
    const actions = el("div", { class: "turn-actions" }, ...parts, this.#rating.comment);
    this.element.append(
      speaker,
      this.#steps.element,
      this.#waiting,
      this.#text,
      this.#report,
      this.#ending,
      actions,
    );
  }

  update({ run, answer, steps, rating, versions }: RunTurn): void {
    this.#answer_id = answer?.message_id ?? "";
    this.#again.hidden = answer === undefined;
    this.#rating.element.hidden = answer === undefined;
    this.#rating.update(rating);
    this.#versions.update(versions);
    const running = run !== undefined && inProgress(run) && answer === undefined;
    const text = answer?.content ?? run?.text ?? "";
    this.element.classList.toggle("running", running);
    this.element.setAttribute("aria-busy", String(running));
    this.#steps.update(steps, running);
    this.#showWaiting(run, running && text === "");
    this.#showText(text);
    this.#showReport(answer?.report ?? run?.report, answer?.run_id ?? run?.run_id ?? "");
    this.#showEnding(answer?.status ?? run?.status ?? "");
  }

  #showWaiting(run: RunTurn["run"], waiting: boolean): void {
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
