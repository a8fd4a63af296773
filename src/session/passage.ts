/** One walk of a connection along the log: events as they are, and a word for every hole. */
import type { EventsSkipped } from "../protocol/events.ts";
import { utf8Length } from "../protocol/primitives.ts";
import type { Connection } from "./connections.ts";
import type { StoredEvent } from "./log.ts";
import { fill } from "./window.ts";

type Skip = EventsSkipped["payload"];

export class Passage {
  readonly #connection: Connection;
  readonly #write: (texts: readonly string[]) => void;
  /** A hole not yet announced: it may go on. */
  #hole: Skip | undefined;

  constructor(connection: Connection, write: (texts: readonly string[]) => void) {
    this.#connection = connection;
    this.#write = write;
  }

  /** The seq up to which everything has been dealt with. */
  get position(): number {
    return this.#hole?.to ?? this.#connection.cursor;
  }

  /** Deals with the next row that is there: what lies before it has been deleted. */
  pass(row: StoredEvent, now: number): void {
    this.skip(row.seq - 1, "trimmed");
    if (row.expires_at !== undefined && row.expires_at <= now) return this.skip(row.seq, "expired");
    this.end();
    const { codec, codec_state } = this.#connection;
    this.#write(codec.event(row, codec_state));
    this.#connection.cursor = row.seq;
    fill(this.#connection, utf8Length(row.frame));
  }

  /** Nothing up to `to` will ever be sent. */
  skip(to: number, reason: Skip["reason"]): void {
    const from = this.position + 1;
    if (from > to) return;
    if (this.#hole?.reason !== reason) this.end();
    this.#hole = { from: this.#hole?.from ?? from, to, reason };
  }

  /** Announces what is still unsaid. A hole is never silent. */
  end(): void {
    if (this.#hole === undefined) return;
    const { codec, codec_state } = this.#connection;
    this.#write(codec.frame({ type: "events_skipped", payload: this.#hole }, codec_state));
    this.#connection.cursor = this.#hole.to;
    this.#hole = undefined;
  }
}
