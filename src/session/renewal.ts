/**
 * `auth_refresh`: another token for a connection that is live. Looking at a token
 * takes a while, and meanwhile the connection may end: then it has ended. What its
 * client sends after the new token waits, so that it is judged by the new one.
 */
import { may, type Principal } from "../auth/principal.ts";
import type { AuthRefreshCommand } from "../protocol/commands.ts";
import { errorPayload } from "../protocol/refusal.ts";
import { type Refusal, type Result, refuse } from "../protocol/result.ts";
import { type Connection, type Connections, endsAt } from "./connections.ts";
import type { Deadlines } from "./deadlines.ts";
import { TOKEN_EXPIRED, warnAt } from "./duties.ts";
import type { Clock } from "./ports.ts";
import type { Pump } from "./pump.ts";
import type { Reception } from "./reception.ts";
import { refuseSignedOut } from "./sign-out.ts";
import type { Storage } from "./storage.ts";

interface Parts {
  readonly storage: Storage;
  readonly connections: Connections;
  readonly deadlines: Deadlines;
  readonly reception: Reception;
  readonly pump: Pump;
  readonly clock: Clock;
  readonly verify: (token: string) => Promise<Result<Principal>>;
}

/** A token that is being looked at, and what waits for that. */
export interface Pending {
  readonly decided: Promise<void>;
  frames: number;
  bytes: number;
}

export class Renewal {
  readonly #parts: Parts;
  /** In memory only: if the object is gone, so is the answer, and the client sends its token again. */
  readonly #pending = new WeakMap<Connection, Pending>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Of the token the connection has sent before; undefined if there is none to be decided upon. */
  pending(connection: Connection): Pending | undefined {
    return this.#pending.get(connection);
  }

  async renew(connection: Connection, command: AuthRefreshCommand): Promise<void> {
    const renewed = this.#renew(connection, command);
    // Who waits is told by its own frame's fate, not by this one's.
    this.#pending.set(connection, { decided: renewed.catch(() => {}), frames: 0, bytes: 0 });
    try {
      await renewed;
    } finally {
      this.#pending.delete(connection);
    }
  }

  async #renew(connection: Connection, { id, payload }: AuthRefreshCommand): Promise<void> {
    const { connections, reception, clock, verify, pump } = this.#parts;
    const verified = await verify(payload.token);
    if (connections.of(connection.socket) !== connection) return;
    if (clock.now() >= endsAt(connection)) return reception.end(connection, TOKEN_EXPIRED, id);
    if (verified.ok && verified.value.user_id !== connection.who.user_id) {
      return reception.end(connection, USER_MISMATCH, id);
    }
    const refusal = verified.ok ? this.#refuse(verified.value) : verified.refusal;
    if (refusal !== undefined)
      return pump.send(connection, { type: "error", reply_to: id, payload: errorPayload(refusal) });
    if (verified.ok) this.#accept(connection, verified.value, id);
  }

  /** The old token is still good until it ends: nothing is lost by a bad new one. */
  #refuse(who: Principal): Refusal | undefined {
    if (!may(who, "chat")) return refuse("forbidden", "the token lacks the permission chat").refusal;
    return refuseSignedOut(this.#parts.storage, who)?.refusal;
  }

  #accept(connection: Connection, who: Principal, reply_to: string): void {
    const { connections, deadlines, pump, clock } = this.#parts;
    const now = clock.now();
    connection.warn_at = warnAgainAt(connection, who, now);
    connection.who = who;
    connections.save(connection);
    deadlines.touch(Math.min(endsAt(connection), connection.warn_at ?? Number.POSITIVE_INFINITY));
    const token_expires_in_ms = Math.max(0, who.exp * 1_000 - now);
    pump.send(connection, {
      type: "command_ack",
      reply_to,
      payload: { duplicate: false, token_expires_in_ms },
    });
  }
}

/** Only a later end is news: a client that answers each warning with the token it has must not be warned for ever. */
function warnAgainAt({ who, warn_at }: Connection, renewed: Principal, now: number): number | undefined {
  const at = warnAt(renewed, now);
  if (renewed.exp > who.exp) return at;
  return warn_at === undefined ? undefined : Math.min(warn_at, at);
}

const USER_MISMATCH = refuse("user_mismatch", "the token is another user's").refusal;
