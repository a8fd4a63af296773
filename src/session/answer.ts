/**
 * The text of one answer while it is being written. The first delta goes out at
 * once; what follows is coalesced, because a frame per token costs every client
 * a wake-up and tells a reader nothing more.
 */

import type { ModelUsage } from "../agents/models/model.ts";
import { MAX_ANSWER_BYTES } from "../protocol/limits.ts";
import { beginning, utf8Length, wholeLength } from "../protocol/primitives.ts";
import type { PartialResult } from "../protocol/stream.ts";
import { isModelEntry, type JournalEntry } from "./journal-entry.ts";
import type { Clock } from "./ports.ts";
import type { Run } from "./run.ts";

/** Two flushes are at least this far apart; below what a reader notices. */
const COALESCE_MS = 40;

/** What is kept of a run that ends before its agent says so. */
export interface SoFar {
  readonly content: string;
  /** What models have answered that is in no journal yet. */
  readonly models: readonly JournalEntry[];
  /** What a call has cost that is under way. */
  readonly spent: readonly ModelUsage[];
}

export class Answer {
  readonly #run: Run;
  readonly #clock: Clock;
  readonly #send: (frame: PartialResult) => void;
  #text = "";
  #bytesLeft = MAX_ANSWER_BYTES;
  /** Length of the text that has been sent, in UTF-16 code units. */
  #sent = 0;
  /** Full: nothing more is taken. */
  #full = false;
  /** What models have answered since the last event of the run. */
  #unwritten: readonly JournalEntry[] = [];
  #calling: (() => ModelUsage) | undefined;
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

  /** True if it has reached its limit, and something was left out. */
  get full(): boolean {
    return this.#full;
  }

  /** What is kept of the run if it ends now. A call that is under way has cost what can be estimated of it. */
  get soFar(): SoFar {
    const spent = this.#calling === undefined ? [] : [this.#calling()];
    return { content: this.#text, models: this.#unwritten, spent };
  }

  /** A model is being called; what it has cost so far. */
  calling(estimate: () => ModelUsage): void {
    this.#calling = estimate;
  }

  /** What the next event of the run is to take along; with its answer a call that was under way has ended. */
  note(entry: JournalEntry): void {
    if (isModelEntry(entry)) this.#calling = undefined;
    this.#unwritten = [...this.#unwritten, entry];
  }

  get unwritten(): readonly JournalEntry[] {
    return this.#unwritten;
  }

  /** It is in the journal now. */
  written(): void {
    this.#unwritten = [];
  }

  /** Adds text that an earlier attempt had written; nobody is told until `tellRecalled`. False if it is full. */
  recall(delta: string): boolean {
    return this.#add(delta);
  }

  /** The replay is over: everyone is set to what it brought back. */
  tellRecalled(): void {
    if (this.#sent > 0 || this.#text === "") return;
    this.#sent = this.#sendable();
    this.#send(this.#frame({ mode: "set", text: this.#text.slice(0, this.#sent) }));
  }

  /** False if the answer has reached its limit: what did not fit was left out. */
  write(delta: string): boolean {
    const fitted = this.#add(delta);
    const wait = this.#lastFlush + COALESCE_MS - this.#clock.now();
    if (wait <= 0) this.flush();
    else this.#cancelTimer ??= this.#clock.timer(wait, () => this.flush());
    return fitted;
  }

  /** Text from elsewhere: what is known already is not added twice, what does not join is left out. */
  join(offset: number, delta: string): void {
    const fresh = offset > this.#text.length ? "" : delta.slice(this.#text.length - offset);
    if (fresh !== "") this.write(fresh);
  }

  /** Replaces the text: everyone is set to it, unless it only goes on. */
  set(text: string): void {
    if (this.#sent > 0 && text.startsWith(this.#text)) return this.join(0, text);
    this.#text = "";
    this.#bytesLeft = MAX_ANSWER_BYTES;
    this.#full = false;
    this.#add(text);
    this.stop();
    this.#sent = this.#sendable();
    this.#lastFlush = this.#clock.now();
    this.#send(this.#frame({ mode: "set", text: this.#text.slice(0, this.#sent) }));
  }

  /** Must come before any event of the run, so that the text a client sees never lags behind its steps. */
  flush(): void {
    this.stop();
    const offset = this.#sent;
    this.#sent = this.#sendable();
    if (offset === this.#sent) return;
    this.#lastFlush = this.#clock.now();
    this.#send(this.#frame({ offset, delta: this.#text.slice(offset, this.#sent) }));
  }

  /** What a connection that has just caught up is set to: exactly what the others have been sent. */
  current(): PartialResult | undefined {
    return this.#sent === 0 ? undefined : this.#frame({ mode: "set", text: this.#text.slice(0, this.#sent) });
  }

  /** Cancels the pending flush. A timer left behind would keep the object from hibernating. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #add(delta: string): boolean {
    const bytes = utf8Length(delta);
    const fits = bytes <= this.#bytesLeft;
    const added = fits ? delta : beginning(delta, this.#bytesLeft);
    this.#text += added;
    this.#bytesLeft -= fits ? bytes : this.#bytesLeft;
    this.#full ||= !fits;
    return fits;
  }

  #sendable(): number {
    return wholeLength(this.#text);
  }

  #frame(part: { offset: number; delta: string } | { mode: "set"; text: string }): PartialResult {
    const { run_id, message_id, attempt } = this.#run;
    return { type: "partial_result", payload: { run_id, message_id, attempt, ...part } };
  }
}

/** What an answer keeps of a text. */
export function fitted(text: string): string {
  return beginning(text, MAX_ANSWER_BYTES);
}
