/**
 * Who executes what. A run is live if it is in this map; an unfinished row that
 * is not here is orphaned, and taken over at once. There are no leases.
 */
import type { Agent } from "../agents/agent.ts";
import type { Limits } from "../protocol/limits.ts";
import type { PartialResult } from "../protocol/stream.ts";
import { Answer } from "./answer.ts";
import { execute } from "./execution.ts";
import { Journal } from "./journal.ts";
import { type Log, readEvent } from "./log.ts";
import type { Clock, Logger } from "./ports.ts";
import { runInput } from "./run-input.ts";
import type { Ending, Run, RunEventDraft, Runs } from "./runs.ts";
import type { Storage } from "./storage.ts";
import type { Threads } from "./threads.ts";
import { commit, type Transaction } from "./transaction.ts";

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
  readonly clock: Clock;
  readonly agents: readonly Agent[];
  readonly limits: Limits;
  readonly background: (work: Promise<void>) => void;
  readonly report: Logger;
  /** Makes what was committed happen: see `Session`. */
  readonly settle: (tx: Transaction) => void;
  /** Sends a stream frame to everyone who has caught up. */
  readonly stream: (frame: PartialResult) => void;
}

/** One attempt; its identity is the right to append. */
interface Live {
  readonly run: Run;
  readonly answer: Answer;
  readonly abort: AbortController;
  cancelTimer: () => void;
}

export class Host {
  readonly #parts: Parts;
  readonly #live = new Map<string, Live>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The text so far of every answer being written. */
  current(): PartialResult[] {
    return [...this.#live.values()]
      .filter(({ answer }) => answer.text !== "")
      .map(({ answer }) => answer.whole());
  }

  textOf(run_id: string): string {
    return this.#live.get(run_id)?.answer.text ?? "";
  }

  /** Sends what is pending of a run's text. */
  flush(run_id: string): void {
    this.#live.get(run_id)?.answer.flush();
  }

  /** Executes a run whose start was just committed. */
  start(run_id: string): void {
    const { runs, clock, stream, background } = this.#parts;
    const run = runs.get(run_id);
    if (run === undefined || this.#live.has(run_id)) return;
    const live: Live = {
      run,
      answer: new Answer(run, clock, stream),
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
    live.answer.stop();
    live.abort.abort();
  }

  /** Continues every run that this instance did not start, or ends it if it was tried too often. */
  takeOver(): void {
    const { storage, log, clock, runs, settle } = this.#parts;
    const orphans = runs.unfinished().filter((run) => run.state === "running" && !this.#live.has(run.run_id));
    if (orphans.length === 0) return;
    const { tx } = commit(storage, log, clock.now(), (tx) => {
      for (const run of orphans) this.#adopt(tx, run);
    });
    settle(tx);
  }

  #adopt(tx: Transaction, run: Run): void {
    const { runs, limits, report } = this.#parts;
    const { run_id, attempt } = run;
    report("warn", "a run was orphaned", { run_id, attempt });
    if (attempt < limits.run_attempts) return runs.retry(tx, run);
    runs.finish(tx, run, {
      status: "interrupted",
      finish_reason: "interrupted",
      content: "",
      error: {
        code: "attempts_exhausted",
        message: `the run was interrupted ${attempt} times`,
        retryable: true,
      },
      open_tools: "outcome_unknown",
    });
  }

  async #attempt(live: Live): Promise<void> {
    const { storage, report } = this.#parts;
    const { run_id, attempt } = live.run;
    try {
      // The attempt must be on disk first: a run that kills the instance is otherwise never counted.
      await storage.sync();
      await this.#execute(live);
    } catch (cause) {
      report("error", "a run could not be executed", { run_id, attempt, cause: String(cause) });
      this.stop(run_id);
    }
  }

  async #execute(live: Live): Promise<void> {
    const { run, answer, abort } = live;
    const { log, threads, clock, limits, agents, report } = this.#parts;
    const agent = agents.find(({ name }) => name === run.agent_name);
    if (agent === undefined) return this.#finish(live, AGENT_GONE);
    live.cancelTimer = clock.timer(limits.run_ms, () => this.#finish(live, timedOut(answer.text)));
    const ending = await execute({
      run,
      agent,
      input: runInput(run, log, threads),
      journal: new Journal(log.ofRun(run.run_id, run.start_seq).map(readEvent)),
      answer,
      clock,
      limits,
      signal: abort.signal,
      append: (drafts) => this.#append(live, drafts),
      reportBug: (cause) => report("error", "an agent failed", bug(run, cause)),
    });
    this.#finish(live, ending);
  }

  #append(live: Live, drafts: readonly RunEventDraft[]): void {
    this.#commit(live, (tx) => {
      for (const draft of drafts) this.#parts.runs.append(tx, live.run, draft);
    });
  }

  #finish(live: Live, ending: Ending): void {
    this.#commit(live, (tx) => this.#parts.runs.finish(tx, live.run, ending));
  }

  /** The fence: an attempt that is no longer the live one writes nothing. Check and write share one turn. */
  #commit(live: Live, work: (tx: Transaction) => void): void {
    if (this.#live.get(live.run.run_id) !== live) return;
    const { storage, log, clock, settle } = this.#parts;
    settle(commit(storage, log, clock.now(), work).tx);
  }
}

const AGENT_GONE: Ending = {
  status: "interrupted",
  finish_reason: "interrupted",
  content: "",
  error: { code: "agent_changed", message: "the agent is no longer available", retryable: false },
  open_tools: "outcome_unknown",
};

function timedOut(content: string): Ending {
  return {
    status: "failed",
    finish_reason: "error",
    content,
    error: { code: "timeout", message: "the run took too long", retryable: true },
    open_tools: "timeout",
  };
}

/** An error's name and where it came from; its message could hold text of a chat. */
function bug({ run_id, agent_name }: Run, cause: unknown) {
  const kind = cause instanceof Error ? cause.name : typeof cause;
  const where =
    cause instanceof Error
      ? cause.stack
          ?.split("\n")
          .slice(1, 4)
          .map((line) => line.trim())
      : undefined;
  return { run_id, agent_name, kind, where };
}
