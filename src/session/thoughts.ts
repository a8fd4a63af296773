/**
 * What a model thinks on its way to one answer, as `agent_thinking`: what has come
 * within a second is shown then, the rest when it has answered. So somebody who waits
 * for a long thought sees it begin, and it costs two rows however long it is.
 */
import { beginning, utf8Length, wholeLength } from "../protocol/primitives.ts";
import type { AskedEntry } from "./journal-entry.ts";
import type { Steps } from "./steps.ts";

/** After the first of it has come. */
const FIRST_AFTER_MS = 1_000;

/** A thought is read by people; what a model thought beyond is cut, in what is kept of it, too. UTF-8 bytes. */
export const MAX_THOUGHT_BYTES = 32 * 1024;

export class Thoughts {
  readonly #steps: Steps;
  readonly #asked: AskedEntry;
  #text = "";
  #bytesLeft = MAX_THOUGHT_BYTES;
  /** How much of it has been shown, in UTF-16 code units. */
  #shown = 0;
  #since: number | undefined;

  constructor(steps: Steps, asked: AskedEntry) {
    this.#steps = steps;
    this.#asked = asked;
  }

  take(delta: string): void {
    this.#text += beginning(delta, this.#bytesLeft);
    this.#bytesLeft = Math.max(0, this.#bytesLeft - utf8Length(delta));
    const now = this.#steps.attempt.clock.now();
    this.#since ??= now;
    if (this.#shown > 0 || now - this.#since < FIRST_AFTER_MS) return;
    this.#shown = wholeLength(this.#text);
    if (this.#shown > 0) this.publish(this.#text.slice(0, this.#shown));
  }

  /** While the call is under way: whoever replays this asks again. */
  publish(thought: string): void {
    this.#steps.attempt.answer.note(this.#asked);
    this.#append(thought);
  }

  /** What has not been shown; with it the answer is kept. */
  end(): void {
    if (this.#text.length > this.#shown) this.#append(this.#text.slice(this.#shown));
  }

  #append(thought: string): void {
    const { step } = this.#asked;
    this.#steps.append([(of) => ({ type: "agent_thinking", payload: { ...of, step, thought } })]);
  }
}
