/**
 * One answer out of all that the agent writes. Messages may be written at the same
 * time: they are read in the order in which they began, with a blank line between
 * two; what is ahead of its turn waits.
 */
import { MAX_ANSWER_BYTES } from "../../protocol/limits.ts";
import { beginning, utf8Length } from "../../protocol/primitives.ts";

interface Message {
  readonly id: string;
  waiting: string;
  ended: boolean;
}

export class AnswerText {
  readonly #write: (offset: number, delta: string) => void;
  readonly #open = new Map<string, Message>();
  /** In the order in which they began; the first one is being written. */
  #turns: Message[] = [];
  #last: string | undefined;
  #text = "";
  #bytesLeft = MAX_ANSWER_BYTES;
  #full = false;

  /** @param text that was written before */
  constructor(write: (offset: number, delta: string) => void, text: string) {
    this.#write = write;
    this.#text = text;
    this.#bytesLeft -= utf8Length(text);
  }

  get text(): string {
    return this.#text;
  }

  /** Something did not fit. */
  get full(): boolean {
    return this.#full;
  }

  /** It is being written, or waits for its turn. */
  has(id: string): boolean {
    return this.#open.has(id);
  }

  begin(id: string): void {
    this.#messageOf(id);
  }

  add(id: string, delta: string): void {
    const message = this.#messageOf(id);
    if (message === this.#turns[0]) this.#append(id, delta);
    else message.waiting += delta;
  }

  end(id: string): void {
    const message = this.#open.get(id);
    if (message === undefined) return;
    message.ended = true;
    this.#open.delete(id);
    this.#advance();
  }

  /** Nothing more will come. */
  close(): void {
    for (const message of this.#turns) message.ended = true;
    this.#open.clear();
    this.#advance();
  }

  #messageOf(id: string): Message {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const message = { id, waiting: "", ended: false };
    this.#open.set(id, message);
    this.#turns.push(message);
    return message;
  }

  #advance(): void {
    const next = this.#turns.findIndex(({ ended }) => !ended);
    if (next === 0) return;
    const turn = next === -1 ? this.#turns.length : next;
    for (const message of this.#turns.slice(0, turn + 1)) {
      this.#append(message.id, message.waiting);
      message.waiting = "";
    }
    this.#turns = this.#turns.slice(turn);
  }

  #append(id: string, delta: string): void {
    if (delta === "" || this.#full) return;
    const apart = this.#text !== "" && id !== this.#last;
    this.#last = id;
    const wanted = apart ? `\n\n${delta}` : delta;
    const added = beginning(wanted, this.#bytesLeft);
    this.#full = added.length < wanted.length;
    this.#bytesLeft -= utf8Length(added);
    this.#write(this.#text.length, added);
    this.#text += added;
  }
}
