/** One answer: the steps of its run, the text as it streams in, and the report. */
import { inProgress, type Report } from "../client/index.ts";
import type { AnswerWait } from "./approval-view.ts";
import type { Opinion } from "./commands.ts";
import { button, el } from "./dom.ts";
import { failureText } from "./format.ts";
import { renderMarkdown } from "./markdown.ts";
import { RatingView } from "./rating-view.ts";
import type { ReplyTo } from "./reply-view.ts";
import { renderReport } from "./report.ts";
import { type Course, StepsView } from "./steps.ts";
import type { RunTurn } from "./turns.ts";
import { usageText } from "./usage-text.ts";
import { VersionSwitch } from "./version-switch.ts";
import { WaitsView } from "./waits-view.ts";

const ENDINGS: Readonly<Record<string, string>> = {
  failed: "The run failed. What it had found so far is kept.",
  cancelled: "Stopped. What was written so far is kept.",
  interrupted: "The run was interrupted and could not be continued.",
};

export interface RunActions {
  readonly regenerate: (answer_id: string) => void;
  /** Resolves to true once it is stored. */
  readonly rate: (opinion: Opinion) => Promise<boolean>;
  readonly show: (message_id: string) => void;
  readonly answer: AnswerWait;
  readonly reply: ReplyTo;
  readonly argsOf: (run_id: string, wait_id: string) => Promise<unknown>;
}

export class RunView {
  readonly element = el("li", { class: "turn answer" });
  readonly #steps = new StepsView();
  readonly #waiting = el("p", { class: "waiting" });
  readonly #text = el("div", { class: "prose" });
  readonly #waits: WaitsView;
  readonly #report = el("div");
  readonly #ending = el("p", { class: "ending" });
  readonly #versions: VersionSwitch;
  readonly #again: HTMLButtonElement;
  readonly #rating: RatingView;
  readonly #usage = el("span", { class: "usage" });
  #answer_id = "";
  #run_id = "";
  #shown_text = "";
  #shown_report: Report | undefined;

  constructor({ regenerate, rate, show, answer, reply, argsOf }: RunActions) {
    this.#waits = new WaitsView({ answer, reply, load: (wait_id) => argsOf(this.#run_id, wait_id) });
    const speaker = el("h2", { class: "visually-hidden", text: "Answer" });
    this.#versions = new VersionSwitch(show);
    this.#again = button("Regenerate", "turn-action", () => regenerate(this.#answer_id));
    this.#rating = new RatingView((rating) => rate({ message_id: this.#answer_id, ...rating }));
    const parts = [this.#versions.element, this.#again, this.#rating.element, this.#usage];
    const actions = el("div", { class: "turn-actions" }, ...parts, this.#rating.comment);
    this.element.append(
      speaker,
      this.#steps.element,
      this.#waiting,
      this.#waits.records,
      this.#text,
      this.#waits.element,
      this.#report,
      this.#ending,
      actions,
    );
  }

  update(turn: RunTurn): void {
    const { run, answer, steps, note } = turn;
    this.#run_id = run?.run_id ?? this.#run_id;
    const text = answer?.content ?? run?.text ?? "";
    const course = courseOf(turn);
    this.#showActions(turn);
    this.element.classList.toggle("running", course === "working");
    this.element.setAttribute("aria-busy", String(course === "working"));
    this.#steps.update(steps, course, note?.progress);
    this.#showWaiting(run, course === "working" && text === "");
    this.#showText(text);
    this.#waits.update(note?.waits ?? [], turn.answers);
    this.#showReport(answer?.report ?? run?.report, answer?.run_id ?? run?.run_id ?? "");
    this.#showEnding(answer?.status ?? run?.status ?? "", answer?.error?.message);
  }

  #showActions({ answer, rating, usage, versions }: RunTurn): void {
    this.#answer_id = answer?.message_id ?? "";
    this.#again.hidden = answer === undefined;
    this.#rating.element.hidden = answer === undefined;
    this.#rating.update(rating);
    this.#versions.update(versions);
    this.#usage.textContent = usageText(usage);
  }

  /** Where there is nothing else to see yet. */
  #showWaiting(run: RunTurn["run"], nothing_yet: boolean): void {
    this.#waiting.hidden = !nothing_yet;
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

  #showEnding(status: string, error: string | undefined): void {
    const text = status === "failed" && error !== undefined ? failureText(error) : ENDINGS[status];
    this.#ending.hidden = text === undefined;
    this.#ending.textContent = text ?? "";
    this.#ending.dataset.status = status;
  }
}

function courseOf({ run, answer }: RunTurn): Course {
  if (run === undefined || !inProgress(run) || answer !== undefined) return "ended";
  return run.status === "waiting" ? "waiting" : "working";
}
