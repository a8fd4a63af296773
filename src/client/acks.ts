/** Tells the server what has been handed to the application: every 16 events or 250 ms, and when the page is hidden. */
import { ACK_AFTER_EVENTS, ACK_AFTER_MS } from "../protocol/pure/constants.ts";
import type { Cancel, Environment } from "./environment.ts";

export class Acks {
  readonly #setTimer: Environment["setTimer"];
  readonly #send: (seq: number) => void;
  #pending = 0;
  #seq = 0;
  #cancel: Cancel | undefined;

  constructor(setTimer: Environment["setTimer"], send: (seq: number) => void) {
    this.#setTimer = setTimer;
    this.#send = send;
  }

  /** Everything up to `seq` has been handed over. */
  note(seq: number): void {
    this.#seq = seq;
    this.#pending += 1;
    if (this.#pending >= ACK_AFTER_EVENTS) this.flush();
    else this.#cancel ??= this.#setTimer(ACK_AFTER_MS, () => this.flush());
  }

  flush(): void {
    if (this.#pending > 0) this.#send(this.#seq);
    this.drop();
  }

  /** The connection is gone: `since` of the next one says the same. */
  drop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#pending = 0;
  }
}
