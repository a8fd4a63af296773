/**
 * Runs that are executed elsewhere: what is fed of them is streamed, and a feeder
 * that is silent for longer than it promised ends its run. Nothing here executes
 * anything, so the time a run may take does not apply. Who feeds, a service or
 * this session for its remote agent, makes no difference.
 */
import type { Asking } from "../agents/remote/translation.ts";
import type { FedText } from "../protocol/feeding.ts";
import { type Answer, fitted } from "./answer.ts";
import type { Answers } from "./answers.ts";
import { Course } from "./course.ts";
import type { Duty } from "./deadlines.ts";
import { CUT, interrupted } from "./failures.ts";
import { faultOf } from "./faults.ts";
import { seqOf } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Clock, Logger } from "./ports.ts";
import type { Ending, Run } from "./run.ts";
import type { Runs } from "./runs.ts";
import type { Storage } from "./storage.ts";
import { commit, type Transaction } from "./transaction.ts";
import { expiryOf } from "./waits.ts";

/** Text of a run: a piece, all so far, or, as it ends, its whole answer. */
export type FedPart = FedText | { readonly whole: string };

/** What a batch brought besides events. */
export interface FedBatch {
  readonly run: Run;
  /** Text that came before the last event of the batch. */
  readonly before: readonly FedPart[];
  readonly after: readonly FedPart[];
}

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly runs: Runs;
  readonly answers: Answers;
  readonly clock: Clock;
  readonly report: Logger;
  /** Makes what was committed happen; never throws. */
  readonly settle: (tx: Transaction) => void;
}

export class Feeds implements Duty {
  readonly name = "feeds";
  readonly #parts: Parts;
  /** When this instance last heard of a run: what is on disk may be a little later, never earlier. */
  readonly #heard = new Map<string, number>();
  /** So that a batch costs what is in it, not all that came before. */
  readonly #courses = new Map<string, Course>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** How a run went. That of one that has ended is read from the log: it may have been deleted since. */
  course(run_id: string, is_unfinished: boolean, tx: Transaction): Course {
    const known = is_unfinished ? (tx.courses.get(run_id) ?? this.#courses.get(run_id)) : undefined;
    if (known !== undefined) return known.copy();
    const start = seqOf(run_id, ["r"]);
    return Course.of(start === undefined ? [] : this.#parts.log.ofRun(run_id, start));
  }

  /** After a commit: memory follows what was written. */
  committed(tx: Transaction): void {
    for (const [run_id, course] of tx.courses) this.#courses.set(run_id, course);
  }

  /** The text of a run so far, what this transaction brings included. */
  textOf(run_id: string, tx: Transaction): string {
    const fresh = tx.fed.filter(({ run }) => run.run_id === run_id);
    const parts = fresh.flatMap(({ before, after }) => [...before, ...after]);
    return fitted(parts.reduce(joined, this.#parts.answers.textOf(run_id)));
  }

  /** Writes the text that precedes the events of a transaction. */
  before({ run, before, after }: FedBatch, tx: Transaction): void {
    this.#write(run, before);
    // What ended meanwhile has no later.
    if (tx.ended.includes(run.run_id)) this.#write(run, after);
  }

  /** Writes the text that follows them. */
  after({ run, after }: FedBatch, tx: Transaction): void {
    if (tx.ended.includes(run.run_id)) return;
    this.#heard.set(run.run_id, tx.now);
    this.#write(run, after);
  }

  forget(run_id: string): void {
    this.#heard.delete(run_id);
    this.#courses.delete(run_id);
  }

  /** When the first of them will have been silent for too long. */
  next(): number | undefined {
    const due = this.#unfinished().map((run) => this.#dueAt(run));
    return due.length === 0 ? undefined : Math.min(...due);
  }

  perform(now: number): void {
    for (const run of this.#unfinished()) {
      if (this.#dueAt(run) <= now) this.end(run, run.feed?.remote ? CUT : SILENT);
    }
  }

  /**
   * Ends a run whose feeder will not; what this instance knows of its text is kept.
   * Never throws: a run that cannot be ended must not keep the others, and the alarm
   * tries again.
   */
  end(run: Run, ending: Ending): void {
    const { storage, log, runs, answers, clock, settle, report } = this.#parts;
    try {
      const { tx } = commit(storage, log, clock.now(), (tx) =>
        runs.finish(tx, run, { ...ending, content: answers.textOf(run.run_id) }),
      );
      settle(tx);
    } catch (cause) {
      report("error", "a fed run could not be ended", { run_id: run.run_id, ...faultOf(cause) });
    }
  }

  /** From here on the run waits for what its agent has asked. Throws where the storage does. */
  suspend({ run_id }: Run, { waits, usage }: Asking): void {
    const { storage, log, runs, answers, clock, settle } = this.#parts;
    const run = runs.get(run_id);
    if (run === undefined) return;
    const { tx } = commit(storage, log, clock.now(), (tx) =>
      runs.suspend(tx, run, {
        drafts: [],
        waits: waits.map(({ until, ...wait }) => {
          const expires_at = Math.max(expiryOf(until, tx.now), tx.now + MIN_ASKED_MS);
          return { ...wait, expires_at };
        }),
        text: answers.textOf(run_id),
        models: [],
        said: usage,
      }),
    );
    settle(tx);
  }

  #dueAt({ run_id, start_seq, feed }: Run): number {
    const { silent_after_ms = 0, until = 0 } = feed ?? {};
    const heard = this.#heard.get(run_id);
    if (heard !== undefined) return heard + silent_after_ms;
    return Math.max(until, (this.#parts.log.lastOfRun(run_id, start_seq) ?? 0) + silent_after_ms);
  }

  /** Nobody is heard of before it is their turn. */
  #unfinished(): Run[] {
    return this.#parts.runs
      .unfinished()
      .filter(({ feed, state }) => feed !== undefined && state === "running");
  }

  #write(run: Run, parts: readonly FedPart[]): void {
    if (parts.length === 0) return;
    const answer = this.#parts.answers.of(run);
    for (const part of parts) write(answer, part);
  }
}

function joined(text: string, part: FedPart): string {
  if ("text" in part) return part.text;
  if ("whole" in part) return part.whole;
  return part.offset > text.length ? text : text + part.delta.slice(text.length - part.offset);
}

function write(answer: Answer, part: FedPart): void {
  if ("delta" in part) answer.join(part.offset, part.delta);
  else if ("text" in part) answer.set(part.text);
  // Who was streamed nothing is about to be told everything.
  else if (answer.text !== "") answer.set(part.whole);
}

/** An agent elsewhere may name times that have passed, again and again: it is not asked as fast as it can answer. */
const MIN_ASKED_MS = 5_000;

const SILENT = interrupted("feeder_silent", "the feeder of the run has fallen silent", true);
