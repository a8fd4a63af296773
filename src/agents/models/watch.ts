/**
 * Waiting that ends: with what was waited for, when its time is over, or when
 * the run has ended, whichever comes first. One for each attempt at a call.
 */
import { type FailureCode, ModelFailure } from "./failure.ts";

/** The part of the session's clock that is used. */
export interface CallClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `due` once after `ms` unless cancelled. */
  timer(ms: number, due: () => void): () => void;
}

export interface WatchOptions {
  readonly clock: CallClock;
  /** Aborted when the run ends. */
  readonly signal: AbortSignal;
  /** Everything must be over by then: milliseconds since the epoch. */
  readonly deadline: number;
}

export class Watch {
  readonly #clock: CallClock;
  readonly #outer: AbortSignal;
  readonly #own = new AbortController();
  readonly #cancelDeadline: () => void;
  #failure: ModelFailure | undefined;
  #reject: ((failure: ModelFailure) => void) | undefined;

  constructor({ clock, signal, deadline }: WatchOptions) {
    this.#clock = clock;
    this.#outer = signal;
    this.#cancelDeadline = clock.timer(Math.max(0, deadline - clock.now()), () => this.#end("model_timeout"));
    signal.addEventListener("abort", this.#cancelled);
    if (signal.aborted) this.#cancelled();
  }

  /** For whoever does the work: aborted as soon as nobody waits for it any more. */
  get signal(): AbortSignal {
    return this.#own.signal;
  }

  /** @throws ModelFailure `otherwise` after `ms`, `model_timeout` at the deadline, `cancelled` when the run ends */
  async within<T>(work: () => Promise<T>, ms: number, otherwise: FailureCode): Promise<T> {
    const cancelTimer = this.#clock.timer(ms, () => this.#end(otherwise));
    try {
      return await this.untilOver(work);
    } finally {
      cancelTimer();
    }
  }

  /** The same without a limit of its own. One wait at a time; what is over already is not begun. */
  untilOver<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#reject = reject;
      begun(work).then(resolve, reject);
    });
  }

  /** Nothing is waited for any more: leaves no timer and no listener, and ends the work if it goes on. */
  close(): void {
    this.#cancelDeadline();
    this.#outer.removeEventListener("abort", this.#cancelled);
    this.#own.abort();
  }

  readonly #cancelled = () => this.#end("cancelled");

  #end(code: FailureCode): void {
    this.#failure ??= new ModelFailure(code);
    this.#reject?.(this.#failure);
    this.#own.abort();
  }
}

/** Also what is thrown at once is a rejection. */
async function begun<T>(work: () => T | Promise<T>): Promise<T> {
  return await work();
}
