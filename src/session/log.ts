/**
 * A user's events: one gapless sequence. The only owner of `seq`, of the head,
 * of the number acknowledged so far and of the time that never goes back.
 */
import { QUEUE_BYTES, QUEUE_EVENTS } from "../protocol/limits.ts";
import { LogReader } from "./log-reader.ts";
import { integer } from "./rows.ts";
import type { Storage } from "./storage.ts";
import { ERASED, type StoredEvent } from "./stored-event.ts";

/** An event about to be written. */
export interface NewEvent extends StoredEvent {
  readonly at: number;
  /** What models answered before it, as JSON. */
  readonly journal?: string | undefined;
}

/** Acknowledgements that are not on disk; a fraction of what a queue may hold. */
const SAVE_EVENTS = QUEUE_EVENTS / 8;
const SAVE_BYTES = QUEUE_BYTES / 8;

/**
 * How an answer came about, what services had to say, and what is empty. Messages
 * and reports are the conversation itself; that a thread was deleted has to reach
 * a page that still shows it, however long it was away.
 */
const TRIMMABLE = `('agent_started', 'agent_thinking', 'tool_executing', 'tool_completed', 'run_waiting', 'run_resumed', 'notification',
  '${ERASED}')`;

/** What an unfinished run has done is its journal, however long it waits. */
const OF_NO_UNFINISHED_RUN = "(run_id IS NULL OR run_id NOT IN (SELECT run_id FROM runs))";

export class Log extends LogReader {
  #head: number;
  #acked: number;
  /** `#acked` as the newest event has it. */
  #saved: number;
  #lastAt: number;
  /** What the last transaction wrote, as it is on disk: everybody is about to be sent it. */
  #newest: readonly StoredEvent[] = [];

  constructor(storage: Storage) {
    super(storage);
    const [last] = storage.read("SELECT seq, at, acked FROM events ORDER BY seq DESC LIMIT 1");
    this.#head = last === undefined ? 0 : integer(last, "seq");
    this.#acked = last === undefined ? 0 : integer(last, "acked");
    this.#saved = this.#acked;
    this.#lastAt = last === undefined ? 0 : integer(last, "at");
  }

  /** The seq of the newest committed event; 0 if there is none. */
  get head(): number {
    return this.#head;
  }

  /** The highest seq any client has acknowledged. */
  get acked(): number {
    return this.#acked;
  }

  /** `now`, or the time of the newest event if the clock was set back: what is newer never looks older. */
  time(now: number): number {
    return Math.max(now, this.#lastAt);
  }

  /**
   * Someone has everything up to `seq`. The number goes to disk with the next
   * event, so that it costs no row; only where much would seem unread again after
   * an eviction, and other producers be refused for it, it is written by itself.
   */
  acknowledge(seq: number): void {
    if (seq <= this.#acked) return;
    this.recall(seq);
    const { events, bytes } = this.weigh(this.#saved, this.#acked, this.#lastAt);
    if (events < SAVE_EVENTS && bytes < SAVE_BYTES) return;
    this.storage.transact(() => {
      this.storage.write("UPDATE events SET acked = ? WHERE seq = ?", this.#acked, this.#head);
    });
    this.#saved = this.#acked;
  }

  /** As `acknowledge`, but known from before: nothing is written. */
  recall(seq: number): void {
    if (seq > this.#acked) this.#acked = Math.min(seq, this.#head);
  }

  /** Only inside a transaction; the head moves with `committed`. */
  insert(event: NewEvent): void {
    this.storage.write(
      `INSERT INTO events (seq, at, acked, type, thread_id, run_id, prev, expires_at, frame, journal)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      event.seq,
      event.at,
      this.#acked,
      event.type,
      event.thread_id ?? null,
      event.run_id ?? null,
      event.prev ?? null,
      event.expires_at ?? null,
      event.frame,
      event.journal ?? null,
    );
  }

  /** After the transaction that inserted `rows` at the time `at`. */
  committed(rows: readonly StoredEvent[], at: number): void {
    const last = rows.at(-1);
    if (last === undefined) return;
    this.#head = last.seq;
    this.#lastAt = at;
    this.#saved = this.#acked;
    this.#newest = rows;
  }

  /** When the oldest event that may be trimmed was written; the last event never may. */
  oldestTrimmable(): number | undefined {
    const [row] = this.storage.read(
      `SELECT at FROM events WHERE type IN ${TRIMMABLE} AND seq < ? AND ${OF_NO_UNFINISHED_RUN} ORDER BY seq LIMIT 1`,
      this.#head,
    );
    return row === undefined ? undefined : integer(row, "at");
  }

  /**
   * The only deleter: of what may be trimmed, everything written before the time
   * `before`, but for what unfinished runs have done: that lies in between, and
   * who reads on is told of the holes around it. The last event always stays,
   * since the head is its seq. Only inside a transaction.
   */
  trim(before: number): void {
    this.#newest = [];
    this.storage.write(
      `DELETE FROM events WHERE type IN ${TRIMMABLE} AND at < ? AND seq < ? AND ${OF_NO_UNFINISHED_RUN}`,
      before,
      this.#head,
    );
    // What models answered last lies beside events that stay.
    this.storage.write(
      `UPDATE events SET journal = NULL WHERE journal IS NOT NULL AND at < ? AND seq < ? AND ${OF_NO_UNFINISHED_RUN}`,
      before,
      this.#head,
    );
  }

  /**
   * Removes what is in the events of a thread, and in the commands that caused
   * them. Only inside a transaction.
   */
  erase(thread_id: string): void {
    this.#newest = [];
    this.storage.write(
      "UPDATE inbox SET request = NULL WHERE seq IN (SELECT seq FROM events WHERE thread_id = ?)",
      thread_id,
    );
    this.storage.write(
      `UPDATE events SET type = '${ERASED}', thread_id = NULL, run_id = NULL, prev = NULL,
       expires_at = NULL, frame = '', journal = NULL WHERE thread_id = ?`,
      thread_id,
    );
  }

  /** The lowest seq still kept; head + 1 if none is. */
  floor(): number {
    const [first] = this.storage.read("SELECT seq FROM events ORDER BY seq LIMIT 1");
    return first === undefined ? this.#head + 1 : integer(first, "seq");
  }

  after(seq: number, limit: number): StoredEvent[] {
    const first = this.#newest[0]?.seq;
    if (first !== undefined && seq >= first - 1) return this.#newest.slice(seq + 1 - first).slice(0, limit);
    return this.query("WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit);
  }
}
