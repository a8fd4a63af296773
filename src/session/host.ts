/**
 * Who executes what. A run is live if it is in this map; an unfinished row that
 * is not here is orphaned, and taken over at once. There are no leases.
 */
import type { Agent } from "../agents/agent.ts";
import type { ToolOutcome } from "../agents/tool.ts";
import type { Plans } from "../protocol/limits.ts";
import type { Patch } from "../protocol/pure/json-patch.ts";
import type { Answer } from "./answer.ts";
import type { Answers } from "./answers.ts";
import { execute } from "./execution.ts";
import { AppendFailed, interrupted, timedOut } from "./failures.ts";
import { faultOf } from "./faults.ts";
import { Journal } from "./journal.ts";
import type { Log } from "./log.ts";
import type { Clock, Logger } from "./ports.ts";
import type { Ending, Run, RunEventDraft, StateRecord, Suspension } from "./run.ts";
import { runInput } from "./run-input.ts";
import type { Runs } from "./runs.ts";
import { consult, type SharedState } from "./shared-state.ts";
import type { Exceeded, Spending } from "./spending.ts";
import { unheard } from "./steering.ts";
import type { Storage } from "./storage.ts";
import type { Threads } from "./threads.ts";
import { CANCELLED } from "./tools.ts";
import { commit, EventTooLarge, type Transaction } from "./transaction.ts";

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
  readonly spending: Spending;
  readonly answers: Answers;
  readonly shared: SharedState;
  readonly clock: Clock;
  readonly random: () => number;
  /** Tells everyone who has caught up how far a tool is. */
  readonly progress: (progress: Progress) => void;
  readonly agents: readonly Agent[];
  readonly plans: Plans;
  readonly background: (work: Promise<void>) => void;
  readonly report: Logger;
  /** Makes what was committed happen; never throws. */
  readonly settle: (tx: Transaction) => void;
}

/** One attempt; its identity is the right to append. */
interface Live {
  readonly run: Run;
  readonly answer: Answer;
  readonly abort: AbortController;
  cancelTimer: () => void;
}

/** How far a tool is, as it says. */
export interface Progress {
  readonly run_id: string;
  readonly tool_call_id: string;
  readonly note: string;
}

export class Host {
  readonly #parts: Parts;
  readonly #live = new Map<string, Live>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Executes a run whose start was just committed, unless it is fed. */
  start(run_id: string): void {
    const { runs, answers, background } = this.#parts;
    const run = runs.get(run_id);
    if (run === undefined || run.feed !== undefined || this.#live.has(run_id)) return;
    const live: Live = {
      run,
      answer: answers.begin(run),
      abort: new AbortController(),
      cancelTimer: () => {},
    };
    this.#live.set(run_id, live);
    background(this.#attempt(live));
  }

  /** Stops whatever still executes a run that has ended. */
  stop(run_id: string): void {
    const live = this.#live.get(run_id);
    if (live === undefined) return;
    this.#live.delete(run_id);
    live.cancelTimer();
    this.#parts.answers.end(run_id);
    live.abort.abort();
  }

  /** Continues every run that this instance does not execute, or ends it if it was tried too often. */
  takeOver(): void {
    for (const run of this.#parts.runs.unfinished()) {
      if (run.state === "running" && run.feed === undefined && !this.#live.has(run.run_id))
        this.#takeOver(run);
    }
  }

  /** One by one: a run that cannot be taken over must not cost the others theirs. The alarm tries again. */
  #takeOver(run: Run): void {
    const { storage, log, clock, runs, plans, settle, report } = this.#parts;
    const { run_id, attempt, attempts_before = 0 } = run;
    report("warn", "a run was orphaned", { run_id, attempt });
    try {
      const { tx } = commit(storage, log, clock.now(), (tx) => {
        if (attempt - attempts_before < plans[run.plan].run_attempts) runs.retry(tx, run);
        else
          runs.finish(
            tx,
            run,
            interrupted("attempts_exhausted", `interrupted ${attempt - attempts_before} times`, true),
          );
      });
      settle(tx);
    } catch (cause) {
      report("error", "a run could not be taken over", { run_id, attempt, ...faultOf(cause) });
    }
  }

  /** Never rejects. A fault of the storage leaves the run unfinished, for the next attempt. */
  async #attempt(live: Live): Promise<void> {
    const { storage, clock, report } = this.#parts;
    const { run_id, attempt } = live.run;
    try {
      // The attempt must be on disk first: a run that kills the instance is otherwise never counted.
      await storage.sync();
      if (this.#owns(live)) await this.#execute(live);
    } catch (cause) {
      report("error", "a run could not be executed", { run_id, attempt, ...faultOf(cause) });
      this.stop(run_id);
      await clock.wait(0);
      this.#tryTakeOver();
    }
  }

  /** Where even that fails, the alarm is the next to try. */
  #tryTakeOver(): void {
    try {
      this.takeOver();
    } catch (cause) {
      this.#parts.report("error", "runs could not be taken over", { ...faultOf(cause) });
    }
  }

  async #execute(live: Live): Promise<void> {
    const { run, answer, abort } = live;
    const { log, threads, spending, clock, random, plans, agents, report, progress } = this.#parts;
    const { run_id, agent_name } = run;
    const limits = plans[run.plan];
    const agent = agents.find(({ name }) => name === run.agent_name);
    if (agent === undefined) {
      return this.#finish(live, interrupted("agent_changed", "the agent is no longer available", false));
    }
    live.cancelTimer = clock.timer(limits.run_ms, () => this.#timeOut(live));
    const ending = await execute({
      run,
      agent,
      input: runInput(run, log, threads, limits.run_steps),
      journal: Journal.of(log, run),
      answer,
      clock,
      random,
      limits,
      signal: abort.signal,
      append: (drafts, journal) => this.#append(live, drafts, journal),
      suspend: (suspension) => this.#suspend(live, suspension),
      heard: () => unheard(log, run),
      exceeded: () => this.#exceeded(live),
      priced: spending.priced,
      progress: ({ tool_call_id }, note) => progress({ run_id, tool_call_id, note }),
      consult: (patch, record) => this.#consult(live, patch, record),
      reportBug: (cause) => report("error", "an agent failed", { run_id, agent_name, ...faultOf(cause) }),
      reportFailure: ({ code, status, provider_code, cause }) =>
        report("warn", "a model failed", {
          run_id,
          agent_name,
          code,
          status,
          provider_code,
          ...(cause !== undefined && faultOf(cause)),
        }),
    });
    if (ending !== undefined) this.#finish(live, ending);
  }

  /** By what was spent today, and by all that are at work, this one among them. */
  #exceeded({ run }: Live): Exceeded | undefined {
    const { log, runs, answers, spending, clock, plans } = this.#parts;
    const besides = () => runs.spentMeanwhile((run_id) => answers.soFar(run_id));
    return spending.exceeded(plans[run.plan], log.time(clock.now()), besides);
  }

