/** The list of threads: those the view has, and behind them older ones that were asked for. */
import type { Conversation, Thread } from "../client/index.ts";
import type { ThreadPage } from "./api.ts";

/** A snapshot has at most so many; with fewer there are no others. */
export const SNAPSHOT_THREADS = 100;

interface ThreadChange {
  readonly thread_id: string;
  readonly title?: string | undefined;
  readonly head_message_id?: string | undefined;
}

export class ThreadPages {
  readonly #load: (before: number | undefined) => Promise<ThreadPage>;
  #older: readonly Thread[] = [];
  /** Where the next page goes on; undefined before the first, null after the last. */
  #next: number | null | undefined;

  constructor(load: (before: number | undefined) => Promise<ThreadPage>) {
    this.#load = load;
  }

  /** Newest first. A thread the view learnt of by a late message has no title there, but may have one here. */
  list({ threads }: Conversation): readonly Thread[] {
    if (this.#older.length === 0) return threads;
    const titles = new Map(this.#older.map(({ thread_id, title }) => [thread_id, title]));
    const named = threads.map((thread) =>
      thread.title === "" ? { ...thread, title: titles.get(thread.thread_id) ?? "" } : thread,
    );
    const known = new Set(threads.map(({ thread_id }) => thread_id));
    return [...named, ...this.#older.filter(({ thread_id }) => !known.has(thread_id))];
  }

  hasMore({ threads }: Conversation): boolean {
    return this.#next === undefined ? threads.length >= SNAPSHOT_THREADS : this.#next !== null;
  }

  /** The first page is what a snapshot has, but only it says where the second begins. */
  async more(): Promise<void> {
    const before = this.#next ?? undefined;
    if (before === undefined) await this.#take(undefined);
    if (typeof this.#next === "number") await this.#take(this.#next);
  }

  /** What is absent has not changed; the place in the list never does. */
  updated({ thread_id, title, head_message_id }: ThreadChange): void {
    this.#older = this.#older.map((thread) => {
      if (thread.thread_id !== thread_id) return thread;
      const head = head_message_id ?? thread.head_message_id;
      return { ...thread, title: title ?? thread.title, head_message_id: head };
    });
  }

  deleted(thread_id: string): void {
    this.#older = this.#older.filter((thread) => thread.thread_id !== thread_id);
  }

  /** After a snapshot nobody knows what became of the older ones meanwhile. */
  reset(): void {
    this.#older = [];
    this.#next = undefined;
  }

  async #take(before: number | undefined): Promise<void> {
    const { threads, next } = await this.#load(before);
    const known = new Set(this.#older.map(({ thread_id }) => thread_id));
    this.#older = [...this.#older, ...threads.filter(({ thread_id }) => !known.has(thread_id))];
    this.#next = next ?? null;
  }
}
