/**
 * The only sender of events and stream frames. Live delivery is "append, then
 * pump everyone"; replay is the same pump from an older cursor.
 */
import type { EventsSkipped } from "../protocol/events.ts";
import type { PartialResult } from "../protocol/stream.ts";
import type { Frame } from "./codec.ts";
import { type Connection, type Connections, endsAt } from "./connections.ts";
import type { Log, StoredEvent } from "./log.ts";
import type { Clock } from "./ports.ts";

/** Rows held in memory at a time while a connection catches up. */
const BATCH_EVENTS = 128;

type SkipReason = EventsSkipped["payload"]["reason"];

/** Where a connection that has caught up finds what is streaming right now. */
export interface Streams {
  /** The text so far of every answer being written. */
  current(): readonly PartialResult[];
}

export class Pump {
  readonly #log: Log;
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #streams: Streams;
  readonly #expired: (connection: Connection) => void;
  readonly #failed: (connection: Connection, cause: unknown) => void;

  /**
   * @param expired ends a connection whose token is no longer good
   * @param failed ends a connection that could not be pumped; the others go on
   */
  constructor(parts: {
    readonly log: Log;
    readonly connections: Connections;
    readonly clock: Clock;
    readonly streams: Streams;
    readonly expired: (connection: Connection) => void;
    readonly failed: (connection: Connection, cause: unknown) => void;
  }) {
    this.#log = parts.log;
    this.#connections = parts.connections;
    this.#clock = parts.clock;
    this.#streams = parts.streams;
    this.#expired = parts.expired;
    this.#failed = parts.failed;
  }

  all(): void {
    for (const connection of this.#connections.all()) {
      try {
        this.pump(connection);
      } catch (cause) {
        this.#failed(connection, cause);
      }
    }
  }

  /** Sends everything after the cursor and moves it. */
  pump(connection: Connection): void {
    if (connection.cursor >= this.#log.head) return;
    const now = this.#clock.now();
    if (now >= endsAt(connection)) return this.#expired(connection);
    while (connection.cursor < this.#log.head) {
      const rows = this.#log.after(connection.cursor, BATCH_EVENTS);
      for (const row of rows) this.#pass(connection, row, now);
      if (rows.length < BATCH_EVENTS) break;
    }
    this.#skipTo(connection, this.#log.head, "trimmed");
    if (!connection.codec.acks) this.#acknowledge(connection);
    this.#connections.save(connection);
  }

  /** Sets a connection that has just caught up to the text of every answer being written. */
  catchUp(connection: Connection): void {
    for (const frame of this.#streams.current()) this.send(connection, frame);
  }

  /** A transient frame for everyone: between two turns every connection has caught up. */
  stream(frame: PartialResult): void {
    for (const connection of this.#connections.all()) this.send(connection, frame);
  }

  /** Anything that is not an event, to one connection. */
  send(connection: Connection, frame: Frame): void {
    write(connection, connection.codec.frame(frame, connection.codec_state));
  }

  /** A client that cannot acknowledge has what it was sent. */
  #acknowledge(connection: Connection): void {
    connection.ack = connection.cursor;
    this.#log.acknowledge(connection.cursor);
  }

  #pass(connection: Connection, row: StoredEvent, now: number): void {
    this.#skipTo(connection, row.seq - 1, "erased");
    if (row.expires_at !== undefined && row.expires_at <= now) {
      return this.#skipTo(connection, row.seq, "expired");
    }
    write(connection, connection.codec.event(row, connection.codec_state));
    connection.cursor = row.seq;
  }

  /** A hole is never silent. */
  #skipTo(connection: Connection, to: number, reason: SkipReason): void {
    if (connection.cursor >= to) return;
    this.send(connection, { type: "events_skipped", payload: { from: connection.cursor + 1, to, reason } });
    connection.cursor = to;
  }
}

/** A socket that fails to take a frame is about to report its own close; its cursor goes with it. */
function write({ socket }: Connection, texts: readonly string[]): void {
  try {
    for (const text of texts) socket.send(text);
  } catch {
    // The close or error handler drops it.
  }
}
