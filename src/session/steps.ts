/**
 * The durable steps of one attempt: their numbers, which are the same on every
 * attempt, and what is written of them. What a model answered is written with the
 * first event that follows it, so that it costs no row of its own.
 */
import type { Attempt } from "./execution.ts";
import { StepLimit } from "./failures.ts";
import { journalText, type ModelEntry } from "./model-entry.ts";
import type { RunEventDraft } from "./run.ts";
import type { WaitDraft } from "./waits.ts";

export class Steps {
  readonly attempt: Attempt;
  /** Ordinal of the last durable effect: the key of the journal. */
  #step = 0;
  /** What models answered since the last event. */
  #unwritten: ModelEntry[] = [];

  constructor(attempt: Attempt) {
    this.attempt = attempt;
  }

  next(): number {
    const limit = this.attempt.limits.run_steps;
    if (this.#step >= limit) throw new StepLimit(`a run may have ${limit} steps`);
    this.#step += 1;
    return this.#step;
  }

  /** True if a crash now would have a model asked, and paid, again. */
  get owes(): boolean {
    return this.#unwritten.length > 0;
  }

  /** A model has answered; the next event takes it along. */
  answered(entry: ModelEntry): void {
    this.#unwritten.push(entry);
    const { step, result } = entry;
    if (result.usage !== undefined) this.attempt.answer.spend({ ...result.usage, step });
  }

  append(drafts: readonly RunEventDraft[]): void {
    this.#written(() => this.attempt.append(drafts, journalText(this.#unwritten)));
  }

  /** From here on the run waits, and this attempt at it is over. */
  suspend(drafts: readonly RunEventDraft[], waits: readonly WaitDraft[]): typeof SUSPENDED {
    const { answer, suspend } = this.attempt;
    this.#written(() => suspend({ drafts, waits, text: answer.text, journal: journalText(this.#unwritten) }));
    return SUSPENDED;
  }

  /** As `append`, in the transaction of what is asked of the shared state. */
  consult<T>(work: (journal: string | undefined) => T): T {
    return this.#written(() => work(journalText(this.#unwritten)));
  }

  /** The journal has just been used up: clients are shown the text it brought back. */
  tellIfLive(): void {
    if (this.attempt.journal.exhausted) this.attempt.answer.tellRecalled();
  }

  /** Forgotten only once it is on disk. */
  #written<T>(write: () => T): T {
    const value = write();
    this.#unwritten = [];
    this.attempt.answer.written();
    return value;
  }
}

/** In place of a result: the run goes on when what it waits for has come. */
export const SUSPENDED = Symbol("suspended");
