/**
 * Runs as facts: which are unfinished, which waits behind which, and the events
 * that begin and end one. Executing them is the host's job. A run has a row only
 * while it is unfinished.
 */
import type { ModelUsage } from "../agents/models/model.ts";
import type { Plan } from "../protocol/greeting.ts";
import { MAX_EVENT_BYTES, MAX_WAITING_TEXT_BYTES, type Plans } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { sizeOf } from "./budget.ts";
import { type Expense, spentBy, uncounted } from "./costs.ts";
import { overspent } from "./failures.ts";
import { makeId } from "./ids.ts";
import type { Log } from "./log.ts";
import { journalText, lastJournalText, MAX_TEXT_ENTRY_BYTES } from "./model-entry.ts";
import { type Crowd, mayStart, refuseFull, refuseJoining } from "./places.ts";
import type { Ids } from "./ports.ts";
import {
  attemptsOf,
  detailOf,
  type Ending,
  type Feed,
  questionSeq,
  type Run,
  type RunEventDraft,
  runRow,
  type Suspension,
} from "./run.ts";
import type { Exceeded, Spending } from "./spending.ts";
import { unheard } from "./steering.ts";
import type { Storage } from "./storage.ts";
import type { Threads } from "./threads.ts";
import type { Transaction } from "./transaction.ts";
import { saidUsage, totals } from "./usage.ts";
import { longer, type OpenWait, type RecordedAnswer, type WaitDraft, waitedText } from "./waits.ts";

/** Where an answer is wanted, and to what. */
export interface Question {
  readonly thread_id: string;
  readonly question_id: string;
}

/** What follows the end of a run. */
interface Succession {
  /** Begins what comes before those that wait. */
  readonly begin?: () => void;
  /** True if nobody wants an answer any more; absent: if it was cancelled. */
  readonly stopped?: boolean;
}

/** Columns of an event's row that only some have. */
interface Beside {
  readonly prev?: number;
  readonly journal?: string | undefined;
}

/** Besides, whose limits hold. */
interface Asked extends Question {
  readonly plan: Plan;
}

