/** The events of runs, as they are appended: numbered within their run without a gap. */
import type { Log } from "./log.ts";
import type { Run, RunEventDraft } from "./run.ts";
import type { Transaction } from "./transaction.ts";

/** Columns of an event's row that only some have. */
export interface Beside {
  readonly prev?: number;
  readonly journal?: string | undefined;
}

export class RunLog {
  readonly #log: Log;
  readonly #seqs = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  append(tx: Transaction, run: Run, draft: RunEventDraft, beside: Beside = {}): void {
    const { run_id, thread_id, agent_name } = run;
    const run_seq = tx.runSeqs.get(run_id) ?? this.#nextRunSeq(run);
    const of = { run_id, thread_id, agent_name, run_seq, timestamp: tx.timestamp };
    tx.append(draft(of, tx.nextSeq), { thread_id, run_id, ...beside });
    tx.runSeqs.set(run_id, run_seq + 1);
  }

  /** Its first event, so nobody need count those before it. */
  announce(tx: Transaction, run: Run): void {
    tx.runSeqs.set(run.run_id, 0);
    this.append(tx, run, (of) => ({
      type: "agent_started",
      payload: { ...of, agent_version: run.agent_version, message_id: run.question_id },
    }));
  }

  /** After a commit: memory follows what was written. */
  committed(tx: Transaction): void {
    for (const [run_id, next] of tx.runSeqs) this.#seqs.set(run_id, next);
    for (const run_id of tx.ended) this.#seqs.delete(run_id);
  }

  /** Events of an unfinished run are never trimmed, so their number is the next one. */
  #nextRunSeq(run: Run): number {
    return this.#seqs.get(run.run_id) ?? this.#log.countOfRun(run.run_id, run.start_seq);
  }
}
