/**
 * What keeps one connection, or one user, from taking more than their share:
 * token buckets. They live in memory only, because an object that was away was
 * idle for ten seconds at least, and by then every bucket is full again.
 */
import type { ClientFrame } from "../protocol/commands.ts";
import type { Limits } from "../protocol/limits.ts";
import { type Refusal, refuse } from "../protocol/result.ts";
import type { Socket } from "./ports.ts";

/** Fractions of tokens do not add up exactly. */
const ROUNDING_MS = 1e-6;

/** Holds up to `burst` tokens and gets `per_s` a second. */
export class TokenBucket {
  readonly #per_s: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(per_s: number, burst: number, now: number) {
    this.#per_s = per_s;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Milliseconds until `cost` can be paid; 0 if it can be now. */
  wait(cost: number, now: number): number {
    // A clock that was set back must not take away what has been earned.
    const earned = (Math.max(0, now - this.#at) / 1_000) * this.#per_s;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#at = now;
    const missing_ms = ((cost - this.#tokens) / this.#per_s) * 1_000;
    return missing_ms <= ROUNDING_MS ? 0 : Math.ceil(missing_ms - ROUNDING_MS);
  }

  pay(cost: number): void {
    this.#tokens -= cost;
  }
}

/** A refusal is paid for too, from a purse this many times the burst: who empties it does not listen. */
const PATIENCE = 5;

/** Who did not listen is asked to stay away for this long. */
const COOL_DOWN_MS = 5_000;

export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly refusal: Refusal; readonly fatal: boolean };

export class Flood {
  readonly #limits: Limits;
  readonly #connections = new WeakMap<
    Socket,
    { readonly rate: TokenBucket; readonly patience: TokenBucket }
  >();
  #user: TokenBucket | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Whether a frame that cost this much may be acted upon; a refused one has cost nobody but its sender. */
  admit(socket: Socket, cost: number, now: number): Verdict {
    const { rate, patience } = this.#of(socket, now);
    const user = this.#ofUser(now);
    const wait = Math.max(rate.wait(cost, now), user.wait(cost, now));
    if (wait === 0) {
      rate.pay(cost);
      user.pay(cost);
      return { ok: true };
    }
    const fatal = patience.wait(cost, now) > 0;
    patience.pay(cost);
    return { ok: false, refusal: tooFast(fatal ? COOL_DOWN_MS : wait), fatal };
  }

  #of(socket: Socket, now: number) {
    const { commands_per_s, commands_burst } = this.#limits;
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const rate = new TokenBucket(commands_per_s, commands_burst, now);
    const patience = new TokenBucket(commands_per_s, PATIENCE * commands_burst, now);
    const fresh = { rate, patience };
    this.#connections.set(socket, fresh);
    return fresh;
  }

  #ofUser(now: number): TokenBucket {
    const { user_commands_per_s, user_commands_burst } = this.#limits;
    this.#user ??= new TokenBucket(user_commands_per_s, user_commands_burst, now);
    return this.#user;
  }
}

/** What a frame costs, in commands: an acknowledgement next to nothing, a snapshot more than most. */
export function costOf(type: ClientFrame["type"] | undefined): number {
  switch (type) {
    case "ack":
    case "ping":
    case "pong":
      return 0.1;
    case "resync":
      return 5;
    case "user_message":
    case "run_cancel":
    case undefined:
      return 1;
  }
}

function tooFast(retry_after_ms: number): Refusal {
  return refuse("rate_limited", "too many commands; wait and send this one again", { retry_after_ms })
    .refusal;
}
