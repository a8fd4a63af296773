/** Runs as the log tells of them: each begun once, told without a gap, and brought to one end. */
import type { Workshop } from "./agent.ts";
import { insist } from "./insist.ts";
import type { World } from "./world.ts";

const ATTEMPTS = 3;

export class Answers {
  /** Runs that were accepted, in the order of what asked for them. */
  readonly runs: string[] = [];
  /** Those that have ended, or whose thread was deleted. */
  readonly ended = new Set<string>();
  /** How many have a row. */
  unfinished = 0;
  readonly #next = new Map<string, number>();

  get working(): string[] {
    return this.runs.filter((run_id) => !this.ended.has(run_id));
  }

  /** An event asks for an answer, if it names a run. */
  ask({ run_id }: any): void {
    if (run_id === undefined) return;
    this.runs.push(run_id);
    this.#next.set(run_id, 0);
  }

  take(type: string, payload: any, workshop: Workshop): void {
    const { run_id, run_seq } = payload;
    insist(run_seq === this.#next.get(run_id), "run_seq has no gap", { type, payload });
    insist(!this.ended.has(run_id), "nothing comes after the end of a run", payload);
    insist((run_seq === 0) === (type === "agent_started"), "a run begins once", payload);
    this.#next.set(run_id, run_seq + 1);
    if (type === "agent_completed") this.ended.add(run_id);
    insist((payload.attempts ?? 1) <= ATTEMPTS, "a run is tried three times at most", payload);
    if (type === "tool_completed" && payload.status === "ok") workshop.completed.add(payload.result);
  }

  audit(world: World): void {
    const unfinished = new Set(world.rows("SELECT run_id FROM runs").map(({ run_id }) => String(run_id)));
    this.unfinished = unfinished.size;
    for (const run_id of this.runs) {
      const ended = this.ended.has(run_id);
      insist(ended || unfinished.has(run_id), "an accepted run is never lost", run_id);
      insist(!(ended && unfinished.has(run_id)), "a run that has ended has no row", run_id);
    }
    for (const run_id of unfinished) insist(this.#next.has(run_id), "no run without its question", run_id);
  }
}
