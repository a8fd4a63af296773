/** Where there is room for a run: how many may work at once, and how many may be unfinished. */
import { type Limits, MAX_UNFINISHED_RUNS } from "../protocol/limits.ts";
import { refuse } from "../protocol/result.ts";
import type { Run } from "./run.ts";

/** What is unfinished, as whoever asks finds it. */
export interface Crowd {
  readonly unfinished: readonly Run[];
  /** Messages that joined a run of the thread which has not heard them: each may come to need a run of its own. */
  readonly unheard: number;
}

/** True if a run in this thread may begin at once. */
export function mayStart(limits: Limits, thread_id: string, unfinished: readonly Run[]): boolean {
  const { runs_per_user, runs_per_thread } = limits;
  const running = unfinished.filter((run) => run.state === "running");
  const inThread = running.filter((run) => run.thread_id === thread_id);
  return running.length < runs_per_user && inThread.length < runs_per_thread;
}

/**
 * Why a thread takes no further run. One that waits keeps nobody from working, but
 * every connection that comes is shown it, for as long as it waits: so it has one
 * of the places of those that are queued.
 */
export function refuseFull(limits: Limits, thread_id: string, crowd: Crowd) {
  // Who is alone begins at once, even where nobody may wait.
  const needsNone = taken(thread_id, crowd) === 0 && mayStart(limits, thread_id, crowd.unfinished);
  return needsNone ? refuseMore(crowd) : refuseJoining(limits, thread_id, crowd);
}

/** The same for a message that joins a run: until it is heard it has a place, in case it never is. */
export function refuseJoining(limits: Limits, thread_id: string, crowd: Crowd) {
  const limit = limits.queued_runs_per_thread;
  if (taken(thread_id, crowd) < limit) return refuseMore(crowd);
  return full(limit, `${limit} runs are queued or waiting in this thread (queued_runs_per_thread)`);
}

function refuseMore({ unfinished, unheard }: Crowd) {
  if (unfinished.length + unheard < MAX_UNFINISHED_RUNS) return undefined;
  return full(MAX_UNFINISHED_RUNS, `${MAX_UNFINISHED_RUNS} runs of this user have not ended`);
}

function taken(thread_id: string, { unfinished, unheard }: Crowd): number {
  const idle = unfinished.filter((run) => run.thread_id === thread_id && run.state !== "running");
  return idle.length + unheard;
}

function full(limit: number, message: string) {
  return refuse("run_queue_full", message, { limit, retry_after_ms: 1_000 });
}
