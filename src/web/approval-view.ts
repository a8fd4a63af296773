/** Asks the reader to agree to one call of a tool; later one line that says what became of it. */
import type { Wait } from "../client/index.ts";
import type { Answer, Verdict } from "./answers.ts";
import { button, el } from "./dom.ts";
import { moment, pretty } from "./format.ts";
import type { SeenWait } from "./run-notes.ts";
import { plainly, recordText } from "./wait-text.ts";

export type AnswerWait = (wait_id: string, verdict: Verdict) => void;

export class ApprovalView {
  readonly element: HTMLElement;
  readonly #tool_name: string;
  readonly #buttons: readonly HTMLButtonElement[];
  /** Here from the start, so that what is put into it is read out. */
  readonly #status = el("p", { class: "approval-status" });
  #ended = false;

  constructor(wait: Wait, answer: AnswerWait) {
    const { wait_id, args, reason, expires_at } = wait;
    this.#tool_name = plainly(wait.tool_name ?? "a tool");
    this.#buttons = [
      button("Approve", "primary", () => answer(wait_id, "approved")),
      button("Deny", "quiet", () => answer(wait_id, "denied")),
    ];
    this.#status.setAttribute("role", "status");
    const title = el("h3", {}, el("code", { class: "tool-name", text: this.#tool_name }));
    title.append(" needs your approval");
    const text = el("pre", { text: plainly(pretty(args)), aria: { label: "Arguments" } });
    text.tabIndex = 0;
    const row = el("div", { class: "row" }, ...this.#buttons, expiry(expires_at));
    const why = reason === undefined ? [] : [el("p", { text: plainly(reason) })];
    this.element = el("div", { class: "approval" }, title, ...why, text, row, this.#status);
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", `Approval of ${this.#tool_name}`);
  }

  update({ outcome }: SeenWait, answer: Answer | undefined): void {
    if (outcome !== undefined) return this.#end(outcome, answer);
    const sending = answer !== undefined && answer.problem === undefined;
    this.#say(sending ? "Sending your answer…" : (answer?.problem ?? ""));
    this.#status.classList.toggle("problem", answer?.problem !== undefined);
    // Not `disabled`, which would take the focus from whoever has just pressed it; pressing it again does nothing.
    const off = String(sending || answer?.late === true);
    for (const one of this.#buttons) one.setAttribute("aria-disabled", off);
  }

  #say(text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }

  #end(outcome: NonNullable<SeenWait["outcome"]>, answer: Answer | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const record = el("p", { class: `record ${outcome}` });
    record.append(`${recordText(outcome, answer)}: `, el("code", { text: this.#tool_name }));
    this.element.className = "approval-ended";
    this.element.tabIndex = -1;
    this.element.replaceChildren(record);
  }
}

function expiry(expires_at: string): HTMLElement {
  const time = el("time", { text: moment(expires_at, new Date()) });
  time.dateTime = expires_at;
  return el("span", { class: "expiry" }, document.createTextNode("Expires "), time);
}