/** A thread, and whose limits hold there. */
type Place = Pick<Asked, "thread_id" | "plan">;

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

  /**
   * A run for the question about to be appended, or why the thread takes no more. Writes nothing.
   * @param inPlace it has the place of one that has just ended
   */
  plan(tx: Transaction, asked: Asked, by: Executor, { inPlace = false } = {}): Result<Run> {
    const { thread_id, plan } = asked;
    const refused = inPlace ? undefined : this.refuseFull(asked);
    if (refused !== undefined) return refused;
    const startsNow = mayStart(this.#plans[plan], thread_id, this.unfinished());
    // Nobody could tell a feeder elsewhere that its turn has come.
    if (by.feed !== undefined && !by.feed.remote && !startsNow) return BUSY;
    return ok(this.#planned(tx, asked, by, startsNow));
  }

  /** Why the thread, or the user, takes no further run. @param gone those whose places it has */
  refuseFull({ thread_id, plan }: Place, gone: readonly Run[] = []) {
    return refuseFull(this.#plans[plan], thread_id, this.#crowd(thread_id, gone));
  }

  /** Why no further message may join a run of the thread. */
  refuseJoining({ thread_id, plan }: Place) {
    return refuseJoining(this.#plans[plan], thread_id, this.#crowd(thread_id, []));
  }

  #crowd(thread_id: string, gone: readonly Run[]): Crowd {
    const unfinished = this.unfinished().filter(({ run_id }) => !gone.some((run) => run.run_id === run_id));
    const joined = unfinished.filter((run) => run.thread_id === thread_id && run.state === "running");
    return { unfinished, unheard: joined.flatMap((run) => unheard(this.#log, run)).length };
  }

  #planned(tx: Transaction, { thread_id, question_id, plan }: Asked, by: Executor, startsNow: boolean): Run {
    const seq = tx.nextSeq;
    return {
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
    };
  }

  /** True if a run could begin at once in the place of `run`. */
  couldReplace(run: Run, plan: Plan): boolean {
    const others = this.unfinished().filter(({ run_id }) => run_id !== run.run_id);
    return mayStart(this.#plans[plan], run.thread_id, others);
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
  suspend(tx: Transaction, run: Run, { drafts, waits, text, models, said = [] }: Suspension): void {
    const { shown, entries } = textAt(waits[0], text);
    const journal = journalText([...models, ...entries]);
    for (const [index, draft] of drafts.entries())
      this.append(tx, run, draft, index === 0 ? { journal } : {});
    const open = waits.map((wait, index): OpenWait => {
      const wait_id = makeId("w", tx.nextSeq, this.#ids.random());
      const first = index === 0 && drafts.length === 0;
      this.append(tx, run, waiting(run, wait, wait_id, index === 0 ? shown : ""), first ? { journal } : {});
      return { wait_id, kind: wait.kind, expires_at: wait.expires_at };
    });
    // Nobody can say how long it waits: what it has not heard is answered meanwhile, and it never hears of it.
    this.#queueUnheard(tx, run);
    // A budget must see what it has cost, which may be long before it ends.
    this.#spending.record(tx, [...uncounted(this.#log, run, {}), ...saidUsage(said)]);
    const last = tx.nextSeq - 1;
    const counted = {
      heard_to: last,
      counted_to: last,
      ...(said.length > 0 && { said: saidBy(run, said) }),
    };
    this.#change({ ...run, state: "waiting", waits: open, ...counted });
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
   * What was said to it and it has not heard is answered by a run of its own, unless the user stopped it.
   */
  finish(tx: Transaction, run: Run, ending: Ending, { begin, stopped }: Succession = {}): void {
    this.#end(tx, run, ending);
    begin?.();
    if (!(stopped ?? ending.status === "cancelled")) this.#queueUnheard(tx, run);
    this.#startWaiting(tx);
  }

  #end(tx: Transaction, run: Run, ending: Ending): void {
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
  }

  /**
   * What was said to a run that cannot hear it any more gets a run of its own: the last
   * of it, which the rest precedes. It is queued like any other, and had its place all along.
   */
  #queueUnheard(tx: Transaction, run: Run): void {
    const last = unheard(this.#log, run).at(-1);
    if (last === undefined) return;
    const { thread_id, plan, agent_name: name, agent_version: version } = run;
    const question_id = last.message_id;
    const own = this.#planned(tx, { thread_id, question_id, plan }, { name, version }, false);
    const payload = { thread_id, question_id, run_id: own.run_id, timestamp: tx.timestamp };
    tx.append({ type: "thread_updated", payload }, { thread_id });
    this.accept(tx, own);
  }

  /**
   * Ends all runs of a thread that is about to be deleted, with everything that would say how they
   * ended; what they have cost is counted all the same.
   */
  abandon(tx: Transaction, thread_id: string, soFar: (run: Run) => Expense): void {
    const lost = this.unfinished().filter((run) => run.thread_id === thread_id);
    for (const run of lost) this.#spending.record(tx, uncounted(this.#log, run, soFar(run)));
    for (const { run_id } of lost) this.#storage.write("DELETE FROM runs WHERE run_id = ?", run_id);
    tx.ended.push(...lost.map(({ run_id }) => run_id));
    this.#startWaiting(tx);
  }

  /** What runs that are at work have cost and nobody has counted yet: a few runs, a few steps of each. */
  spentMeanwhile(soFar: (run_id: string) => Expense): ModelUsage[] {
    const atWork = this.unfinished().filter((run) => run.state === "running" && run.feed === undefined);
    return atWork.flatMap((run) => uncounted(this.#log, run, soFar(run.run_id)));
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
    const { status, finish_reason, models = [], error } = ending;
    // What was read at a wait is not lost because the replay had not come back to it.
    const content =
      status === "succeeded" ? ending.content : longer(ending.content, waitedText(this.#log, run));
    const said = ending.usage && saidBy(run, ending.usage);
    const usage = said ?? totals(spentBy(this.#log, run, ending)).map((one) => ({ ...one }));
    const fed = ending.usage && saidUsage(ending.usage);
    this.#spending.record(tx, fed ?? uncounted(this.#log, run, ending));
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
          attempts: attemptsOf(run),
          duration_ms: Math.max(0, tx.now - run.accepted_at),
          ...(error === undefined ? {} : { error }),
        },
      }),
      { prev: parent?.head ?? question, journal: lastJournalText(models) },
    );
  }

  /** Those that have their turn now, in order of their questions. */
  #startWaiting(tx: Transaction): void {
    const next = () => this.unfinished().find((run) => run.state === "queued" && this.#mayStart(run));
    for (let run = next(); run !== undefined; run = next()) {
      const exceeded = this.#overBudget(tx, run);
      if (exceeded === undefined) this.#start(tx, run);
      else this.#end(tx, run, overspent(exceeded.message));
    }
  }

  /** One that has waited for an answer has begun before. */
  #start(tx: Transaction, run: Run): void {
    const { resumed = 0, attempt, feed } = run;
    // Its silence counts from now on.
    const heard = feed && { feed: { ...feed, until: tx.now + feed.silent_after_ms } };
    const begun: Run = {
      ...run,
      ...heard,
      state: "running",
      attempt: attempt + 1,
      resumed: attempt > 0 ? resumed + 1 : undefined,
    };
    this.#change(begun);
    if (run.attempt === 0) this.#announce(tx, begun);
    tx.started.push(run.run_id);
  }

  /** Agents of ours look before each call of a model; one that is executed elsewhere can only be stopped before it begins. */
  #overBudget(tx: Transaction, run: Run): Exceeded | undefined {
    return run.feed?.remote && this.#spending.exceeded(this.#plans[run.plan], tx.now);
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

  #mayStart({ thread_id, plan }: Place): boolean {
    return mayStart(this.#plans[plan], thread_id, this.unfinished());
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
function saidBy({ said = [] }: Run, usage: Said): Said {
  return [...said, ...usage];
}

type Said = NonNullable<Ending["usage"]>;

function waiting(
  { attempt }: Run,
  { expires_at, ...wait }: WaitDraft,
  wait_id: string,
  text: string,
): RunEventDraft {
  const until = new Date(expires_at).toISOString();
  return (of) => ({
    type: "run_waiting",
    payload: { ...of, ...wait, wait_id, expires_at: until, attempt, ...(text !== "" && { text }) },
  });
}

/** Where the text at a wait goes: into its event, or, where that has no room, beside it. */
function textAt(wait: WaitDraft | undefined, text: string) {
  if (wait === undefined || text === "") return { shown: "", entries: [] };
  const room = MAX_EVENT_BYTES - MAX_OF_RUN_BYTES - sizeOf(wait);
  if (sizeOf(text) <= Math.min(room, MAX_WAITING_TEXT_BYTES)) return { shown: text, entries: [] };
  const entry = { step: wait.step, text };
  return { shown: "", entries: sizeOf(entry) <= MAX_TEXT_ENTRY_BYTES ? [entry] : [] };
}

/** What every event of a run carries, at most. */
const MAX_OF_RUN_BYTES = 2 * 1024;

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
