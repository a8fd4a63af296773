/** One thread of the list: a button that opens it, its name in a field while it is renamed, and its end. */
import type { Thread } from "../client/index.ts";
import { button, el } from "./dom.ts";
import { icon } from "./icon.ts";

/** As the protocol has it. */
const MAX_TITLE_CHARS = 200;

export interface ThreadActions {
  readonly open: (thread_id: string) => void;
  readonly rename: (thread_id: string, title: string) => void;
  readonly remove: (thread: Thread) => void;
}

export class ThreadItem {
  readonly element = el("li", { class: "thread" });
  readonly #actions: ThreadActions;
  readonly #open: HTMLButtonElement;
  readonly #rename: HTMLButtonElement;
  readonly #remove: HTMLButtonElement;
  #form: HTMLFormElement | undefined;
  #thread: Thread;

  constructor(thread: Thread, actions: ThreadActions) {
    this.#actions = actions;
    this.#thread = thread;
    this.#open = button("", "thread-title", () => actions.open(this.#thread.thread_id));
    this.#rename = button("", "thread-action", () => this.#edit());
    this.#rename.append(icon("rename"));
    this.#remove = button("", "thread-action", () => actions.remove(this.#thread));
    this.#remove.append(icon("delete"));
    this.element.append(this.#open, this.#rename, this.#remove);
  }

  update(thread: Thread, current: boolean): void {
    this.#thread = thread;
    const title = titleOf(thread);
    if (this.#open.textContent !== title) this.#open.textContent = title;
    this.#open.title = title;
    this.#rename.setAttribute("aria-label", `Rename ${title}`);
    this.#remove.setAttribute("aria-label", `Delete ${title}`);
    this.element.classList.toggle("current", current);
    if (current) this.#open.setAttribute("aria-current", "true");
    else this.#open.removeAttribute("aria-current");
  }

  #edit(): void {
    if (this.#form !== undefined) return;
    const field = el("input", { aria: { label: "Name of the chat" } });
    field.maxLength = MAX_TITLE_CHARS;
    field.value = this.#thread.title;
    const save = el("button", { class: "turn-action", text: "Save" });
    const form = el("form", { class: "rename" }, field, save);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const title = field.value.trim();
      this.#close();
      if (title !== "" && title !== this.#thread.title) this.#actions.rename(this.#thread.thread_id, title);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.#close();
    });
    this.#form = form;
    this.element.classList.add("renaming");
    this.element.prepend(form);
    field.select();
  }

  #close(): void {
    this.#form?.remove();
    this.#form = undefined;
    this.element.classList.remove("renaming");
    this.#rename.focus();
  }
}

export function titleOf({ title }: Thread): string {
  return title === "" ? "New chat" : title;
}
