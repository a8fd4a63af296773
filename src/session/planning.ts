/** A run before there is one: whether there is room for it, and what it will be. Writes nothing. */
import type { Plan } from "../protocol/greeting.ts";
import type { Plans } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { makeId } from "./ids.ts";
import type { LogReader } from "./log-reader.ts";
import { type Crowd, mayStart, refuseFull, refuseJoining } from "./places.ts";
import type { Ids } from "./ports.ts";
import type { Feed, Run } from "./run.ts";
import type { RunTable } from "./run-table.ts";
import { unheard } from "./steering.ts";
import type { Transaction } from "./transaction.ts";

/** Where an answer is wanted, and to what. */
export interface Question {
  readonly thread_id: string;
  readonly question_id: string;
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
  readonly table: RunTable;
  readonly log: LogReader;
  readonly ids: Ids;
  readonly plans: Plans;
}

export class Planning {
  readonly #table: RunTable;
  readonly #log: LogReader;
  readonly #ids: Ids;
  readonly #plans: Plans;

  constructor({ table, log, ids, plans }: Parts) {
    this.#table = table;
    this.#log = log;
    this.#ids = ids;
    this.#plans = plans;
  }

  /**
   * A run for the question about to be appended, or why the thread takes no more. Writes nothing.
   * @param inPlace it has the place of one that has just ended
   */
  plan(tx: Transaction, asked: Asked, by: Executor, { inPlace = false } = {}): Result<Run> {
    const { thread_id, plan } = asked;
    const crowd = this.#crowd(thread_id, []);
    const refused = inPlace ? undefined : refuseFull(this.#plans[plan], thread_id, crowd);
    if (refused !== undefined) return refused;
    const startsNow = mayStart(this.#plans[plan], thread_id, crowd.unfinished);
    // Nobody could tell a feeder elsewhere that its turn has come.
    if (by.feed !== undefined && !by.feed.remote && !startsNow) return BUSY;
    return ok(this.planned(tx, asked, by, startsNow));
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
    const unfinished = this.#table.all().filter(({ run_id }) => !gone.some((run) => run.run_id === run_id));
    const joined = unfinished.filter((run) => run.thread_id === thread_id && run.state === "running");
    return { unfinished, unheard: joined.flatMap((run) => unheard(this.#log, run)).length };
  }

  /** Whoever calls it has seen that there is room. */
  planned(tx: Transaction, { thread_id, question_id, plan }: Asked, by: Executor, startsNow: boolean): Run {
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
    const others = this.#table.all().filter(({ run_id }) => run_id !== run.run_id);
    return mayStart(this.#plans[plan], run.thread_id, others);
  }

  /** True if it could begin now. */
  mayStart({ thread_id, plan }: Place): boolean {
    return mayStart(this.#plans[plan], thread_id, this.#table.all());
  }
}

/** A run that is executed elsewhere is at work already. */
export const BUSY = refuse(
  "conflict",
  "a feed cannot wait: the thread or the user has as many runs as may work",
  {
    field: "executor",
  },
);
