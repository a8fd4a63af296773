/**
 * Who is still there. A socket whose client is gone without a word looks open
 * for ever, so one that has been silent for a whole sweep is asked, and one that
 * does not answer is let go. Asking is an alarm, never a timer: it must not keep
 * the object awake.
 */
import { SILENT_AFTER_MS } from "../protocol/limits.ts";
import { type Refusal, refuse } from "../protocol/result.ts";
import type { Connection, Connections } from "./connections.ts";
import type { Duty } from "./deadlines.ts";
import type { Socket } from "./ports.ts";
import type { Pump } from "./pump.ts";

/** Remembering every frame would cost every frame; nobody is judged by seconds. */
const HEARD_PRECISION_MS = 5_000;

export interface HeartbeatSettings {
  /** A socket silent for this long is asked whether it is there; 0: none ever is. */
  readonly sweep_ms: number;
  /** One that says nothing for this long after it was asked is closed. */
  readonly timeout_ms: number;
}

interface Parts {
  readonly connections: Connections;
  readonly pump: Pump;
  readonly heartbeat: HeartbeatSettings;
  /** When the platform last answered a ping of each socket by itself, milliseconds since the epoch. */
  readonly answeredAt: () => ReadonlyMap<Socket, number>;
  readonly end: (connection: Connection, refusal: Refusal) => void;
  /** Ends a connection that could not be looked after. */
  readonly failed: (connection: Connection, cause: unknown) => void;
}

export class Heartbeat implements Duty {
  readonly name = "heartbeat";
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The client of this connection has said something. */
  heard(connection: Connection, now: number): void {
    const known = connection.pinged_at === undefined && now - connection.heard_at < HEARD_PRECISION_MS;
    if (known) return;
    connection.heard_at = now;
    connection.pinged_at = undefined;
    this.#parts.connections.save(connection);
  }

  next(now: number): number | undefined {
    const { connections, heartbeat } = this.#parts;
    const all = connections.all();
    if (all.length === 0 || heartbeat.sweep_ms === 0) return undefined;
    const answers = all.flatMap(({ pinged_at }) => (pinged_at === undefined ? [] : [pinged_at]));
    return Math.min(now + heartbeat.sweep_ms, ...answers.map((at) => at + heartbeat.timeout_ms));
  }

  perform(now: number): void {
    if (this.#parts.heartbeat.sweep_ms === 0) return;
    const { connections, failed, answeredAt } = this.#parts;
    const answered = answeredAt();
    connections.each((connection) => this.#look(connection, heardAt(connection, answered), now), failed);
  }

  /** Lets go of up to `count` sockets that have been silent for too long, the longest silent first. */
  makeRoom(count: number, now: number): void {
    const silent = this.#silences().filter(({ heard_at }) => now - heard_at >= SILENT_AFTER_MS);
    for (const { connection } of silent.slice(0, count)) this.#parts.end(connection, GONE);
  }

  #look(connection: Connection, heard_at: number, now: number): void {
    const { connections, pump, heartbeat, end } = this.#parts;
    const { pinged_at } = connection;
    if (pinged_at !== undefined && heard_at < pinged_at) {
      if (now >= pinged_at + heartbeat.timeout_ms) end(connection, GONE);
      return;
    }
    connection.pinged_at = now - heard_at >= heartbeat.sweep_ms ? now : undefined;
    connections.save(connection);
    if (connection.pinged_at !== undefined) pump.send(connection, { type: "ping", payload: {} });
  }

  /** Every connection and when it was last heard, the longest silent first. */
  #silences(): { connection: Connection; heard_at: number }[] {
    const answered = this.#parts.answeredAt();
    return this.#parts.connections
      .all()
      .map((connection) => ({ connection, heard_at: heardAt(connection, answered) }))
      .sort((one, other) => one.heard_at - other.heard_at);
  }
}

function heardAt({ heard_at, socket }: Connection, answered: ReadonlyMap<Socket, number>): number {
  return Math.max(heard_at, answered.get(socket) ?? 0);
}

const GONE = refuse("heartbeat_timeout", "nothing was heard from this client for too long").refusal;
