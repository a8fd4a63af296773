/** Messages on their way: shown at once, forgotten as soon as the log has them. */
import { ClientError, type Conversation } from "../client/index.ts";

/** A message the log does not have yet. */
export interface Pending {
  readonly key: string;
  readonly thread_id: string;
  readonly content: string;
  /** Where it goes in the place of something else: the message it follows, null for none. */
  readonly parent_message_id?: string | null;
  /** Set once it is stored: shown until the log has it. */
  readonly message_id?: string;
  /** Why it was not stored, in words. */
  readonly problem?: string;
}

export class PendingMessages {
  #messages: readonly Pending[] = [];

  /** Those of one thread, in the order they were written. */
  of(thread_id: string): Pending[] {
    return this.#messages.filter((message) => message.thread_id === thread_id);
  }

  add(message: Pending): void {
    this.#messages = [...this.#messages, message];
  }

  change(key: string, change: Pick<Pending, "message_id"> | Pick<Pending, "problem">): void {
    this.#messages = this.#messages.map((known) => (known.key === key ? { ...known, ...change } : known));
  }

  forget(key: string): void {
    this.#messages = this.#messages.filter((known) => known.key !== key);
  }

  /** Whatever the view shows is no longer on its way; it stays forgotten if the view loses it again. */
  settle(view: Conversation): void {
    if (this.#messages.length === 0) return;
    const stored = new Set(view.messages.map(({ message_id }) => message_id));
    this.#messages = this.#messages.filter(
      ({ message_id }) => message_id === undefined || !stored.has(message_id),
    );
  }
}

/** Why a message was not stored, as far as that is known. */
export function problemOf(error: unknown): string {
  if (!(error instanceof ClientError)) return "Not sent: something went wrong.";
  return error.maybe_sent ? `May have been sent: ${error.message}.` : `Not sent: ${error.message}.`;
}
