/** Ratings on their way: shown at once, and as the log has them from then on. */
import type { Conversation, Message } from "../client/index.ts";

export type Rating = NonNullable<Message["rating"]>;

/** One rating that was given here. */
export interface Given {
  readonly message_id: string;
  readonly rating: Rating;
}

/** As the protocol has it. */
const MAX_COMMENT_BYTES = 4 * 1024;

/** Why a comment would not be taken; empty if it would. */
export function problemOfComment(comment: string): string {
  const excess = new TextEncoder().encode(comment).byteLength - MAX_COMMENT_BYTES;
  // A character has one byte or more.
  return excess > 0 ? `Too long for 4 KiB: please shorten it by ${excess} characters or fewer.` : "";
}

export class Ratings {
  /** The last of each answer; with the seq of its event once it is stored. */
  readonly #given = new Map<string, { readonly given: Given; readonly seq?: number }>();

  /** What was given here and is not in the view yet. */
  of(message_id: string): Rating | undefined {
    return this.#given.get(message_id)?.given.rating;
  }

  add(given: Given): void {
    this.#given.set(given.message_id, { given });
  }

  stored(given: Given, seq = 0): void {
    if (this.#isLast(given)) this.#given.set(given.message_id, { given, seq });
  }

  /** What was refused is as if it had never been given. */
  refused(given: Given): void {
    if (this.#isLast(given)) this.#given.delete(given.message_id);
  }

  /** What the view has seen is as the view has it: another tab may have had a later word. */
  settle({ last_seq }: Conversation): void {
    for (const [message_id, { seq }] of this.#given)
      if (seq !== undefined && seq <= last_seq) this.#given.delete(message_id);
  }

  /** A later one may have taken its place. */
  #isLast(given: Given): boolean {
    return this.#given.get(given.message_id)?.given === given;
  }
}
