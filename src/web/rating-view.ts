/** Thumb up and thumb down of one answer, and the comment that may go with a thumb down. */

import type { Opinion } from "./commands.ts";
import { CommentForm } from "./comment-form.ts";
import { button, el } from "./dom.ts";
import { icon } from "./icon.ts";
import type { Rating } from "./ratings.ts";

type Rate = (opinion: Omit<Opinion, "message_id">) => Promise<boolean>;

export class RatingView {
  readonly element = el("div", { class: "rating" });
  /** Where the comment is written; empty until it is asked for. */
  readonly comment = el("div", { class: "comment" });
  readonly #rate: Rate;
  readonly #good = rateButton("good", "Good answer", () => this.#pressedGood());
  readonly #bad = rateButton("bad", "Bad answer", () => this.#pressedBad());
  #shown: Rating | undefined;
  #form: CommentForm | undefined;
  /** What was written and is not stored: it is there again when the form is. */
  #draft = "";

  constructor(rate: Rate) {
    this.#rate = rate;
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "Rate this answer");
    this.element.append(this.#good, this.#bad);
  }

  update(rating: Rating | undefined): void {
    this.#shown = rating;
    this.#good.setAttribute("aria-pressed", String(rating === 1));
    this.#bad.setAttribute("aria-pressed", String(rating === -1));
  }

  #pressedGood(): void {
    this.#putAway();
    if (this.#shown !== 1) void this.#rate({ rating: 1 });
  }

  /** It counts at once, whether anything is said about it or not. */
  #pressedBad(): void {
    if (this.#shown !== -1) void this.#rate({ rating: -1 });
    if (this.#form !== undefined) return this.#close();
    this.#form = new CommentForm({
      draft: this.#draft,
      sent: (comment) => void this.#say(comment),
      closed: () => this.#close(),
    });
    this.comment.append(this.#form.element);
    this.#form.focus();
  }

  async #say(comment: string): Promise<void> {
    this.#close();
    if (await this.#rate({ rating: -1, comment })) this.#draft = "";
  }

  #close(): void {
    this.#putAway();
    this.#bad.focus();
  }

  #putAway(): void {
    this.#draft = this.#form?.text ?? this.#draft;
    this.#form = undefined;
    this.comment.replaceChildren();
  }
}

function rateButton(kind: "good" | "bad", label: string, pressed: () => void): HTMLButtonElement {
  const element = button("", "turn-action rate", pressed);
  element.title = label;
  element.setAttribute("aria-label", label);
  element.setAttribute("aria-pressed", "false");
  element.append(icon(kind));
  return element;
}
