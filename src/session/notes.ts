/**
 * What a tool says of how far it is (`tool_progress`). Nothing of it is kept, so the
 * newest note is worth more than the ones before it: the first goes out at once, later
 * ones at most every 250 ms, and none once the call is over.
 */
import { beginning } from "../protocol/primitives.ts";
import type { Clock } from "./ports.ts";

const PACE_MS = 250;

/** UTF-8 bytes; a note is a line, not a result. */
const MAX_NOTE_BYTES = 1024;

export class Notes {
  readonly #clock: Clock;
  readonly #send: (note: string) => void;
  #newest: string | undefined;
  #cancelTimer: (() => void) | undefined;
  #over = false;

  constructor(clock: Clock, send: (note: string) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  take(note: string): void {
    if (this.#over) return;
    this.#newest = beginning(String(note), MAX_NOTE_BYTES);
    if (this.#cancelTimer === undefined) this.#tell();
  }

  /** What a tool says from now on is for nobody. */
  end(): void {
    this.#over = true;
    this.#cancelTimer?.();
  }

  #tell(): void {
    this.#cancelTimer = undefined;
    if (this.#newest === undefined) return;
    this.#send(this.#newest);
    this.#newest = undefined;
    this.#cancelTimer = this.#clock.timer(PACE_MS, () => this.#tell());
  }
}
