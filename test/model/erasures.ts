/** What was deleted: gone wherever it was kept, while its numbers stay. */
import { insist } from "./insist.ts";
import type { Row } from "./rows.ts";
import type { World } from "./world.ts";

const MONTH_MS = 30 * 86_400_000;
const DAY_MS = 86_400_000;

export class Erasures {
  /** When what lay at this seq was written, milliseconds since the epoch. */
  readonly #seqs = new Map<number, number>();
  /** Threads that nothing may bring back. */
  readonly #threads = new Set<string>();
  /** Those of before the last month: they may have been forgotten. */
  readonly #forgotten = new Set<string>();
  /** The seq of the last deletion. */
  #latest = 0;

  has(seq: number): boolean {
    return this.#seqs.has(seq);
  }

  get threads(): string[] {
    return [...this.#threads];
  }

  /** Unknown if it was long ago. */
  wasDeleted(thread_id: string): boolean | undefined {
    return this.#forgotten.has(thread_id) ? undefined : this.#threads.has(thread_id);
  }

  add({ seq, at }: Row): void {
    this.#seqs.set(seq, at);
  }

  /** At `seq` everything there is of a thread was deleted. */
  delete(thread_id: string, seq: number): void {
    this.#latest = seq;
    if (thread_id !== "main") this.#threads.add(thread_id);
  }

  /** Something is said to be, or to happen, in this thread. */
  insistOnNone(thread_id: string): void {
    insist(!this.#threads.has(thread_id), "what was deleted does not come back", thread_id);
  }

  /** A month has passed: what remembers deleted threads may be gone. */
  age(): void {
    for (const thread_id of this.#threads) this.#forgotten.add(thread_id);
    this.#threads.clear();
  }

  /** On disk there is nothing of it any more but numbers. */
  audit(world: World): void {
    if (this.#latest === 0) return;
    const empty = world.rows("SELECT * FROM events WHERE type = 'erased'");
    for (const { seq, at: _at, acked: _acked, type: _type, frame, ...rest } of empty) {
      const known = Number(seq) < this.#latest && this.#seqs.has(Number(seq));
      insist(known, "nothing is erased that was not deleted", { seq, latest: this.#latest });
      const blank = frame === "" && Object.values(rest).every((value) => value === null);
      insist(blank, "what was deleted is gone from the log", { seq, frame, ...rest });
    }
    const seqs = [...this.#seqs.keys()].join(",");
    const [left] = world.rows(`SELECT seq, type FROM events WHERE type <> 'erased' AND seq IN (${seqs})`);
    insist(left === undefined, "what was deleted is gone from the log", left);
    const [asked] = world.rows(`SELECT id, seq FROM inbox WHERE request IS NOT NULL AND seq IN (${seqs})`);
    insist(asked === undefined, "what was deleted is gone from the memory of commands", asked);
    this.#auditThreads(world);
  }

  #auditThreads(world: World): void {
    for (const { thread_id, title, head, detail } of world.rows("SELECT * FROM threads")) {
      if (!this.#threads.has(String(thread_id))) continue;
      const blank = title === null && head === null && detail === null;
      insist(blank, "what was deleted is gone from the threads", thread_id);
    }
  }

  /** What is no longer there was old enough to go. */
  insistOnAge(rows: ReadonlyMap<number, Row>, now: number): void {
    for (const [seq, at] of this.#seqs) {
      if (rows.has(seq)) continue;
      insist(now - at >= MONTH_MS, "nothing is deleted before its time", { seq, at });
      this.#seqs.delete(seq);
    }
  }

  /** Retention has just been there: what is old enough is gone. */
  insistOnEnd(world: World, head: number): void {
    const before = world.now - MONTH_MS - DAY_MS;
    const [row] = world.rows(
      `SELECT seq FROM events WHERE type = 'erased' AND at < ${before} AND seq < ${head}`,
    );
    insist(row === undefined, "after a month nothing is left of what was deleted", row);
    const [tomb] = world.rows(`SELECT thread_id FROM threads WHERE title IS NULL AND updated_at < ${before}`);
    insist(tomb === undefined, "after a month nothing is left of what was deleted", tomb);
  }
}
