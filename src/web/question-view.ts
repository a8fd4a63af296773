/** What somebody said, or is saying: a bubble that can be edited once it is stored. */
import { button, el } from "./dom.ts";
import type { Pending } from "./pending.ts";
import type { PendingTurn, QuestionTurn } from "./turns.ts";
import { VersionSwitch } from "./version-switch.ts";

export interface QuestionActions {
  readonly retry: (pending: Pending) => void;
  readonly edit: (question: QuestionTurn["message"], content: string) => void;
  readonly show: (message_id: string) => void;
}

const MAX_ROWS = 12;

export class QuestionView {
  readonly element = el("li", { class: "turn question" });
  readonly #options: QuestionActions;
  readonly #bubble = el("div", { class: "bubble" });
  readonly #note = el("p", { class: "note" });
  readonly #versions: VersionSwitch;
  readonly #edit: HTMLButtonElement;
  readonly #actions: HTMLElement;
  #form: HTMLFormElement | undefined;
  #shown: QuestionTurn | PendingTurn | undefined;

  constructor(options: QuestionActions) {
    this.#options = options;
    this.#versions = new VersionSwitch(options.show);
    this.#edit = button("Edit", "turn-action", () => this.#open());
    this.#actions = el("div", { class: "turn-actions" }, this.#versions.element, this.#edit);
    const speaker = el("h2", { class: "visually-hidden", text: "You" });
    this.element.append(speaker, this.#bubble, this.#note, this.#actions);
  }

  update(turn: QuestionTurn | PendingTurn): void {
    this.#shown = turn;
    this.#actions.hidden = turn.kind === "pending" || this.#form !== undefined;
    if (turn.kind === "question") {
      this.#bubble.textContent = turn.message.content;
      this.#versions.update(turn.versions);
    } else {
      this.#bubble.textContent = turn.pending.content;
      this.element.classList.add("pending");
      this.#note.replaceChildren(...noteOf(turn.pending, this.#options.retry));
    }
  }

  #open(): void {
    if (this.#shown?.kind !== "question" || this.#form !== undefined) return;
    const { message } = this.#shown;
    const field = el("textarea", { aria: { label: "Edit your message" } });
    field.value = message.content;
    field.rows = Math.min(MAX_ROWS, message.content.split("\n").length + 1);
    const cancel = button("Cancel", "quiet", () => this.#close());
    const send = el("button", { class: "primary", text: "Send edit" });
    const form = el("form", { class: "edit" }, field, el("div", { class: "row" }, cancel, send));
    const submit = (event: Event) => {
      event.preventDefault();
      const content = field.value.trim();
      this.#close();
      if (content !== "" && content !== message.content) this.#options.edit(message, content);
    };
    form.addEventListener("submit", submit);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#close();
      if (event.key === "Enter" && event.target === field && !event.shiftKey && !event.isComposing)
        submit(event);
    });
    this.#form = form;
    this.#bubble.hidden = true;
    this.#actions.hidden = true;
    this.element.append(form);
    field.focus();
  }

  #close(): void {
    this.#form?.remove();
    this.#form = undefined;
    this.#bubble.hidden = false;
    this.#actions.hidden = false;
    this.#edit.focus();
  }
}

function noteOf(pending: Pending, retry: (pending: Pending) => void): Node[] {
  const { problem } = pending;
  if (problem === undefined)
    return [document.createTextNode(pending.message_id === undefined ? "Sending…" : "")];
  const again = button("Try again", "link", () => retry(pending));
  return [el("span", { class: "problem", text: `${problem} ` }), again];
}
