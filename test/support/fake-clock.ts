/** A clock that stands still until it is told how much time has passed. */

export class FakeClock {
  #now: number;
  readonly #timers = new Set<{ readonly at: number; readonly due: () => void }>();

  constructor(now = Date.parse("2026-01-01T00:00:00.000Z")) {
    this.#now = now;
  }

  readonly now = (): number => this.#now;

  readonly timer = (ms: number, due: () => void): (() => void) => {
    const timer = { at: this.#now + ms, due };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  readonly wait = (ms: number): Promise<void> => new Promise((resolve) => void this.timer(ms, resolve));

  /** Timers that are neither rung nor cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  /** When the next timer is due, milliseconds from now. */
  get next_ms(): number | undefined {
    const [first] = [...this.#timers].sort((a, b) => a.at - b.at);
    return first === undefined ? undefined : first.at - this.#now;
  }

  /** Rings what comes due, in its order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const [first] = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (first === undefined) break;
      this.#timers.delete(first);
      this.#now = Math.max(this.#now, first.at);
      first.due();
    }
    this.#now = until;
  }
}

/** Lets everything that can go on by itself go on, until `done`. */
export async function until(done: () => boolean): Promise<void> {
  for (let turns = 0; !done(); turns += 1) {
    if (turns > 1_000) throw new Error("it never came to that");
    await turn();
  }
}

/** Lets everything that is ready go first. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
