/**
 * How long things are kept. Messages and reports stay until their thread is
 * deleted; how an answer came about, notifications, and the memory of which
 * commands were done go after some weeks, what models cost after a year. What an
 * unfinished run has done stays until it has ended, however long it waits, and
 * keeps nothing else. Every deleted row is billed like a written one, so it is
 * done a day's worth at a time.
 */
import * as z from "zod/mini";
import type { Duty } from "./deadlines.ts";
import type { Log } from "./log.ts";
import { optionalInteger, text } from "./rows.ts";
import type { SharedState } from "./shared-state.ts";
import type { Spending } from "./spending.ts";
import type { Storage } from "./storage.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** What the last trim left, so that an instance that wakes need not look through the log for it. */
const plan = z.object({
  /** When the oldest thing that may go was written; null if there was none. */
  oldest: z.nullable(z.number()),
  /** When that was, and the newest event then: what came after it is newer. */
  at: z.number(),
  head: z.number(),
  /** The same of the shared state, whose commands are remembered though they are in no event. */
  version: z._default(z.number(), 0),
  /** When the oldest day of usage may go, which is kept longer; null if there is none. */
  usage: z._default(z.nullable(z.number()), null),
});

type Plan = Readonly<z.infer<typeof plan>>;

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly shared: SharedState;
  readonly spending: Spending;
}

export class Retention implements Duty {
  readonly name = "retention";
  readonly #storage: Storage;
  readonly #log: Log;
  readonly #shared: SharedState;
  readonly #spending: Spending;
  readonly #keep_ms: number;
  #plan: Plan | undefined;

  /** @param days how long what may go is kept */
  constructor({ storage, log, shared, spending }: Parts, days: number) {
    this.#storage = storage;
    this.#log = log;
    this.#shared = shared;
    this.#spending = spending;
    this.#keep_ms = days * DAY_MS;
    this.#plan = this.#recall();
  }

  /** From the plan, and without one from the first event or patch: nothing is older than that. */
  next(): number | undefined {
    if (this.#plan === undefined) {
      const begun = earlier(this.#log.begun(), this.#shared.begun());
      return begun === undefined ? undefined : this.dueAt(begun);
    }
    const { oldest, at, head, version, usage } = this.#plan;
    // What could not go then is not tried again before tomorrow.
    const due = usage === null ? undefined : Math.max(usage, at + DAY_MS);
    if (oldest !== null) return earlier(due, Math.max(this.dueAt(oldest), at + DAY_MS));
    const unchanged = head === this.#log.head && version === this.#shared.version;
    return unchanged ? due : earlier(due, this.dueAt(at));
  }

  /** When something written at `at` has to be thought of. */
  dueAt(at: number): number {
    return at + this.#keep_ms + DAY_MS;
  }

  perform(now: number): void {
    if ((this.next() ?? Number.POSITIVE_INFINITY) > now) return;
    const before = now - this.#keep_ms;
    this.#plan = this.#storage.transact(() => {
      this.#log.trim(before);
      this.#storage.write("DELETE FROM inbox WHERE at < ?", before);
      this.#storage.write("DELETE FROM threads WHERE title IS NULL AND updated_at < ?", before);
      this.#spending.trim(now);
      return this.#makePlan(now);
    });
  }

  #makePlan(now: number): Plan {
    const oldest = this.#findOldest() ?? null;
    const usage = this.#spending.goesAt() ?? null;
    const made = { oldest, at: now, head: this.#log.head, version: this.#shared.version, usage };
    this.#storage.write(
      "INSERT OR REPLACE INTO meta (key, value) VALUES ('retention', ?)",
      JSON.stringify(made),
    );
    return made;
  }

  #recall(): Plan | undefined {
    const [row] = this.#storage.read("SELECT value FROM meta WHERE key = 'retention'");
    return row === undefined ? undefined : plan.parse(JSON.parse(text(row, "value")));
  }

  #findOldest(): number | undefined {
    const [row] = this.#storage.read("SELECT MIN(at) AS at FROM inbox");
    const command = row === undefined ? undefined : optionalInteger(row, "at");
    return earlier(command, this.#log.oldestTrimmable());
  }
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}