  /** In a timer nobody catches: if the storage fails now, the run stays and the alarm takes it over. */
  #timeOut(live: Live): void {
    const { run_id } = live.run;
    try {
      this.#finish(live, timedOut(live.answer.soFar));
    } catch (cause) {
      this.#parts.report("error", "a run could not be ended", { run_id, ...faultOf(cause) });
      this.stop(run_id);
    }
  }

  #append(live: Live, drafts: readonly RunEventDraft[], journal: string | undefined): void {
    this.#record(live, (tx) => {
      for (const [index, draft] of drafts.entries()) {
        this.#parts.runs.append(tx, live.run, draft, index === 0 ? { journal } : {});
      }
    });
  }

  #suspend(live: Live, suspension: Suspension): void {
    this.#record(live, (tx) => this.#parts.runs.suspend(tx, live.run, suspension));
  }

  #consult(live: Live, patch: Patch | undefined, { journal, asked, answered }: StateRecord): ToolOutcome {
    const { runs, shared } = this.#parts;
    const outcome = this.#record(live, (tx) => {
      runs.append(tx, live.run, asked, { journal });
      const outcome = consult(shared, tx, patch);
      runs.append(tx, live.run, answered(outcome));
      return outcome;
    });
    return outcome ?? CANCELLED;
  }

  #record<T>(live: Live, work: (tx: Transaction) => T): T | undefined {
    try {
      return this.#commit(live, work);
    } catch (cause) {
      if (cause instanceof EventTooLarge) throw cause;
      throw new AppendFailed("an event could not be appended", { cause });
    }
  }

  #finish(live: Live, ending: Ending): void {
    this.#commit(live, (tx) => this.#parts.runs.finish(tx, live.run, ending));
  }

  /** The fence: an attempt that is no longer the live one writes nothing. Check and write share one turn. */
  #commit<T>(live: Live, work: (tx: Transaction) => T): T | undefined {
    if (!this.#owns(live)) return undefined;
    const { storage, log, clock, settle } = this.#parts;
    const { tx, value } = commit(storage, log, clock.now(), work);
    settle(tx);
    return value;
  }

  #owns(live: Live): boolean {
    return this.#live.get(live.run.run_id) === live;
  }
}
