/**
 * Runs as facts: which are unfinished, which waits behind which, and the events
 * that begin and end one. Executing them is the host's job. A run has a row only
 * while it is unfinished.
 */
import type { ModelUsage } from "../agents/models/model.ts";
import type { Plan } from "../protocol/greeting.ts";
import { MAX_WAITING_TEXT_BYTES, type Plans } from "../protocol/limits.ts";
import { fitsBytes } from "../protocol/primitives.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { Suspension } from "./execution.ts";
import { makeId } from "./ids.ts";
import type { Log } from "./log.ts";
import { costsOf, lastJournalText, usageEntries } from "./model-entry.ts";
import type { Ids } from "./ports.ts";
import {
  detailOf,
  type Ending,
  type Feed,
  questionSeq,
  type Run,
  type RunEventDraft,
  runRow,
} from "./run.ts";
import type { Spending } from "./spending.ts";
import { unheard } from "./steering.ts";
import type { Storage } from "./storage.ts";
import type { Threads } from "./threads.ts";
import type { Transaction } from "./transaction.ts";
import { saidUsage, totals } from "./usage.ts";
import type { OpenWait, RecordedAnswer, WaitDraft } from "./waits.ts";

/** Where an answer is wanted, and to what. */
export interface Question {
  readonly thread_id: string;
  readonly question_id: string;
}

/** What a run has cost that its journal does not say. */
type Expense = Pick<Ending, "models" | "spent">;

/** Columns of an event's row that only some have. */
interface Beside {
  readonly prev?: number;
  readonly journal?: string | undefined;
}

/** Besides, whose limits hold. */
interface Asked extends Question {
  readonly plan: Plan;
}

/** Who is to answer: an agent of ours, or one that feeds us what it does. */
export interface Executor {
  readonly name: string;
  readonly version: string;
  readonly feed?: Pick<Feed, "silent_after_ms" | "remote">;
  /** True if the plan's budget is for it. */
  readonly uses_models?: boolean;
}

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly threads: Threads;
  readonly spending: Spending;
}

export class Runs {
  readonly #storage: Storage;
  readonly #log: Log;
  readonly #threads: Threads;
  readonly #ids: Ids;
  readonly #plans: Plans;
  readonly #spending: Spending;
  readonly #seqs = new Map<string, number>();

  constructor({ storage, log, threads, spending }: Parts, ids: Ids, plans: Plans) {
    this.#storage = storage;
    this.#log = log;
    this.#threads = threads;
    this.#ids = ids;
    this.#plans = plans;
    this.#spending = spending;
  }

  get(run_id: string): Run | undefined {
    return this.#query("WHERE run_id = ?", run_id)[0];
  }

  /** In the order of their questions. */
  unfinished(): Run[] {
    return this.#query("ORDER BY start_seq");
  }

