/** Asks the reader to agree to one call of a tool; later one line that says what became of it. */
import type { Wait } from "../client/index.ts";
import type { Answer, Verdict } from "./answers.ts";
import { button, el } from "./dom.ts";
import { expiry } from "./expiry.ts";
import type { SeenWait } from "./run-notes.ts";
import { argsText, plainly, recordText } from "./wait-text.ts";

export type AnswerWait = (wait_id: string, verdict: Verdict) => void;

/** The arguments that a snapshot has left out because they are long. */
export type LoadArgs = (wait_id: string) => Promise<unknown>;

export class ApprovalView {
  readonly element: HTMLElement;
  readonly #tool_name: string;
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #args = el("pre", { aria: { label: "Arguments" } });
  /** Nobody agrees to what is not shown. */
  #shown = false;
  /** Here from the start, so that what is put into it is read out. */
  readonly #status = el("p", { class: "approval-status" });
  #ended = false;
  #off = false;

  constructor(wait: Wait, answer: AnswerWait, load: LoadArgs) {
    const { wait_id, reason, expires_at } = wait;
    this.#tool_name = plainly(wait.tool_name ?? "a tool");
    this.#buttons = [
      button("Approve", "primary", () => this.#shown && answer(wait_id, "approved")),
      button("Deny", "quiet", () => answer(wait_id, "denied")),
    ];
    this.#status.setAttribute("role", "status");
    const title = el("h3", {}, el("code", { class: "tool-name", text: this.#tool_name }));
    title.append(" needs your approval");
    this.#args.tabIndex = 0;
    void this.#showArgs(wait, load);
    const row = el("div", { class: "row" }, ...this.#buttons, expiry(expires_at));
    const why = reason === undefined ? [] : [el("p", { text: plainly(reason) })];
    this.element = el("div", { class: "approval" }, title, ...why, this.#args, row, this.#status);
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", `Approval of ${this.#tool_name}`);
  }

  update({ outcome }: SeenWait, answer: Answer | undefined): void {
    if (outcome !== undefined) return this.#end(outcome, answer);
    const sending = answer !== undefined && answer.problem === undefined;
    this.#say(sending ? "Sending your answer…" : (answer?.problem ?? ""));
    this.#status.classList.toggle("problem", answer?.problem !== undefined);
    // Not `disabled`, which would take the focus from whoever has just pressed it; pressing it again does nothing.
    this.#off = sending || answer?.late === true;
    this.#enable();
  }

  async #showArgs({ wait_id, args, args_omitted }: Wait, load: LoadArgs): Promise<void> {
    if (args_omitted) this.#args.textContent = "Loading the arguments…";
    try {
      const text = argsText(args_omitted ? await load(wait_id) : args);
      this.#args.textContent = text ?? "The arguments are not known: the call can only be denied.";
      this.#shown = text !== undefined;
    } catch {
      this.#args.textContent = "The arguments could not be loaded. Reload the page to see them.";
    }
    this.#enable();
  }

  #enable(): void {
    const [approve, deny] = this.#buttons;
    approve?.setAttribute("aria-disabled", String(this.#off || !this.#shown));
    deny?.setAttribute("aria-disabled", String(this.#off));
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
