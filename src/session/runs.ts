/**
 * Runs as facts: which are unfinished, which waits behind which, and the events
 * that begin and end one. Executing them is the host's job. A run has a row only
 * while it is unfinished.
 */
import type { ModelUsage } from "../agents/models/model.ts";
import type { Plans } from "../protocol/limits.ts";
import { type Expense, uncounted } from "./costs.ts";
import { overspent } from "./failures.ts";
import { makeId } from "./ids.ts";
import { journalText } from "./journal-entry.ts";
import type { Log } from "./log.ts";
import { Planning } from "./planning.ts";
import type { Ids } from "./ports.ts";
import type { Ending, Feed, Run, RunEventDraft, Suspension } from "./run.ts";
import { RunEnd, saidBy } from "./run-end.ts";
import { type Beside, RunLog } from "./run-log.ts";
import { RunTable } from "./run-table.ts";
import type { Exceeded, Spending } from "./spending.ts";
import { lastOf, unheard } from "./steering.ts";
import type { Storage } from "./storage.ts";
import type { Threads } from "./threads.ts";
import type { Transaction } from "./transaction.ts";
import { saidUsage } from "./usage.ts";
import { textAt, waiting } from "./wait-event.ts";
import type { OpenWait, RecordedAnswer } from "./waits.ts";

/** What follows the end of a run. */
interface Succession {
  /** Begins what comes before those that wait. */
  readonly begin?: () => void;
  /** True if nobody wants an answer any more; absent: if it was cancelled. */
  readonly stopped?: boolean;
}

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly threads: Threads;
  readonly spending: Spending;
}

export class Runs {
  /** Whether there is room for another, and what it will be. */
  readonly planning: Planning;
  readonly #table: RunTable;
  readonly #events: RunLog;
  readonly #ends: RunEnd;
  readonly #log: Log;
  readonly #threads: Threads;
  readonly #ids: Ids;
  readonly #plans: Plans;
  readonly #spending: Spending;

  constructor({ storage, log, threads, spending }: Parts, ids: Ids, plans: Plans) {
    this.#table = new RunTable(storage);
    this.#events = new RunLog(log);
    this.#ends = new RunEnd({ table: this.#table, events: this.#events, log, threads, spending });
    this.planning = new Planning({ table: this.#table, log, ids, plans });
    this.#log = log;
    this.#threads = threads;
    this.#ids = ids;
    this.#plans = plans;
    this.#spending = spending;
  }

  get(run_id: string): Run | undefined {
    return this.#table.get(run_id);
  }

  /** In the order of their questions. */
  unfinished(): Run[] {
    return this.#table.all();
  }

  /** Records a planned run, after its question was appended. */
  accept(tx: Transaction, run: Run): void {
    this.#table.insert(run);
    if (run.state === "running") this.#begin(tx, run);
  }

  /** Takes an orphaned run over: the attempt is on disk before any agent code runs. */
  retry(tx: Transaction, run: Run): void {
    this.#table.change({ ...run, attempt: run.attempt + 1 });
    tx.started.push(run.run_id);
  }

  append(tx: Transaction, run: Run, draft: RunEventDraft, beside: Beside = {}): void {
    this.#events.append(tx, run, draft, beside);
  }

  /** The feeder of a run was heard of, though no event says so. */
  heard(run: Run, feed: Feed): void {
    this.#table.change({ ...run, feed });
  }

  /** From here on the run waits: it has a row, and nobody executes it. */
  suspend(tx: Transaction, run: Run, { drafts, waits, text, models, said = [] }: Suspension): void {
    const { shown, entries } = textAt(waits[0], text);
    const journal = journalText([...models, ...entries]);
    for (const [index, draft] of drafts.entries())
      this.#events.append(tx, run, draft, index === 0 ? { journal } : {});
    const open = waits.map((wait, index): OpenWait => {
      const wait_id = makeId("w", tx.nextSeq, this.#ids.random());
      const first = index === 0 && drafts.length === 0;
      this.#events.append(
        tx,
        run,
        waiting(run, wait, wait_id, index === 0 ? shown : ""),
        first ? { journal } : {},
      );
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
    this.#table.change({ ...run, state: "waiting", waits: open, ...counted });
    tx.suspended.push({ run_id: run.run_id, until: Math.min(...open.map(({ expires_at }) => expires_at)) });
    // Whoever waits does not keep others from working.
    this.#startWaiting(tx);
  }

  /** What it waited for has come, or will not; with the last of it the run goes on when it is its turn. */
  resume(tx: Transaction, run: Run, wait_id: string, answer: RecordedAnswer): void {
    this.#events.append(tx, run, (of) => ({ type: "run_resumed", payload: { ...of, wait_id, ...answer } }));
    const waits = (run.waits ?? []).filter((wait) => wait.wait_id !== wait_id);
    if (waits.length > 0) return this.#table.change({ ...run, waits });
    this.#table.change({ ...run, state: "queued", waits: undefined, attempts_before: run.attempt });
    this.#startWaiting(tx);
  }

  /**
   * The one terminal event of a run; open tool calls are completed first, waiting runs get their turn.
   * What was said to it and it has not heard is answered by a run of its own, unless the user stopped it.
   */
  finish(tx: Transaction, run: Run, ending: Ending, { begin, stopped }: Succession = {}): void {
    this.#ends.end(tx, run, ending);
    begin?.();
    if (!(stopped ?? ending.status === "cancelled")) this.#queueUnheard(tx, run);
    this.#startWaiting(tx);
  }

  /**
   * What was said to a run that cannot hear it any more gets a run of its own: the last
   * of it on each branch, which the rest precedes. It is queued like any other, and had its place all along.
   */
  #queueUnheard(tx: Transaction, run: Run): void {
    for (const { message_id } of lastOf(unheard(this.#log, run), this.#threads)) {
      this.#queueAnswer(tx, run, message_id);
    }
  }

  #queueAnswer(tx: Transaction, run: Run, question_id: string): void {
    const { thread_id, plan, agent_name: name, agent_version: version } = run;
    const own = this.planning.planned(tx, { thread_id, question_id, plan }, { name, version }, false);
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
    for (const { run_id } of lost) this.#table.delete(run_id);
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
    this.#events.committed(tx);
  }

  #begin(tx: Transaction, run: Run): void {
    this.#events.announce(tx, run);
    tx.started.push(run.run_id);
  }

  /** Those that have their turn now, in order of their questions. */
  #startWaiting(tx: Transaction): void {
    const next = () => this.unfinished().find((run) => run.state === "queued" && this.planning.mayStart(run));
    for (let run = next(); run !== undefined; run = next()) {
      const exceeded = this.#overBudget(tx, run);
      if (exceeded === undefined) this.#start(tx, run);
      else this.#ends.end(tx, run, overspent(exceeded.message));
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
    this.#table.change(begun);
    if (run.attempt === 0) this.#events.announce(tx, begun);
    tx.started.push(run.run_id);
  }

  /** Agents of ours look before each call of a model; one that is executed elsewhere can only be stopped before it begins. */
  #overBudget(tx: Transaction, run: Run): Exceeded | undefined {
    if (!run.feed?.remote || run.attempt > 0) return undefined;
    return this.#spending.exceeded(this.#plans[run.plan], tx.now);
  }
}
