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
  /** Names that are not in the view, by thread. */
  #titles = new Map<string, string>();
  /** Threads whose names were asked for; another object after each snapshot, so that an answer from before it is not taken. */
  #asked = new Set<string>();

  constructor(load: (before: number | undefined) => Promise<ThreadPage>) {
    this.#load = load;
  }

  /** Newest first. */
  list({ threads }: Conversation): readonly Thread[] {
    if (this.#older.length === 0 && this.#titles.size === 0) return threads;
    const named = threads.map((thread) =>
      thread.title === "" ? { ...thread, title: this.#titleOf(thread) } : thread,
    );
    const known = new Set(threads.map(({ thread_id }) => thread_id));
    return [...named, ...this.#older.filter(({ thread_id }) => !known.has(thread_id))];
  }

  /**
   * A thread the snapshot left out comes into the view with the next message, but without its name:
   * events name only what is new. Asks for such names, for each once, and resolves to true if there are any.
   */
  async learnTitles({ threads }: Conversation): Promise<boolean> {
    const asked = this.#asked;
    const nameless = threads.filter(
      (thread) =>
        thread.title === "" &&
        thread.head_message_id !== null &&
        this.#titleOf(thread) === "" &&
        !asked.has(thread.thread_id),
    );
    if (nameless.length === 0) return false;
    for (const { thread_id } of nameless) asked.add(thread_id);
    // Something has just been said in them, so they are among the newest.
    const page = await this.#load(undefined).catch(() => undefined);
    if (page === undefined || asked !== this.#asked) return false;
    for (const { thread_id, title } of page.threads) this.#titles.set(thread_id, title);
    return true;
  }

  /** What failed is asked for again. */
  again(): void {
    this.#asked.clear();
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
    if (title !== undefined) this.#titles.set(thread_id, title);
    this.#older = this.#older.map((thread) => {
      if (thread.thread_id !== thread_id) return thread;
      const head = head_message_id ?? thread.head_message_id;
      return { ...thread, title: title ?? thread.title, head_message_id: head };
    });
  }

  deleted(thread_id: string): void {
    this.#titles.delete(thread_id);
    this.#older = this.#older.filter((thread) => thread.thread_id !== thread_id);
  }

  /** After a snapshot nobody knows what became of the older ones meanwhile. */
  reset(): void {
    this.#older = [];
    this.#next = undefined;
    this.#titles = new Map();
    this.#asked = new Set();
  }

  #titleOf({ thread_id }: Thread): string {
    const older = this.#older.find((thread) => thread.thread_id === thread_id);
    return this.#titles.get(thread_id) ?? older?.title ?? "";
  }

  async #take(before: number | undefined): Promise<void> {
    const { threads, next } = await this.#load(before);
    const known = new Set(this.#older.map(({ thread_id }) => thread_id));
    this.#older = [...this.#older, ...threads.filter(({ thread_id }) => !known.has(thread_id))];
    this.#next = next ?? null;
  }
}
