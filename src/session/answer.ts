/**
 * The text of one answer while it is being written. The first delta goes out at
 * once; what follows is coalesced, because a frame per token costs every client
 * a wake-up and tells a reader nothing more.
 */
import type { PartialResult } from "../protocol/stream.ts";
import type { Clock } from "./ports.ts";
import type { Run } from "./runs.ts";

/** Two flushes are at least this far apart; below what a reader notices. */
const COALESCE_MS = 40;

export class Answer {
  readonly #run: Run;
  readonly #clock: Clock;
  readonly #send: (frame: PartialResult) => void;
  #text = "";
  /** Length of the text that has been sent, in UTF-16 code units. */
  #sent = 0;
  #lastFlush = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;

  constructor(run: Run, clock: Clock, send: (frame: PartialResult) => void) {
    this.#run = run;
    this.#clock = clock;
    this.#send = send;
  }

  get text(): string {
    return this.#text;
  }

  /** Adds text that clients are not told about yet: what an earlier attempt had already written. */
  recall(delta: string): void {
    this.#text += delta;
  }

  write(delta: string): void {
    this.#text += delta;
    const wait = this.#lastFlush + COALESCE_MS - this.#clock.now();
    if (wait <= 0) return this.flush();
    this.#cancelTimer ??= this.#clock.timer(wait, () => this.flush());
  }

  /** Must come before any event of the run, so that the text a client sees never lags behind its steps. */
  flush(): void {
    this.stop();
    const offset = this.#sent;
    if (offset === this.#text.length) return;
    this.#sent = this.#text.length;
    this.#lastFlush = this.#clock.now();
    // A new attempt has recalled text without sending it: clients are set to the whole.
    const recalled = this.#run.attempt > 1 && offset === 0;
    this.#send(recalled ? this.whole() : this.#frame({ offset, delta: this.#text.slice(offset) }));
  }

  /** What a connection that has just caught up is set to: exactly what the others have been sent. */
  whole(): PartialResult {
    return this.#frame({ mode: "set", text: this.#text.slice(0, this.#sent) });
  }

  /** Cancels the pending flush. A timer left behind would keep the object from hibernating. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #frame(part: { offset: number; delta: string } | { mode: "set"; text: string }): PartialResult {
    const { run_id, thread_id, agent_name, message_id, attempt } = this.#run;
    return {
      type: "partial_result",
      payload: { run_id, thread_id, agent_name, message_id, attempt, ...part },
    };
  }
}
