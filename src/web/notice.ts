/** One line about something that happened without the reader, or did not work; stays until it is read. */
import { button, el } from "./dom.ts";

export class Notice {
  readonly #element: HTMLElement;
  readonly #text = el("span");

  constructor(element: HTMLElement) {
    this.#element = element;
    const live = el("span", {}, this.#text);
    live.setAttribute("role", "status");
    const close = button("Dismiss", "link", () => this.clear());
    element.append(live, close);
  }

  show(text: string): void {
    this.#text.textContent = text;
    this.#element.hidden = false;
  }

  clear(): void {
    this.#text.textContent = "";
    this.#element.hidden = true;
  }
}
