/**
 * Feeds the runs of the remote agent: asks it, and hands each batch to the `feed`
 * command like any other feeder, one after the other, so that nothing is read from
 * it that has no place yet. What the agent asks is waited for like anything else,
 * and it is asked again with the answers. There is no way back into a stream: a run
 * that is at work and that this instance does not feed has lost its agent, and is
 * ended.
 */
import type { RemoteAgent } from "../agents/remote/remote-agent.ts";
import type { SoFar } from "../agents/remote/so-far.ts";
import type { Asking } from "../agents/remote/translation.ts";
import type { Fed } from "../protocol/feeding.ts";
import type { Result } from "../protocol/result.ts";
import type { Answers } from "./answers.ts";
import { CUT, interrupted } from "./failures.ts";
import { faultOf } from "./faults.ts";
import type { Feeds } from "./feeds.ts";
import type { Log } from "./log.ts";
import type { Logger } from "./ports.ts";
import type { Ending, Run } from "./run.ts";
import { remoteInput } from "./run-input.ts";
import type { Runs } from "./runs.ts";
import type { Storage } from "./storage.ts";
import type { Threads } from "./threads.ts";

interface Parts {
  readonly user_id: string;
  readonly storage: Storage;
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
  readonly feeds: Feeds;
  readonly answers: Answers;
  readonly remote?: RemoteAgent | undefined;
  readonly background: (work: Promise<void>) => void;
  readonly report: Logger;
  /** Puts a batch into the queue of commands; resolves once it is committed or refused. */
  readonly submit: (run_id: string, events: readonly Fed[]) => Promise<Result<unknown>>;
}

export class RemoteHost {
  readonly #parts: Parts;
  /** The runs that are being fed, and what stops each. */
  readonly #live = new Map<string, AbortController>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Feeds a run whose start was just committed, if it is one of the remote agent. */
  start(run_id: string): void {
    const run = this.#parts.runs.get(run_id);
    if (!run?.feed?.remote || this.#live.has(run_id)) return;
    const abort = new AbortController();
    this.#live.set(run_id, abort);
    this.#parts.background(this.#execute(run, abort.signal));
  }

  /** The run has ended: the agent is hung up on. */
  stop(run_id: string): void {
    const abort = this.#live.get(run_id);
    this.#live.delete(run_id);
    abort?.abort();
  }

  /** Ends every run that another instance was feeding. */
  takeOver(): void {
    const { runs, report } = this.#parts;
    for (const run of runs.unfinished()) {
      if (!run.feed?.remote || run.state !== "running" || this.#live.has(run.run_id)) continue;
      report("warn", "a remote run was orphaned", { run_id: run.run_id });
      this.#end(run, CUT);
    }
  }

  /** Never rejects. However it comes to its end, the run has one. */
  async #execute(run: Run, signal: AbortSignal): Promise<void> {
    const { storage, remote, report } = this.#parts;
    const { run_id, agent_name } = run;
    try {
      // On disk first: an agent that was asked, and of which nothing is known, would be asked again.
      await storage.sync();
      if (signal.aborted) return;
      if (remote?.name !== agent_name) return this.#end(run, AGENT_GONE);
      await this.#feed(run, remote, signal);
    } catch (cause) {
      report("error", "a remote run failed", { run_id, agent_name, ...faultOf(cause) });
    }
    if (!signal.aborted) this.#end(run, CUT);
  }

  /** Whoever is refused after the run has ended came too late, which is nobody's fault. */
  async #feed(run: Run, remote: RemoteAgent, signal: AbortSignal): Promise<void> {
    const { user_id, log, threads, submit, report } = this.#parts;
    const { run_id } = run;
    const input = remoteInput(run, { log, threads, user_id });
    if (input.so_far !== undefined) this.#recall(run, input.so_far);
    const told: { asking?: Asking | undefined } = {};
    const batches = async function* () {
      told.asking = yield* remote.run(input, signal);
    };
    for await (const events of batches()) {
      if (signal.aborted) return;
      const fed = await submit(run_id, events);
      if (signal.aborted) return;
      if (fed.ok) continue;
      return report("error", "a batch of a remote run was refused", { run_id, code: fed.refusal.code });
    }
    if (told.asking !== undefined && !signal.aborted) this.#parts.feeds.suspend(run, told.asking);
  }

  /** What had been written before it waited: everyone is set to it, and the rest joins it. */
  #recall(run: Run, { text }: SoFar): void {
    const answer = this.#parts.answers.begin(run);
    answer.recall(text);
    answer.tellRecalled();
  }

  #end(run: Run, ending: Ending): void {
    this.stop(run.run_id);
    this.#parts.feeds.end(run, ending);
  }
}

const AGENT_GONE = interrupted("agent_changed", "the agent is no longer available", false);
