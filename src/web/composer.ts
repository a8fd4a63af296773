/** The input: Enter sends, Shift + Enter breaks the line, and a draft survives a reload. */

import { keep, recall } from "./browser-storage.ts";

const DRAFT_KEY = "throughline.draft";
const MAX_ROWS = 8;

export interface ComposerOptions {
  readonly form: HTMLFormElement;
  readonly field: HTMLTextAreaElement;
  readonly send: HTMLButtonElement;
  readonly stop: HTMLButtonElement;
  /** False: cannot be taken now, so the text stays where it is. */
  readonly submitted: (content: string) => boolean;
  readonly stopped: () => void;
}

export class Composer {
  readonly #options: ComposerOptions;

  constructor(options: ComposerOptions) {
    this.#options = options;
    const { form, field, stop, stopped } = options;
    field.value = recall("sessionStorage", DRAFT_KEY) ?? "";
    field.addEventListener("input", () => this.#changed());
    field.addEventListener("keydown", (event) => this.#pressed(event));
    form.addEventListener("submit", (event) => this.#submit(event));
    stop.addEventListener("click", stopped);
    this.#changed();
  }

  /** Shows the Stop button while a run can be stopped. */
  running(is_running: boolean): void {
    this.#options.stop.hidden = !is_running;
  }

  /** Not on a touch screen, where it would open the keyboard over the page. */
  focus(): void {
    if (matchMedia("(pointer: fine)").matches) this.#options.field.focus();
  }

  #pressed(event: KeyboardEvent): void {
    // While an input method composes, Enter chooses a word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    this.#submit(event);
  }

  #submit(event: Event): void {
    event.preventDefault();
    const content = this.#options.field.value.trim();
    if (content === "" || !this.#options.submitted(content)) return;
    this.#options.field.value = "";
    this.#changed();
  }

  #changed(): void {
    const { field, send } = this.#options;
    keep("sessionStorage", DRAFT_KEY, field.value);
    send.disabled = field.value.trim() === "";
    field.rows = Math.min(MAX_ROWS, field.value.split("\n").length);
  }
}
