/**
 * What keeps one connection, or one user, from taking more than their share:
 * token buckets. They live in memory only, because an object that was away was
 * idle for ten seconds at least, and by then every bucket is full again.
 */
import type { ClientFrame } from "../protocol/commands.ts";
import type { Plan } from "../protocol/greeting.ts";
import type { Plans } from "../protocol/limits.ts";
import { type Refusal, refuse } from "../protocol/result.ts";
import type { Connection } from "./connections.ts";
import type { Socket } from "./ports.ts";

/** Fractions of tokens do not add up exactly. */
const ROUNDING_MS = 1e-6;

/** What a bucket holds at most, and gets a second. It may change: a renewed token may be of another plan. */
interface Rate {
  readonly per_s: number;
  readonly burst: number;
}

export class TokenBucket {
  #tokens = Number.POSITIVE_INFINITY;
  #at: number;

  /** Full. */
  constructor(now: number) {
    this.#at = now;
  }

  /** Milliseconds until `cost` can be paid; 0 if it can be now. More than the bucket holds is had for all of it, on credit. */
  wait(cost: number, { per_s, burst }: Rate, now: number): number {
    // A clock that was set back must not take away what has been earned.
    const earned = (Math.max(0, now - this.#at) / 1_000) * per_s;
    this.#tokens = Math.min(burst, this.#tokens + earned);
    this.#at = now;
    const missing_ms = ((Math.min(cost, burst) - this.#tokens) / per_s) * 1_000;
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

/** Whose frame it is. */
export type Sender = Pick<Connection, "socket" | "who">;

export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly refusal: Refusal; readonly fatal: boolean };

export class Flood {
  readonly #plans: Plans;
  readonly #connections = new WeakMap<
    Socket,
    { readonly rate: TokenBucket; readonly patience: TokenBucket }
  >();
  #user: TokenBucket | undefined;

  constructor(plans: Plans) {
    this.#plans = plans;
  }

  /** Whether a frame that cost this much may be acted upon; a refused one has cost nobody but its sender. */
  admit({ socket, who }: Sender, cost: number, now: number): Verdict {
    const { rate, patience } = this.#of(socket, now);
    this.#user ??= new TokenBucket(now);
    const user = this.#user;
    const { own, all } = ratesOf(this.#plans, who.plan);
    const wait = Math.max(rate.wait(cost, own, now), user.wait(cost, all, now));
    if (wait === 0) {
      rate.pay(cost);
      user.pay(cost);
      return { ok: true };
    }
    const fatal = patience.wait(cost, { ...own, burst: PATIENCE * own.burst }, now) > 0;
    patience.pay(cost);
    return { ok: false, refusal: fatal ? MUCH_TOO_FAST : tooFast(wait), fatal };
  }

  #of(socket: Socket, now: number) {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const fresh = { rate: new TokenBucket(now), patience: new TokenBucket(now) };
    this.#connections.set(socket, fresh);
    return fresh;
  }
}

/** Of one connection, and of all connections of its user. */
function ratesOf(plans: Plans, plan: Plan): { readonly own: Rate; readonly all: Rate } {
  const limits = plans[plan];
  return {
    own: { per_s: limits.commands_per_s, burst: limits.commands_burst },
    all: { per_s: limits.user_commands_per_s, burst: limits.user_commands_burst },
  };
}

/** What a frame costs, in commands: an acknowledgement next to nothing, a snapshot or a signature to look at more than most. */
export function costOf(type: ClientFrame["type"] | undefined): number {
  switch (type) {
    case "ack":
    case "ping":
    case "pong":
      return 0.1;
    case "auth_refresh":
    case "resync":
      return 5;
    default:
      return 1;
  }
}

/** For who is sent away. */
export const MUCH_TOO_FAST = tooFast(COOL_DOWN_MS);

function tooFast(retry_after_ms: number): Refusal {
  return refuse("rate_limited", "too many commands; wait and send this one again", { retry_after_ms })
    .refusal;
}
