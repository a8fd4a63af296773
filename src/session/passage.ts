/** One walk along the log: events as they are, and a word for every hole. */
import type { EventsSkipped } from "../protocol/events.ts";
import { isErased, type StoredEvent } from "./stored-event.ts";

export type Hole = EventsSkipped["payload"];

/** Who is walked past: both are told in ascending order, without overlap and without a gap. */
export interface Reader {
  event(row: StoredEvent): void;
  hole(hole: Hole): void;
}

export class Passage {
  readonly #reader: Reader;
  #position: number;
  /** A hole not yet announced: it may go on. */
  #hole: Hole | undefined;

  /** @param position the seq up to which the reader has everything */
  constructor(position: number, reader: Reader) {
    this.#position = position;
    this.#reader = reader;
  }

  /** The seq up to which everything has been dealt with. */
  get position(): number {
    return this.#position;
  }

  /** Deals with the next row that is there: what lies before it has been deleted. */
  pass(row: StoredEvent, now: number): void {
    this.skip(row.seq - 1, "trimmed");
    if (isErased(row)) return this.skip(row.seq, "erased");
    if (row.expires_at !== undefined && row.expires_at <= now) return this.skip(row.seq, "expired");
    this.end();
    this.#reader.event(row);
    this.#position = row.seq;
  }

  /** Nothing up to `to` will ever be sent. */
  skip(to: number, reason: Hole["reason"]): void {
    if (this.#position >= to) return;
    if (this.#hole?.reason !== reason) this.end();
    this.#hole = { from: this.#hole?.from ?? this.#position + 1, to, reason };
    this.#position = to;
  }

  /** Announces what is still unsaid: a hole is never silent. */
  end(): void {
    const hole = this.#hole;
    this.#hole = undefined;
    if (hole !== undefined) this.#reader.hole(hole);
  }
}
