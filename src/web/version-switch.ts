/** "‹ 2 / 3 ›": steps through the versions of one turn. */
import type { Versions } from "./branch.ts";
import { button, el } from "./dom.ts";

export class VersionSwitch {
  readonly element = el("div", { class: "versions" });
  readonly #text = el("span");
  readonly #previous: HTMLButtonElement;
  readonly #next: HTMLButtonElement;
  #versions: Versions = { ids: [], index: 0 };

  /** @param show shows the branch that goes through a message */
  constructor(show: (message_id: string) => void) {
    const step = (by: number) => {
      const id = this.#versions.ids[this.#versions.index + by];
      if (id !== undefined) show(id);
    };
    this.#previous = button("‹", "turn-action", () => step(-1));
    this.#previous.setAttribute("aria-label", "Previous version");
    this.#next = button("›", "turn-action", () => step(1));
    this.#next.setAttribute("aria-label", "Next version");
    this.element.setAttribute("role", "group");
    this.element.append(this.#previous, this.#text, this.#next);
  }

  update(versions: Versions | undefined): void {
    this.element.hidden = versions === undefined;
    if (versions === undefined) return;
    this.#versions = versions;
    const { ids, index } = versions;
    const count = Math.max(ids.length, index + 1);
    this.#text.textContent = `${index + 1} / ${count}`;
    this.element.setAttribute("aria-label", `Version ${index + 1} of ${count}`);
    // Not `disabled`, which would drop the focus of whoever steps through with the keyboard.
    this.#previous.setAttribute("aria-disabled", String(index === 0));
    this.#next.setAttribute("aria-disabled", String(index + 1 >= ids.length));
  }
}
