/** Tells the server what has been handed to the application: every 16 events or 250 ms, and when the page is hidden. */
import { ACK_AFTER_EVENTS, ACK_AFTER_MS } from "../protocol/pure/constants.ts";
import type { Cancel, Environment } from "./environment.ts";
import type { Link } from "./link.ts";
import { ACK_COST, type Pace } from "./pace.ts";

export interface AcksOptions {
  readonly environment: Pick<Environment, "setTimer">;
  readonly link: Pick<Link, "send">;
  readonly pace: Pace;
}

export class Acks {
  readonly #options: AcksOptions;
  #pending = 0;
  #seq = 0;
  #cancel: Cancel | undefined;

  constructor(options: AcksOptions) {
    this.#options = options;
  }

  /** Everything up to `seq` has been handed over. Commands that wait come before acknowledgements that need not be so many. */
  note(seq: number): void {
    this.#seq = seq;
    this.again(ACK_AFTER_MS);
    if (this.#pending >= ACK_AFTER_EVENTS && !this.#options.pace.low) this.flush();
  }

  /** One was refused, and it may have been the last: without it the server's window could stay full. */
  again(ms: number): void {
    this.#pending += 1;
    this.#cancel ??= this.#options.environment.setTimer(ms, () => this.flush());
  }

  flush(): void {
    const { link, pace } = this.#options;
    if (this.#pending > 0) {
      pace.spend(ACK_COST);
      link.send(JSON.stringify({ type: "ack", payload: { seq: this.#seq } }));
    }
    this.drop();
  }

  /** The connection is gone: `since` of the next one says the same. */
  drop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#pending = 0;
  }
}
