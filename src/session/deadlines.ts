/**
 * The one alarm of the object. Whoever needs to be woken says when; the alarm
 * only ever moves earlier, because every move is a billed row. One that finds
 * nothing due sets itself again.
 */
import { faultOf } from "./faults.ts";
import type { Clock, Logger, PlatformStorage } from "./ports.ts";

/** Between two alarms: each is billed, and an alarm in the past rings at once. */
const PAUSE_MS = 1_000;

export interface Duty {
  readonly name: string;
  /** When it next wants to be called, milliseconds since the epoch; undefined while it has nothing to wait for. */
  next(now: number): number | undefined;
  /** Does what is due, which may be nothing: alarms can be late, early and repeated. */
  perform(now: number): void;
}

export class Deadlines {
  readonly #storage: PlatformStorage;
  readonly #clock: Clock;
  readonly #report: Logger;
  readonly #duties: readonly Duty[];
  #alarm: number | undefined;

  constructor(storage: PlatformStorage, clock: Clock, report: Logger, duties: readonly Duty[]) {
    this.#storage = storage;
    this.#clock = clock;
    this.#report = report;
    this.#duties = duties;
  }

  /** Once on wake: what the platform has set already. */
  recall(alarm: number | null): void {
    this.#alarm = alarm ?? undefined;
  }

  /** Makes sure the object is awake at `at`. Commits with the rows written in the same turn. */
  touch(at: number): void {
    if (this.#alarm !== undefined && this.#alarm <= at) return;
    this.#alarm = at;
    this.#set(at);
  }

  /** The alarm rang: the platform has none set any more. */
  fire(): void {
    this.#alarm = undefined;
    const now = this.#clock.now();
    for (const duty of this.#duties) this.#guard(duty, () => duty.perform(now));
    const next = this.#duties
      .map((duty) => this.#guard(duty, () => duty.next(now)))
      .filter((at) => at !== undefined);
    // What is still due has failed just now; to try it at once, again and again, would help nobody.
    if (next.length > 0) this.touch(Math.max(Math.min(...next), now + PAUSE_MS));
  }

  /** A duty that throws must not cost the others their turn, nor the alarm its next time. */
  #guard<T>(duty: Duty, work: () => T): T | undefined {
    try {
      return work();
    } catch (cause) {
      this.#report("error", "a duty failed", { duty: duty.name, ...faultOf(cause) });
      return undefined;
    }
  }

  /** A failed write resets the object, and the wake that follows recalls the alarm: nothing to do but say so. */
  #set(at: number): void {
    this.#storage.setAlarm(at).catch((cause: unknown) => {
      this.#report("error", "the alarm could not be set", { ...faultOf(cause) });
    });
  }
}
