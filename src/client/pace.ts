/** No faster than the server allows: a burst, then a steady rate. One for everything this client sends. */

/** Of what the server allows: its clock is another one, and other tabs of the user send too. */
const SHARE = 0.8;

/** In commands, as the server counts them. */
export const ACK_COST = 0.1;
/** Of `resync` and of `auth_refresh`. */
export const RESYNC_COST = 5;

export interface Rate {
  /** Commands a second, and at once after a pause. */
  readonly per_s: number;
  readonly burst: number;
}

export class Pace {
  readonly #now: () => number;
  #per_ms = Infinity;
  #burst = Infinity;
  /** Below zero after what could not wait. */
  #left = Infinity;
  #at = 0;
  #held_until = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A new connection, with what its greeting says. */
  begin({ per_s, burst }: Rate): void {
    this.#per_ms = (per_s * SHARE) / 1_000;
    this.#burst = Math.max(1, burst * SHARE);
    this.#left = this.#burst;
    this.#at = this.#now();
    this.#held_until = 0;
  }

  /** 0 if a command may go now, and counts it; otherwise the milliseconds until one may. */
  take(cost = 1): number {
    const missing = Math.min(cost, this.#burst) - this.#earned();
    const wait = Math.max(this.#held_until - this.#at, missing > 0 ? Math.ceil(missing / this.#per_ms) : 0);
    if (wait > 0) return wait;
    this.#left -= cost;
    return 0;
  }

  /** Counts what cannot wait. */
  spend(cost: number): void {
    this.#left = this.#earned() - cost;
  }

  /** True while a command would have to wait. */
  get low(): boolean {
    return this.#earned() < 1 || this.#held_until > this.#at;
  }

  /** The server takes no command for so long. */
  hold(ms: number): void {
    this.#held_until = Math.max(this.#held_until, this.#now() + ms);
  }

  #earned(): number {
    const now = this.#now();
    if (now > this.#at) this.#left = Math.min(this.#burst, this.#left + (now - this.#at) * this.#per_ms);
    this.#at = now;
    return this.#left;
  }
}
