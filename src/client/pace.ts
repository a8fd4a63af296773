/** No faster than the server allows: a burst, then a steady rate, with room left for acknowledgements and other tabs. */

/** Of what the server allows; it counts acknowledgements too, and its clock is another one. */
const SHARE = 0.8;

export interface Rate {
  /** Commands a second, and at once after a pause. */
  readonly per_s: number;
  readonly burst: number;
}

/** As from a server that names no rate. */
export const UNLIMITED: Rate = { per_s: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY };

export class Pace {
  readonly #per_ms: number;
  readonly #burst: number;
  #left: number;
  #at: number;

  constructor({ per_s, burst }: Rate, now: number) {
    this.#per_ms = (per_s * SHARE) / 1_000;
    this.#burst = Math.max(1, burst * SHARE);
    this.#left = this.#burst;
    this.#at = now;
  }

  /** 0 if a command may go now, and counts it; otherwise the milliseconds until one may. */
  take(now: number): number {
    if (now > this.#at) this.#left = Math.min(this.#burst, this.#left + (now - this.#at) * this.#per_ms);
    this.#at = now;
    if (this.#left < 1) return Math.ceil((1 - this.#left) / this.#per_ms);
    this.#left -= 1;
    return 0;
  }
}
