/** Where the reader answers what an agent asks in words; later one line that says that they have. */
import type { Wait } from "../client/index.ts";
import type { Answer } from "./answers.ts";
import { el } from "./dom.ts";
import { expiry } from "./expiry.ts";
import { pretty } from "./format.ts";
import { isText, replyIn, schemaOf } from "./replies.ts";
import type { SeenWait } from "./run-notes.ts";
import { plainly, recordText } from "./wait-text.ts";

export type ReplyTo = (wait_id: string, value: unknown) => void;

export class ReplyView {
  readonly element: HTMLElement;
  readonly #wait: Wait;
  readonly #reply: ReplyTo;
  readonly #field = el("textarea");
  readonly #send = el("button", { class: "primary", text: "Answer" });
  readonly #status = el("p", { class: "approval-status" });
  #sending = false;
  #ended = false;

  constructor(wait: Wait, reply: ReplyTo) {
    this.#wait = wait;
    this.#reply = reply;
    this.#field.rows = 2;
    this.#status.setAttribute("role", "status");
    const schema = schemaOf(wait);
    const form = isText(schema)
      ? []
      : [el("pre", { text: pretty(schema), aria: { label: "Form of the answer" } })];
    const hint = isText(schema) ? "Your answer" : "Your answer, as JSON of this form";
    const label = el("label", { text: hint }, this.#field);
    const row = el("div", { class: "row" }, this.#send, expiry(wait.expires_at));
    const asked = el("h3", { text: plainly(wait.reason ?? "The agent asks for something") });
    this.element = el("form", { class: "approval" }, asked, ...form, label, row, this.#status);
    this.element.addEventListener("submit", (event) => this.#submit(event));
  }

  update({ outcome }: SeenWait, answer: Answer | undefined): void {
    if (outcome !== undefined) return this.#end(outcome, answer);
    this.#sending = answer !== undefined && (answer.problem === undefined || answer.late === true);
    this.#say(
      answer?.problem ?? (this.#sending ? "Sending your answer…" : ""),
      answer?.problem !== undefined,
    );
    // Not `disabled`, which would take the focus from whoever has just pressed it.
    this.#send.setAttribute("aria-disabled", String(this.#sending));
    this.#field.readOnly = this.#sending;
  }

  #submit(event: Event): void {
    event.preventDefault();
    if (this.#sending) return;
    const { value, problem } = replyIn(this.#field.value, schemaOf(this.#wait));
    if (problem === undefined) this.#reply(this.#wait.wait_id, value);
    else this.#say(problem, true);
  }

  #say(text: string, is_problem: boolean): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
    this.#status.classList.toggle("problem", is_problem);
  }

  #end(outcome: NonNullable<SeenWait["outcome"]>, answer: Answer | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const record = el("p", { class: `record ${outcome}` });
    record.append(
      `${recordText(outcome, answer)}: ${plainly(this.#wait.reason ?? "a question of the agent")}`,
    );
    this.element.className = "approval-ended";
    this.element.tabIndex = -1;
    this.element.replaceChildren(record);
  }
}
