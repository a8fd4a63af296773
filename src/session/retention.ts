/**
 * How long things are kept. Messages and reports stay until their thread is
 * deleted; how an answer came about, notifications, and the memory of which
 * commands were done go after some weeks. Every deleted row is billed like a
 * written one, so it is done a day's worth at a time.
 */
import type { Duty } from "./deadlines.ts";
import type { Log } from "./log.ts";
import { optionalInteger } from "./rows.ts";
import type { Runs } from "./runs.ts";
import type { Storage } from "./storage.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

export class Retention implements Duty {
  readonly name = "retention";
  readonly #storage: Storage;
  readonly #log: Log;
  readonly #runs: Runs;
  readonly #keep_ms: number;
  /** When the oldest thing that may go was written; undefined until it is asked for. */
  #oldest: number | undefined;

  /** @param days how long what may go is kept */
  constructor(storage: Storage, log: Log, runs: Runs, days: number) {
    this.#storage = storage;
    this.#log = log;
    this.#runs = runs;
    this.#keep_ms = days * DAY_MS;
  }

  next(): number | undefined {
    this.#oldest ??= this.#findOldest();
    return this.#oldest === undefined ? undefined : this.dueAt(this.#oldest);
  }

  /** When something written at `at` has to be thought of. */
  dueAt(at: number): number {
    return at + this.#keep_ms + DAY_MS;
  }

  perform(now: number): void {
    if ((this.next() ?? Number.POSITIVE_INFINITY) > now) return;
    const before = now - this.#keep_ms;
    // What an unfinished run has done is its journal.
    const unfinished = this.#runs.unfinished().map(({ start_seq }) => start_seq);
    this.#storage.transact(() => {
      this.#log.trim(before, Math.min(...unfinished, this.#log.head));
      this.#storage.write("DELETE FROM inbox WHERE at < ?", before);
    });
    this.#oldest = undefined;
  }

  #findOldest(): number | undefined {
    const [row] = this.#storage.read("SELECT MIN(at) AS at FROM inbox");
    const command = row === undefined ? undefined : optionalInteger(row, "at");
    const event = this.#log.oldestTrimmable();
    return command === undefined || event === undefined ? (command ?? event) : Math.min(command, event);
  }
}
