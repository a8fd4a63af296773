/**
 * The only sender of events and stream frames. Live delivery is "append, then
 * pump everyone"; replay is the same pump from an older cursor, and a client
 * that acknowledges too little is simply pumped later.
 */
import { WINDOW_EVENTS } from "../protocol/limits.ts";
import { utf8Length } from "../protocol/primitives.ts";
import type { PartialResult, ToolProgress } from "../protocol/stream.ts";
import type { Frame } from "./codec.ts";
import { type Connection, type Connections, endsAt } from "./connections.ts";
import type { Log } from "./log.ts";
import { Passage, type Reader } from "./passage.ts";
import type { Clock } from "./ports.ts";
import type { SharedState } from "./shared-state.ts";
import { fill, isBehind, room } from "./window.ts";

/** Rows held in memory at a time while a connection catches up. */
const BATCH_EVENTS = WINDOW_EVENTS / 2;

/** Where a connection that has caught up finds what is streaming right now. */
export interface Streams {
  /** The text so far of every answer being written. */
  current(): readonly PartialResult[];
}

interface Parts {
  readonly log: Log;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly streams: Streams;
  readonly shared: SharedState;
  /** Ends a connection whose token is no longer good. */
  readonly expired: (connection: Connection) => void;
  /** Ends a connection that could not be pumped; the others go on. */
  readonly failed: (connection: Connection, cause: unknown) => void;
  /** A connection's window is full since `at`; it must not stay so for ever. */
  readonly stalled: (at: number) => void;
}

export class Pump {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  all(): void {
    const { connections, failed } = this.#parts;
    connections.each((connection) => this.pump(connection), failed);
  }

  /** Begins delivery to a connection that has just been told where it stands. */
  begin(connection: Connection): void {
    connection.replay_to = this.#parts.log.head;
    this.pump(connection);
  }

  /** Sends what is after the cursor, as far as the window allows, and moves the cursor. */
  pump(connection: Connection): void {
    const { log, connections, clock, shared, expired } = this.#parts;
    const wasBehind = isBehind(connection);
    const hasAll = connection.cursor >= log.head && connection.state_version === shared.version;
    if (hasAll && !wasBehind) return;
    const now = clock.now();
    if (now >= endsAt(connection)) return expired(connection);
    const from = connection.cursor;
    // What has expired once stays so, even if the clock is set back.
    this.#advance(connection, log.time(now));
    this.#note(connection, from, now);
    if (wasBehind && !isBehind(connection)) this.#catchUp(connection);
    if (!isBehind(connection)) this.#patch(connection);
    connections.save(connection);
  }

  /** A transient frame for everyone who has all that came before it. */
  stream(frame: PartialResult | ToolProgress): void {
    for (const connection of this.#parts.connections.all()) {
      if (!isBehind(connection)) this.send(connection, frame);
    }
  }

  /** Anything that is not an event, to one connection. */
  send(connection: Connection, frame: Frame): void {
    write(connection, connection.codec.frame(frame, connection.codec_state));
  }

  #advance(connection: Connection, now: number): void {
    const { log } = this.#parts;
    const passage = new Passage(connection.cursor, this.#readerAt(connection));
    while (passage.position < log.head) {
      // Before the log is asked: a full window must cost nothing, however much waits behind it.
      const count = Math.min(BATCH_EVENTS, room(connection, log, now));
      if (count === 0) break;
      const rows = log.after(passage.position, count);
      for (const row of rows) {
        if (room(connection, log, now) === 0) return passage.end();
        passage.pass(row, now);
      }
      if (rows.length < count) passage.skip(log.head, "trimmed");
    }
    passage.end();
  }

  #readerAt(connection: Connection): Reader {
    return {
      event: (row) => {
        write(connection, connection.codec.event(row, connection.codec_state));
        connection.cursor = row.seq;
        fill(connection, utf8Length(row.frame));
      },
      hole: (hole) => {
        this.send(connection, { type: "events_skipped", payload: hole });
        connection.cursor = hole.to;
      },
    };
  }

  /** What this turn has made of the connection: its replay may be complete, its window full or open again. */
  #note(connection: Connection, from: number, now: number): void {
    const { log, stalled } = this.#parts;
    const { cursor, codec, replay_to } = connection;
    if (!codec.acks) this.#acknowledge(connection);
    if (replay_to !== undefined && cursor >= replay_to) {
      connection.replay_to = undefined;
      this.send(connection, { type: "replay_completed", payload: { seq: cursor } });
    }
    if (cursor >= log.head) connection.stalled_at = undefined;
    else if (connection.stalled_at === undefined || cursor > from) {
      connection.stalled_at = now;
      stalled(now);
    }
  }

  /** A client that cannot acknowledge has what it was sent. */
  #acknowledge(connection: Connection): void {
    connection.ack = connection.cursor;
    this.#parts.log.acknowledge(connection.cursor);
  }

  /** Sets a connection that has just caught up to the text of every answer being written. */
  #catchUp(connection: Connection): void {
    for (const frame of this.#parts.streams.current()) this.send(connection, frame);
  }

  /** Brings the shared state a connection has to the newest version. */
  #patch(connection: Connection): void {
    const { shared } = this.#parts;
    for (const frame of shared.since(connection.state_version)) this.send(connection, frame);
    connection.state_version = shared.version;
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
