/**
 * How a connection begins and ends: limits, superseding, the greeting with what
 * was missed, and the last word before a close.
 */

import type { Plans } from "../protocol/limits.ts";
import { MAX_ID_CHARS } from "../protocol/primitives.ts";
import { closeOf, errorPayload } from "../protocol/refusal.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import type { StateSnapshot } from "../protocol/stream.ts";
import type { Codec } from "./codec.ts";
import { type Connection, type Connections, endsAt } from "./connections.ts";
import type { Deadlines } from "./deadlines.ts";
import { warnAt } from "./duties.ts";
import { greeting } from "./greeting.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Log } from "./log.ts";
import type { Clock, Ids, Socket } from "./ports.ts";
import type { Pump } from "./pump.ts";
import { decideResume, type LogFacts, type Resume, readPosition } from "./resume.ts";
import type { SharedState } from "./shared-state.ts";
import { refuseSignedOut } from "./sign-out.ts";
import type { Storage } from "./storage.ts";
import { refuseTicket, useTicket } from "./tickets.ts";
import type { Handshake } from "./upgrade-request.ts";

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly shared: SharedState;
  readonly connections: Connections;
  readonly pump: Pump;
  readonly deadlines: Deadlines;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly plans: Plans;
  readonly codecs: Readonly<Record<string, Codec>>;
  readonly snapshot: () => StateSnapshot;
}

export class Reception {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether a connection may be made: what only the object knows. Writes nothing. */
  admit({ principal, client_id, ticket }: Handshake): Result<void> {
    const { storage, connections, plans, clock, heartbeat } = this.#parts;
    const limit = plans[principal.plan].connections;
    const refused = refuseSignedOut(storage, principal) ?? (ticket && refuseTicket(storage, ticket));
    if (refused !== undefined) return refused;
    const others = () => connections.all().filter((connection) => connection.client_id !== client_id).length;
    // Ghosts, whose close was never told, must not keep anybody out.
    if (others() >= limit) heartbeat.makeRoom(others() - limit + 1, clock.now());
    if (others() < limit) return ok(undefined);
    return refuse("connection_limit", `a user may have ${limit} connections`, { limit });
  }

  /** Greets an accepted socket and sends what it missed: one synchronous turn, so nothing can come between. */
  connect(socket: Socket, shake: Handshake): void {
    const { storage, shared, connections, ids, codecs, deadlines, heartbeat, clock } = this.#parts;
    const codec = codecs[shake.codec];
    if (codec === undefined) throw new Error(`no codec named ${shake.codec}`);
    const now = clock.now();
    if (shake.ticket !== undefined) useTicket(storage, shake.ticket, now);
    const facts = this.#facts(now);
    const resume = decideResume(shake, facts);
    const client_id = usableId(shake.client_id) ?? ids.random();
    const older = connections.all().filter((connection) => connection.client_id === client_id);
    const latest = Math.max(0, ...older.map(({ n }) => n));
    // A missing `n` counts as the newest attempt.
    const n = readPosition(shake.n ?? "") ?? latest;
    const connection = connections.add({
      socket,
      connection_id: ids.random(),
      client_id,
      n,
      codec,
      codec_state: undefined,
      who: shake.principal,
      cursor: resume.cursor,
      ack: resume.outcome === "resumed" ? resume.cursor : 0,
      // Who is not resumed gets a snapshot, which has the newest.
      state_version: resume.outcome === "resumed" ? shared.known(shake.state_version) : shared.version,
      heard_at: now,
      warn_at: warnAt(shake.principal, now),
    });
    if (n < latest) return this.end(connection, SUPERSEDED);
    for (const replaced of older) this.end(replaced, SUPERSEDED);
    this.#welcome(connection, resume, facts);
    const ends = Math.min(endsAt(connection), connection.warn_at ?? Number.POSITIVE_INFINITY);
    deadlines.touch(Math.min(ends, heartbeat.next(now) ?? Number.POSITIVE_INFINITY));
  }

  /** As after a gap: a fresh snapshot, and on from there. */
  resync(connection: Connection): void {
    const { log, shared, pump, snapshot } = this.#parts;
    pump.send(connection, snapshot());
    connection.state_version = shared.version;
    connection.cursor = log.head;
    connection.base = log.head;
    connection.unacknowledged = undefined;
    pump.begin(connection);
  }

  /** The last word: an `error` frame precedes the close. */
  end(connection: Connection, refusal: Refusal, reply_to?: string): void {
    const { connections, pump } = this.#parts;
    const about = reply_to === undefined ? {} : { reply_to };
    const { code, reason } = closeOf(refusal);
    try {
      pump.send(connection, { type: "error", ...about, payload: errorPayload(refusal, true) });
    } finally {
      connections.drop(connection.socket, code, reason);
    }
  }

  #welcome(connection: Connection, resume: Resume, facts: LogFacts): void {
    const { pump, log, clock, plans, snapshot } = this.#parts;
    const limits = plans[connection.who.plan];
    if (resume.outcome === "resumed") log.acknowledge(resume.cursor);
    pump.send(connection, greeting(connection, resume, { log: facts, limits, now: clock.now() }));
    if (resume.outcome !== "resumed") pump.send(connection, snapshot());
    pump.begin(connection);
    if (resume.refusal === undefined) return;
    pump.send(connection, { type: "error", payload: errorPayload(resume.refusal) });
  }

  /** An accepted upgrade is the first thing ever written about a user. */
  #facts(now: number): LogFacts {
    const { storage, log } = this.#parts;
    const born = storage.born ?? storage.transact(() => storage.born);
    if (born === undefined) throw new Error("the user was not made");
    return {
      epoch: born.epoch,
      head: log.head,
      floor: () => log.floor(),
      bytesAfter: (seq) => log.weigh(seq, log.head, now).bytes,
    };
  }
}

const SUPERSEDED = refuse("superseded", "a newer connection of this client has taken over").refusal;

function usableId(client_id: string | undefined): string | undefined {
  if (client_id === undefined || client_id.length > MAX_ID_CHARS) return undefined;
  return client_id === "" ? undefined : client_id;
}
