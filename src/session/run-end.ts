/** How a run ends: its open calls are completed, its one terminal event appended, what it has cost counted. */
import { MAX_SAID_USAGE } from "../protocol/limits.ts";
import { spentBy, uncounted } from "./costs.ts";
import { lastJournalText } from "./journal-entry.ts";
import type { Log } from "./log.ts";
import { attemptsOf, type Ending, questionSeq, type Run } from "./run.ts";
import type { RunLog } from "./run-log.ts";
import type { RunTable } from "./run-table.ts";
import type { Spending } from "./spending.ts";
import type { Threads } from "./threads.ts";
import type { Transaction } from "./transaction.ts";
import { saidUsage, totals } from "./usage.ts";
import { longer, waitedText } from "./waits.ts";

interface Parts {
  readonly table: RunTable;
  readonly events: RunLog;
  readonly log: Log;
  readonly threads: Threads;
  readonly spending: Spending;
}

export class RunEnd {
  readonly #table: RunTable;
  readonly #events: RunLog;
  readonly #log: Log;
  readonly #threads: Threads;
  readonly #spending: Spending;

  constructor({ table, events, log, threads, spending }: Parts) {
    this.#table = table;
    this.#events = events;
    this.#log = log;
    this.#threads = threads;
    this.#spending = spending;
  }

  end(tx: Transaction, run: Run, ending: Ending): void {
    if (run.attempt === 0) this.#events.announce(tx, run);
    // From the log, so that it holds for runs nobody executes any more.
    for (const call of this.#log.openCalls(run.run_id, run.start_seq)) {
      const error = { code: ending.open_tools, message: OPEN_TOOL_MESSAGES[ending.open_tools] };
      this.#events.append(tx, run, (of) => ({
        type: "tool_completed",
        payload: { ...of, ...call, status: "error", error, duration_ms: 0 },
      }));
    }
    this.#complete(tx, run, ending);
    this.#table.delete(run.run_id);
    tx.ended.push(run.run_id);
  }

  #complete(tx: Transaction, run: Run, ending: Ending): void {
    const { status, finish_reason, models = [], error } = ending;
    // What was read at a wait is not lost because the replay had not come back to it.
    const content =
      status === "succeeded" ? ending.content : longer(ending.content, waitedText(this.#log, run));
    const said = ending.usage && saidBy(run, ending.usage);
    const spent = said === undefined ? spentBy(this.#log, run, ending) : [];
    const usage = said ?? totals(spent).map((one) => ({ ...one }));
    // Of a run that has never waited nothing is counted yet.
    const fresh = run.counted_to === undefined ? spent : uncounted(this.#log, run, ending);
    this.#spending.record(tx, ending.usage === undefined ? fresh : saidUsage(ending.usage));
    const question = questionSeq(run);
    const thread = this.#threads.get(run.thread_id, tx);
    // An answer to a branch the user has left stays on that branch and does not move the thread.
    const current = this.#threads.leadsTo(question, thread?.head);
    const parent = current && thread?.head_message_id ? thread : undefined;
    const seq = tx.nextSeq;
    if (thread !== undefined) {
      this.#threads.touch(tx, thread, current ? { head: seq, head_message_id: run.message_id } : {});
    }
    this.#events.append(
      tx,
      run,
      (of) => ({
        type: "agent_completed",
        payload: {
          ...of,
          message_id: run.message_id,
          parent_message_id: parent?.head_message_id ?? run.question_id,
          status,
          content,
          finish_reason,
          usage,
          attempts: attemptsOf(run),
          duration_ms: Math.max(0, tx.now - run.accepted_at),
          ...(error === undefined ? {} : { error }),
        },
      }),
      { prev: parent?.head ?? question, journal: lastJournalText(models) },
    );
  }
}

/** What a feeder says of usage, before each wait and at the end: added up, or it would grow with every wait. */
export function saidBy({ said }: Run, usage: Said): Said {
  if (said === undefined) return usage;
  const all = [...said, ...usage];
  const unknown = all.filter((one) => saidUsage([one]).length === 0);
  return [...totals(saidUsage(all)).map((one) => ({ ...one })), ...unknown].slice(0, MAX_SAID_USAGE);
}

type Said = NonNullable<Ending["usage"]>;

const OPEN_TOOL_MESSAGES: Readonly<Record<Ending["open_tools"], string>> = {
  cancelled: "the run was cancelled",
  timeout: "the run took too long",
  outcome_unknown: "the run ended before the outcome was known",
};
