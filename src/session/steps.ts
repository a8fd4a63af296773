/**
 * The durable steps of one attempt: their numbers, which are the same on every
 * attempt, and what is written of them. What a model answered is written with the
 * first event that follows it, so that it costs no row of its own.
 */
import type { Attempt } from "./execution.ts";
import { StepLimit } from "./failures.ts";
import { journalText } from "./journal-entry.ts";
import type { RunEventDraft } from "./run.ts";
import type { WaitDraft } from "./waits.ts";

export class Steps {
  readonly attempt: Attempt;
  /** Ordinal of the last durable effect: the key of the journal. */
  #step = 0;

  constructor(attempt: Attempt) {
    this.attempt = attempt;
  }

  next(): number {
    const limit = this.attempt.limits.run_steps;
    if (this.#step >= limit) throw new StepLimit(`a run may have ${limit} steps`);
    this.#step += 1;
    return this.#step;
  }

  /** The number the next step will have. */
  get upcoming(): number {
    return this.#step + 1;
  }

  /** True if a crash now would have a model asked, and paid, again. */
  get owes(): boolean {
    return this.attempt.answer.unwritten.length > 0;
  }

  append(drafts: readonly RunEventDraft[]): void {
    this.#written((journal) => this.attempt.append(drafts, journal));
  }

  /** From here on the run waits, and this attempt at it is over. */
  suspend(drafts: readonly RunEventDraft[], waits: readonly WaitDraft[]): typeof SUSPENDED {
    const { answer, suspend } = this.attempt;
    suspend({ drafts, waits, text: answer.text, models: answer.unwritten });
    answer.written();
    return SUSPENDED;
  }

  /** As `append`, in the transaction of what is asked of the shared state. */
  consult<T>(work: (journal: string | undefined) => T): T {
    return this.#written(work);
  }

  /** The journal has just been used up: clients are shown the text it brought back. */
  tellIfLive(): void {
    if (this.attempt.journal.exhausted) this.attempt.answer.tellRecalled();
  }

  /** Forgotten only once it is on disk. */
  #written<T>(write: (journal: string | undefined) => T): T {
    const { answer } = this.attempt;
    const value = write(journalText(answer.unwritten));
    answer.written();
    return value;
  }
}

/** In place of a result: the run goes on when what it waits for has come. */
export const SUSPENDED = Symbol("suspended");
