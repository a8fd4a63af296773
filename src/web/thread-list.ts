/** The list of threads at the side: newest first, the current one marked; older ones on request. */
import type { Thread } from "../client/index.ts";
import { type ThreadActions, ThreadItem } from "./thread-item.ts";

export interface ThreadListOptions extends ThreadActions {
  readonly list: HTMLElement;
  /** Says that there is nothing yet. */
  readonly empty: HTMLElement;
  readonly more: HTMLButtonElement;
  readonly create: HTMLButtonElement;
  readonly created: () => void;
  readonly asked: () => void;
}

export class ThreadList {
  readonly #options: ThreadListOptions;
  readonly #items = new Map<string, ThreadItem>();

  constructor(options: ThreadListOptions) {
    this.#options = options;
    options.create.addEventListener("click", options.created);
    options.more.addEventListener("click", options.asked);
  }

  show(threads: readonly Thread[], current: string | undefined, has_more: boolean): void {
    const { list, empty, more, create } = this.#options;
    const ids = new Set(threads.map(({ thread_id }) => thread_id));
    for (const [id, item] of this.#items) if (!ids.has(id)) this.#remove(id, item);
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    threads.forEach((thread, index) => {
      this.#place(thread, index, thread.thread_id === current);
    });
    // What is moved loses the focus.
    if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus();
    empty.hidden = threads.length > 0;
    more.hidden = !has_more;
    if (current !== undefined && !ids.has(current)) create.setAttribute("aria-current", "true");
    else create.removeAttribute("aria-current");
  }

  #place(thread: Thread, index: number, current: boolean): void {
    const { list } = this.#options;
    const item = this.#items.get(thread.thread_id) ?? new ThreadItem(thread, this.#options);
    this.#items.set(thread.thread_id, item);
    item.update(thread, current);
    const present = list.children[index];
    if (present !== item.element) list.insertBefore(item.element, present ?? null);
  }

  #remove(id: string, item: ThreadItem): void {
    item.element.remove();
    this.#items.delete(id);
  }
}
