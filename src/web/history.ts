/**
 * What a snapshot leaves out: the messages of other threads and other branches,
 * and how answers came about that had ended before the page was opened.
 */
import type { Conversation, Message } from "../client/index.ts";
import type { ListedMessage } from "./api.ts";
import { newestAfter } from "./branch.ts";
import type { Given } from "./ratings.ts";

type Load = (thread_id: string, through?: string) => Promise<readonly ListedMessage[] | undefined>;

/** What became of a load: nothing to do, more to show, no such thread, or try again when the connection is back. */
export type Loaded = "known" | "more" | "gone" | "failed";

export class History {
  readonly #load: Load;
  #messages = new Map<string, ListedMessage>();
  /** Which branches were asked for; another object after each snapshot, so that an answer from before it is not taken. */
  #asked = new Set<string>();
  readonly #failed = new Set<string>();
  /** Threads of which everything kept is from after the latest snapshot. */
  #fresh = new Set<string>();
  /** Ratings since the latest snapshot: an answer that was read before them may come after them. */
  #ratings = new Map<string, Given>();

  constructor(load: Load) {
    this.#load = load;
  }

  /** A snapshot has replaced the view. What is shown stays until it has been loaded again. */
  replaced(shown: Conversation, thread_id: string | undefined): void {
    const kept = this.complete(shown).messages.filter((message) => message.thread_id === thread_id);
    this.#messages = new Map(kept.map((message) => [message.message_id, message]));
    this.#ratings = new Map();
    this.#asked = new Set();
    this.#fresh = new Set();
  }

  /** What failed is asked for again. */
  again(): void {
    for (const key of this.#failed) this.#asked.delete(key);
    this.#failed.clear();
  }

  /** Loads the branch that ends with `head`, once; a thread for which that is not known yet in any case. */
  async load(view: Conversation, thread_id: string, head: string): Promise<Loaded> {
    const known = this.#messages.has(head) || view.messages.some(({ message_id }) => message_id === head);
    const key = `${thread_id} ${this.#fresh.has(thread_id) && !known ? head : ""}`;
    const asked = this.#asked;
    if (asked.has(key)) return "known";
    asked.add(key);
    const messages = await this.#load(thread_id).catch(() => null);
    if (asked !== this.#asked) return "known";
    if (messages === null) {
      this.#failed.add(key);
      return "failed";
    }
    this.#take(thread_id, messages ?? []);
    return messages === undefined ? "gone" : "more";
  }

  /** The newest message of the branch that goes through `message_id`; as far as it is known, if it cannot be loaded. */
  async newest(view: Conversation, thread_id: string, message_id: string): Promise<string> {
    const messages = await this.#load(thread_id, message_id).catch(() => undefined);
    this.#keep(messages ?? []);
    // A page ends with the newest of its branch, even if it does not reach back to the message.
    const last = messages?.at(-1)?.message_id ?? message_id;
    return newestAfter(this.complete(view).messages, last);
  }

  /** The view and what it leaves out; what both have is as the view has it. */
  complete(view: Conversation): Conversation {
    const known = new Set(view.messages.map(({ message_id }) => message_id));
    const others: Message[] = [...this.#messages.values()].filter(({ message_id }) => !known.has(message_id));
    if (others.length === 0) return view;
    return { ...view, messages: [...others, ...view.messages].sort((a, b) => a.seq - b.seq) };
  }

  /** What was listed with a message beside the message itself. */
  listed(message_id: string): ListedMessage | undefined {
    return this.#messages.get(message_id);
  }

  /** What is in the view is rated there as well. */
  rated(given: Given): void {
    this.#ratings.set(given.message_id, given);
    const message = this.#messages.get(given.message_id);
    if (message !== undefined) this.#keep([message]);
  }

  forget(thread_id: string): void {
    for (const [id, message] of this.#messages)
      if (message.thread_id === thread_id) this.#messages.delete(id);
  }

  /** The first load after a snapshot replaces what was kept from before it. */
  #take(thread_id: string, messages: readonly ListedMessage[]): void {
    if (!this.#fresh.has(thread_id)) this.forget(thread_id);
    this.#fresh.add(thread_id);
    this.#keep(messages);
  }

  #keep(messages: readonly ListedMessage[]): void {
    for (const message of messages) {
      const { rating } = this.#ratings.get(message.message_id) ?? message;
      this.#messages.set(message.message_id, { ...message, rating });
    }
  }
}
