/**
 * How long to wait before the next attempt: full jitter, so that thousands of
 * clients of one restarted server do not come back in the same moment.
 */

const BASE_MS = 250;

/** Most outages are restarts and short network losses: while they are young, resuming must take less than 3 s. */
const YOUNG_CEILING_MS = 2_000;
const YOUNG_ATTEMPTS = 20;

const CEILING_MS = 30_000;

/** A connection that was whole for less than this does not count as a success: it may be a crash loop. */
export const STABLE_AFTER_MS = 5_000;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param at_least_ms what the server asked for (`retry_after_ms`) */
  next(at_least_ms = 0): number {
    const wait = Math.floor(this.#random() * ceiling(this.#failures));
    this.#failures += 1;
    return at_least_ms + wait;
  }

  reset(): void {
    this.#failures = 0;
  }
}

function ceiling(failures: number): number {
  if (failures < YOUNG_ATTEMPTS) return Math.min(YOUNG_CEILING_MS, BASE_MS * 2 ** failures);
  return Math.min(CEILING_MS, YOUNG_CEILING_MS * 2 ** (failures - YOUNG_ATTEMPTS + 1));
}
