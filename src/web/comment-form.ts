/** A few words on what was wrong with an answer: Enter sends, Escape leaves it unsaid. */
import { button, el } from "./dom.ts";
import { problemOfComment } from "./ratings.ts";

export interface CommentFormOptions {
  /** What stands there to begin with. */
  readonly draft: string;
  readonly sent: (comment: string) => void;
  readonly closed: () => void;
}

export class CommentForm {
  readonly element: HTMLFormElement;
  readonly #options: CommentFormOptions;
  readonly #field = el("textarea");
  /** Said as it is written; with it nothing is sent. */
  readonly #problem = el("p", { class: "note problem" });

  constructor(options: CommentFormOptions) {
    this.#options = options;
    this.#field.value = options.draft;
    this.#field.rows = 2;
    const label = el("label", { text: "What was wrong with it? (optional)" }, this.#field);
    const skip = button("Skip", "quiet", options.closed);
    const send = el("button", { class: "primary", text: "Send comment" });
    this.#problem.setAttribute("role", "status");
    const row = el("div", { class: "row" }, skip, send);
    this.element = el("form", { class: "edit" }, label, this.#problem, row);
    this.element.addEventListener("submit", (event) => this.#submit(event));
    this.element.addEventListener("keydown", (event) => this.#pressed(event));
    this.#field.addEventListener("input", () => this.#check());
    this.#check();
  }

  /** As far as it is written. */
  get text(): string {
    return this.#field.value;
  }

  /** Not on a touch screen, where it would open the keyboard over the answer. */
  focus(): void {
    this.element.scrollIntoView({ block: "nearest" });
    if (matchMedia("(pointer: fine)").matches) this.#field.focus();
  }

  #pressed(event: KeyboardEvent): void {
    // While an input method composes, Enter chooses a word and Escape drops it.
    if (event.isComposing) return;
    if (event.key === "Escape") this.#options.closed();
    if (event.key !== "Enter" || event.shiftKey || event.target !== this.#field) return;
    event.preventDefault();
    this.element.requestSubmit();
  }

  #check(): void {
    const problem = problemOfComment(this.#field.value.trim());
    this.#field.setAttribute("aria-invalid", String(problem !== ""));
    if (this.#problem.textContent === problem) return;
    this.#problem.textContent = problem;
    // It takes room: what is below it stays in sight.
    this.element.scrollIntoView({ block: "nearest" });
  }

  #submit(event: Event): void {
    event.preventDefault();
    const comment = this.#field.value.trim();
    if (problemOfComment(comment) !== "") return;
    if (comment === "") this.#options.closed();
    else this.#options.sent(comment);
  }
}