  /** A run for the question about to be appended, or why the thread takes no more. Writes nothing. */
  plan(tx: Transaction, { thread_id, question_id, plan }: Asked, by: Executor): Result<Run> {
    const unfinished = this.unfinished();
    const waiting = unfinished.filter((run) => run.thread_id === thread_id && run.state === "queued").length;
    const limit = this.#plans[plan].queued_runs_per_thread;
    const startsNow = this.#mayStart({ thread_id, plan }, unfinished);
    if (!startsNow && waiting >= limit) {
      return refuse("run_queue_full", `${limit} runs are waiting in this thread`, {
        limit,
        retry_after_ms: 1_000,
      });
    }
    // Nobody could tell a feeder elsewhere that its turn has come.
    if (by.feed !== undefined && !by.feed.remote && !startsNow) return BUSY;
    const seq = tx.nextSeq;
    return ok({
      run_id: makeId("r", seq, this.#ids.random()),
      message_id: makeId("a", seq, this.#ids.random()),
      question_id,
      accepted_at: tx.now,
      plan,
      thread_id,
      state: startsNow ? "running" : "queued",
      attempt: startsNow ? 1 : 0,
      agent_name: by.name,
      agent_version: by.version,
      start_seq: seq,
      ...(by.feed && { feed: { ...by.feed, until: tx.now + by.feed.silent_after_ms } }),
    });
  }

  /** True if a run could begin at once in the place of `run`. */
  couldReplace(run: Run, plan: Plan): boolean {
    const others = this.unfinished().filter(({ run_id }) => run_id !== run.run_id);
    return this.#mayStart({ thread_id: run.thread_id, plan }, others);
  }

  /** Records a planned run, after its question was appended. */
  accept(tx: Transaction, run: Run): void {
    this.#storage.write(
      `INSERT INTO runs (run_id, thread_id, state, attempt, agent, version, start_seq, detail)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      run.run_id,
      run.thread_id,
      run.state,
      run.attempt,
      run.agent_name,
      run.agent_version,
      run.start_seq,
      detailOf(run),
    );
    if (run.state === "running") this.#begin(tx, run);
  }

  /** Takes an orphaned run over: the attempt is on disk before any agent code runs. */
  retry(tx: Transaction, run: Run): void {
    this.#storage.write("UPDATE runs SET attempt = ? WHERE run_id = ?", run.attempt + 1, run.run_id);
    tx.started.push(run.run_id);
  }

  /** The feeder of a run was heard of, though no event says so. */
  heard(run: Run, feed: Feed): void {
    this.#change({ ...run, feed });
  }

  append(tx: Transaction, run: Run, draft: RunEventDraft, beside: Beside = {}): void {
    const { run_id, thread_id, agent_name } = run;
    const run_seq = tx.runSeqs.get(run_id) ?? this.#nextRunSeq(run);
    const of = { run_id, thread_id, agent_name, run_seq, timestamp: tx.timestamp };
    tx.append(draft(of, tx.nextSeq), { thread_id, run_id, ...beside });
    tx.runSeqs.set(run_id, run_seq + 1);
  }

  /** From here on the run waits: it has a row, and nobody executes it. */
  suspend(tx: Transaction, run: Run, { drafts, waits, text, journal, said }: Suspension): void {
    for (const [index, draft] of drafts.entries())
      this.append(tx, run, draft, index === 0 ? { journal } : {});
    const open = waits.map((wait, index): OpenWait => {
      const wait_id = makeId("w", tx.nextSeq, this.#ids.random());
      const first = index === 0 && drafts.length === 0;
      this.append(tx, run, waiting(run, wait, wait_id, index === 0 ? text : ""), first ? { journal } : {});
      return { wait_id, kind: wait.kind, expires_at: wait.expires_at };
    });
    this.#change({ ...run, state: "waiting", waits: open, ...(said && { said: saidBy(run, said) }) });
    tx.suspended.push({ run_id: run.run_id, until: Math.min(...open.map(({ expires_at }) => expires_at)) });
    // Whoever waits does not keep others from working.
    this.#startWaiting(tx);
  }

  /** What it waited for has come, or will not; with the last of it the run goes on when it is its turn. */
  resume(tx: Transaction, run: Run, wait_id: string, answer: RecordedAnswer): void {
    this.append(tx, run, (of) => ({ type: "run_resumed", payload: { ...of, wait_id, ...answer } }));
    const waits = (run.waits ?? []).filter((wait) => wait.wait_id !== wait_id);
    if (waits.length > 0) return this.#change({ ...run, waits });
    this.#change({ ...run, state: "queued", waits: undefined, attempts_before: run.attempt });
    this.#startWaiting(tx);
  }

  /**
   * The one terminal event of a run; open tool calls are completed first, waiting runs get their turn.
   * @param inItsPlace begins what comes before those that wait
   */
  finish(tx: Transaction, run: Run, ending: Ending, inItsPlace?: () => void): void {
    if (run.attempt === 0) this.#announce(tx, run);
    // From the log, so that it holds for runs nobody executes any more.
    for (const call of this.#log.openCalls(run.run_id, run.start_seq)) {
      const error = { code: ending.open_tools, message: OPEN_TOOL_MESSAGES[ending.open_tools] };
      this.append(tx, run, (of) => ({
        type: "tool_completed",
        payload: { ...of, ...call, status: "error", error, duration_ms: 0 },
      }));
    }
    this.#complete(tx, run, ending);
    this.#storage.write("DELETE FROM runs WHERE run_id = ?", run.run_id);
    tx.ended.push(run.run_id);
    inItsPlace?.();
    if (ending.status !== "cancelled") this.#answerUnheard(tx, run);
    this.#startWaiting(tx);
  }

  /** What was said to a run that ended before it could hear it gets a run of its own: the last of it, which the rest precedes. */
  #answerUnheard(tx: Transaction, run: Run): void {
    const last = unheard(this.#log, run).at(-1);
    if (last === undefined) return;
    const { thread_id, plan, agent_name: name, agent_version: version } = run;
    const question_id = last.message_id;
    const planned = this.plan(tx, { thread_id, question_id, plan }, { name, version });
    // Refused where the thread's queue is full: then the message stands, and can be asked to be answered later.
    if (!planned.ok) return;
    const { run_id } = planned.value;
    const payload = { thread_id, question_id, run_id, timestamp: tx.timestamp };
    tx.append({ type: "thread_updated", payload }, { thread_id });
    this.accept(tx, planned.value);
  }

  /**
   * Ends all runs of a thread that is about to be deleted, with everything that would say how they
   * ended; what they have cost is counted all the same.
   */
  abandon(tx: Transaction, thread_id: string, soFar: (run: Run) => Expense): void {
    const lost = this.unfinished().filter((run) => run.thread_id === thread_id);
    for (const run of lost) this.#spending.record(tx, this.spentBy(run, soFar(run)));
    for (const { run_id } of lost) this.#storage.write("DELETE FROM runs WHERE run_id = ?", run_id);
    tx.ended.push(...lost.map(({ run_id }) => run_id));
    this.#startWaiting(tx);
  }

  /** All that models have cost it: what its journal says, and what is not in there yet. */
  spentBy({ run_id, start_seq, said = [] }: Run, { models = [], spent = [] }: Expense): ModelUsage[] {
    const journaled = this.#log.journalOf(run_id, start_seq).flatMap(usageEntries);
    return [...journaled, ...saidUsage(said), ...costsOf(models), ...spent];
  }

  /** After a commit: memory follows what was written. */
  committed(tx: Transaction): void {
    for (const [run_id, next] of tx.runSeqs) this.#seqs.set(run_id, next);
    for (const run_id of tx.ended) this.#seqs.delete(run_id);
  }

  #begin(tx: Transaction, run: Run): void {
    this.#announce(tx, run);
    tx.started.push(run.run_id);
  }

  #announce(tx: Transaction, run: Run): void {
    this.append(tx, run, (of) => ({
      type: "agent_started",
      payload: { ...of, agent_version: run.agent_version, message_id: run.question_id },
    }));
  }

  #complete(tx: Transaction, run: Run, ending: Ending): void {
    const { status, finish_reason, content, models = [], error } = ending;
    const said = ending.usage && saidBy(run, ending.usage);
    const spent = said === undefined ? this.spentBy(run, ending) : saidUsage(said);
    const usage = said ?? totals(spent).map((one) => ({ ...one }));
    this.#spending.record(tx, spent);
    const question = questionSeq(run);
    const thread = this.#threads.get(run.thread_id, tx);
    // An answer to a branch the user has left stays on that branch and does not move the thread.
    const current = this.#threads.leadsTo(question, thread?.head);
    const parent = current && thread?.head_message_id ? thread : undefined;
    const seq = tx.nextSeq;
    if (thread !== undefined) {
      this.#threads.touch(tx, thread, current ? { head: seq, head_message_id: run.message_id } : {});
    }
    this.append(
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
          attempts: run.attempt,
          duration_ms: Math.max(0, tx.now - run.accepted_at),
          ...(error === undefined ? {} : { error }),
        },
      }),
      { prev: parent?.head ?? question, journal: lastJournalText(models) },
    );
  }

  /** Those that have their turn now, in order of their questions; one that has waited for an answer has begun before. */
  #startWaiting(tx: Transaction): void {
    for (const run of this.unfinished()) {
      if (run.state !== "queued" || !this.#mayStart(run, this.unfinished())) continue;
      const { feed } = run;
      // Its silence counts from now on.
      const heard = feed && { feed: { ...feed, until: tx.now + feed.silent_after_ms } };
      const begun: Run = { ...run, ...heard, state: "running", attempt: run.attempt + 1 };
      this.#change(begun);
      if (run.attempt === 0) this.#announce(tx, begun);
      tx.started.push(run.run_id);
    }
  }

  #change(run: Run): void {
    this.#storage.write(
      "UPDATE runs SET state = ?, attempt = ?, detail = ? WHERE run_id = ?",
      run.state,
      run.attempt,
      detailOf(run),
      run.run_id,
    );
  }

  #mayStart({ thread_id, plan }: Pick<Run, "thread_id" | "plan">, unfinished: readonly Run[]): boolean {
    const { runs_per_user, runs_per_thread } = this.#plans[plan];
    const running = unfinished.filter((run) => run.state === "running");
    const inThread = running.filter((run) => run.thread_id === thread_id);
    return running.length < runs_per_user && inThread.length < runs_per_thread;
  }

  /** Events of an unfinished run are never trimmed, so their number is the next one. */
  #nextRunSeq(run: Run): number {
    return this.#seqs.get(run.run_id) ?? this.#log.countOfRun(run.run_id, run.start_seq);
  }

  #query(where: string, ...bindings: string[]): Run[] {
    return this.#storage
      .read(
        `SELECT run_id, thread_id, state, attempt, agent, version, start_seq, detail FROM runs ${where}`,
        ...bindings,
      )
      .map(runRow);
  }
}

/** What a feeder says of usage, before each wait and at the end. */
function saidBy({ said = [] }: Run, usage: NonNullable<Ending["usage"]>): NonNullable<Ending["usage"]> {
  return [...said, ...usage];
}

function waiting(
  { attempt }: Run,
  { expires_at, ...wait }: WaitDraft,
  wait_id: string,
  text: string,
): RunEventDraft {
  const until = new Date(expires_at).toISOString();
  const shown = text !== "" && fitsBytes(text, MAX_WAITING_TEXT_BYTES) ? { text } : {};
  return (of) => ({
    type: "run_waiting",
    payload: { ...of, ...wait, wait_id, expires_at: until, attempt, ...shown },
  });
}

/** A run that is executed elsewhere is at work already. */
export const BUSY = refuse(
  "conflict",
  "a feed cannot wait: the thread or the user has as many runs as may work",
  {
    field: "executor",
  },
);

const OPEN_TOOL_MESSAGES: Readonly<Record<Ending["open_tools"], string>> = {
  cancelled: "the run was cancelled",
  timeout: "the run took too long",
  outcome_unknown: "the run ended before the outcome was known",
};
