/**
 * A user's events: one gapless sequence. The only owner of `seq`, of the head,
 * of the number acknowledged so far and of the time that never goes back.
 */
import { EVENTS, type Event, isEventType } from "../protocol/events.ts";
import { QUEUE_BYTES, QUEUE_EVENTS } from "../protocol/limits.ts";
import { integer, optionalInteger, optionalText, text } from "./rows.ts";
import type { Storage } from "./storage.ts";

/** An event as it lies in the log. */
export interface StoredEvent {
  readonly seq: number;
  readonly type: string;
  readonly thread_id?: string;
  readonly run_id?: string;
  /** The seq of the parent message: history and branches without an index. */
  readonly prev?: number;
  /** Milliseconds since the epoch; not sent from then on. */
  readonly expires_at?: number;
  /** The native wire text, sent as it is. */
  readonly frame: string;
}

/** An event about to be written. */
export interface NewEvent extends StoredEvent {
  readonly at: number;
}

/** A message and the one it follows; null for the first of a branch. */
export interface Link {
  readonly message_id: string;
  readonly parent_message_id: string | null;
}

/** How much there is of something: UTF-8 bytes of the frames. */
export interface Weight {
  readonly events: number;
  readonly bytes: number;
}

const NOTHING: Weight = { events: 0, bytes: 0 };

/** Acknowledgements that are not on disk; a fraction of what a queue may hold. */
const SAVE_EVENTS = QUEUE_EVENTS / 8;
const SAVE_BYTES = QUEUE_BYTES / 8;

/** The row of an event whose content was deleted: its number has to stay until nobody can ask for it. */
const ERASED = "erased";

/**
 * How an answer came about, what services had to say, and what is empty. Messages
 * and reports are the conversation itself; that a thread was deleted has to reach
 * a page that still shows it, however long it was away.
 */
const TRIMMABLE = `('agent_started', 'agent_thinking', 'tool_executing', 'tool_completed', 'notification',
  '${ERASED}')`;

const ALIVE = "(expires_at IS NULL OR expires_at > ?)";

const COLUMNS = "seq, type, thread_id, run_id, prev, expires_at, frame";

const CHAIN = `WITH RECURSIVE chain(place, link, up) AS (
  SELECT 1, seq, prev FROM events WHERE seq = ?2
  UNION ALL
  SELECT place + 1, seq, prev FROM chain JOIN events ON seq = up WHERE place < ?1
) SELECT ${COLUMNS} FROM chain JOIN events ON seq = link ORDER BY place`;

const ANCESTOR = `WITH RECURSIVE chain(link, up) AS (
  SELECT seq, prev FROM events WHERE seq = ?1
  UNION ALL
  SELECT seq, prev FROM chain JOIN events ON seq = up WHERE link >= ?2
) SELECT link FROM chain WHERE link < ?2`;

/** Beyond this whatever is weighed is too much, and how much too much matters to nobody. */
const WEIGHED_EVENTS = QUEUE_EVENTS + 1;

export class Log {
  readonly #storage: Storage;
  #head: number;
  #acked: number;
  /** `#acked` as the newest event has it. */
  #saved: number;
  #lastAt: number;
  /** What the last transaction wrote, as it is on disk: everybody is about to be sent it. */
  #newest: readonly StoredEvent[] = [];

  constructor(storage: Storage) {
    this.#storage = storage;
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
    this.#storage.transact(() => {
      this.#storage.write("UPDATE events SET acked = ? WHERE seq = ?", this.#acked, this.#head);
    });
    this.#saved = this.#acked;
  }

  /** As `acknowledge`, but known from before: nothing is written. */
  recall(seq: number): void {
    if (seq > this.#acked) this.#acked = Math.min(seq, this.#head);
  }

  /** Only inside a transaction; the head moves with `committed`. */
  insert(event: NewEvent): void {
    this.#storage.write(
      `INSERT INTO events (seq, at, acked, type, thread_id, run_id, prev, expires_at, frame)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      event.seq,
      event.at,
      this.#acked,
      event.type,
      event.thread_id ?? null,
      event.run_id ?? null,
      event.prev ?? null,
      event.expires_at ?? null,
      event.frame,
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

  /** When the oldest event that is kept was written. */
  begun(): number | undefined {
    const [first] = this.#storage.read("SELECT at FROM events ORDER BY seq LIMIT 1");
    return first === undefined ? undefined : integer(first, "at");
  }

  /** When the oldest event that may be trimmed was written; the last event never may. */
  oldestTrimmable(): number | undefined {
    const [row] = this.#storage.read(
      `SELECT at FROM events WHERE type IN ${TRIMMABLE} AND seq < ? ORDER BY seq LIMIT 1`,
      this.#head,
    );
    return row === undefined ? undefined : integer(row, "at");
  }

  /**
   * The only deleter: of what may be trimmed, everything written before the time
   * `before` with a seq below `below`. The last event always stays, since the
   * head is its seq. Only inside a transaction.
   */
  trim(before: number, below: number): void {
    this.#newest = [];
    this.#storage.write(
      `DELETE FROM events WHERE type IN ${TRIMMABLE} AND at < ? AND seq < ?`,
      before,
      Math.min(below, this.#head),
    );
  }

  /**
   * Removes what is in the events of a thread, and in the commands that caused
   * them. Only inside a transaction.
   */
  erase(thread_id: string): void {
    this.#newest = [];
    this.#storage.write(
      "UPDATE inbox SET request = NULL WHERE seq IN (SELECT seq FROM events WHERE thread_id = ?)",
      thread_id,
    );
    this.#storage.write(
      `UPDATE events SET type = '${ERASED}', thread_id = NULL, run_id = NULL, prev = NULL,
       expires_at = NULL, frame = '', journal = NULL WHERE thread_id = ?`,
      thread_id,
    );
  }

  /** The lowest seq still kept; head + 1 if none is. */
  floor(): number {
    const [first] = this.#storage.read("SELECT seq FROM events ORDER BY seq LIMIT 1");
    return first === undefined ? this.#head + 1 : integer(first, "seq");
  }

  after(seq: number, limit: number): StoredEvent[] {
    const first = this.#newest[0]?.seq;
    if (first !== undefined && seq >= first - 1) return this.#newest.slice(seq + 1 - first).slice(0, limit);
    return this.#query("WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit);
  }

  at(seq: number): StoredEvent | undefined {
    return this.#query("WHERE seq = ?", seq)[0];
  }

  /** The event at `seq`, its parent, the parent of that, and so on; one query, however long. */
  chain(seq: number, limit: number): StoredEvent[] {
    return this.#storage.read(CHAIN, limit, seq).map(storedEvent);
  }

  /** The events of one run, which lie from `from` to `to`; without an index, so the span must be short. */
  ofRun(run_id: string, from: number, to: number = this.#head): StoredEvent[] {
    return this.#query("WHERE seq BETWEEN ? AND ? AND run_id = ? ORDER BY seq", from, to, run_id);
  }

  /** When the newest event of a run was written, which began after `from`. */
  lastOfRun(run_id: string, from: number): number | undefined {
    const [row] = this.#storage.read(
      "SELECT at FROM events WHERE seq > ? AND run_id = ? ORDER BY seq DESC LIMIT 1",
      from,
      run_id,
    );
    return row === undefined ? undefined : integer(row, "at");
  }

  /** The report of a run, whose events lie from `from` to `to`. */
  reportOf(run_id: string, from: number, to: number): StoredEvent | undefined {
    return this.#query(
      "WHERE seq BETWEEN ? AND ? AND run_id = ? AND type = 'final_report' ORDER BY seq DESC LIMIT 1",
      from,
      to,
      run_id,
    )[0];
  }

  /** The answer of the run that began at seq `start`, found as soon as it is met; undefined while there is none. */
  answerOf(start: number): StoredEvent | undefined {
    return this.#query(
      "WHERE seq >= ? AND run_id GLOB ? AND type = 'agent_completed' LIMIT 1",
      start,
      `r_${start}_*`,
    )[0];
  }

  /** All that was ever said of answers, in order. */
  ratings(after = 0): StoredEvent[] {
    return this.#query("WHERE seq > ? AND type = 'feedback_recorded' ORDER BY seq", after);
  }

  /** What the reader last said of each answer that came after `seq`; of none if nothing did. */
  ratingsAfter(seq: number | undefined): Map<string, 1 | -1> {
    if (seq === undefined) return new Map();
    // The other columns of a group are those of its newest row (SQLite, "bare columns").
    const query = `SELECT MAX(seq), json_extract(frame, '$.payload.message_id') AS message_id,
      json_extract(frame, '$.payload.rating') AS rating
      FROM events WHERE seq > ? AND type = 'feedback_recorded' GROUP BY message_id`;
    const rows = this.#storage.read(query, seq);
    return new Map(rows.map((row) => [text(row, "message_id"), integer(row, "rating") === 1 ? 1 : -1]));
  }

  /** The seqs at which a message of a thread was asked to be answered again, or at last. */
  askedAgain(thread_id: string, message_id: string): number[] {
    const query = `SELECT seq FROM events WHERE thread_id = ?1 AND type = 'thread_updated'
      AND json_extract(frame, '$.payload.run_id') IS NOT NULL
      AND ?2 IN (json_extract(frame, '$.payload.question_id'), json_extract(frame, '$.payload.head_message_id'))`;
    return this.#storage.read(query, thread_id, message_id).map((row) => integer(row, "seq"));
  }

  /** Which message of a thread follows which, on every branch, in the order in which they were said. */
  linksOf(thread_id: string): Link[] {
    const query = `SELECT json_extract(frame, '$.payload.message_id') AS message_id,
      json_extract(frame, '$.payload.parent_message_id') AS parent_message_id
      FROM events WHERE thread_id = ? AND type IN ('user_message', 'agent_completed') ORDER BY seq`;
    return this.#storage.read(query, thread_id).map((row) => ({
      message_id: text(row, "message_id"),
      parent_message_id: optionalText(row, "parent_message_id") ?? null,
    }));
  }

  /** The newest event below `before` among the one at `seq`, its parent, the parent of that, and so on. */
  ancestor(seq: number, before: number): number | undefined {
    const [row] = this.#storage.read(ANCESTOR, seq, before);
    return row === undefined ? undefined : integer(row, "link");
  }

  /** Notifications after `seq` that have not expired, oldest first. */
  notificationsAfter(seq: number, now: number): StoredEvent[] {
    return this.#query(`WHERE seq > ? AND type = 'notification' AND ${ALIVE} ORDER BY seq`, seq, now);
  }

  /** The events after `after` up to `to` that are kept and have not expired; at most 1,001 of them are counted. */
  weigh(after: number, to: number, now: number): Weight {
    if (after >= to) return NOTHING;
    const [row] = this.#storage.read(
      `SELECT COUNT(*) AS events, COALESCE(SUM(LENGTH(CAST(frame AS BLOB))), 0) AS bytes FROM
       (SELECT frame FROM events WHERE seq > ? AND seq <= ? AND ${ALIVE} AND type <> '${ERASED}' LIMIT ?)`,
      after,
      to,
      now,
      WEIGHED_EVENTS,
    );
    return row === undefined ? NOTHING : { events: integer(row, "events"), bytes: integer(row, "bytes") };
  }

  #query(where: string, ...bindings: (string | number)[]): StoredEvent[] {
    return this.#storage.read(`SELECT ${COLUMNS} FROM events ${where}`, ...bindings).map(storedEvent);
  }
}

export function erased(seq: number): StoredEvent {
  return { seq, type: ERASED, frame: "" };
}

export function isErased({ type }: StoredEvent): boolean {
  return type === ERASED;
}

/**
 * The event in a stored frame; undefined if this Worker does not know its like,
 * as after a roll-back to an older one. Whoever reads the log goes on without it.
 */
export function readEvent(stored: StoredEvent | undefined): Event | undefined {
  if (stored === undefined || !isEventType(stored.type)) return undefined;
  const parsed = EVENTS[stored.type].safeParse(JSON.parse(stored.frame));
  return parsed.success ? parsed.data : undefined;
}

export function readEvents(stored: readonly StoredEvent[]): Event[] {
  return stored.map(readEvent).filter((event) => event !== undefined);
}

function storedEvent(row: Record<string, SqlStorageValue>): StoredEvent {
  const thread_id = optionalText(row, "thread_id");
  const run_id = optionalText(row, "run_id");
  const prev = optionalInteger(row, "prev");
  const expires_at = optionalInteger(row, "expires_at");
  return {
    seq: integer(row, "seq"),
    type: text(row, "type"),
    ...(thread_id === undefined ? {} : { thread_id }),
    ...(run_id === undefined ? {} : { run_id }),
    ...(prev === undefined ? {} : { prev }),
    ...(expires_at === undefined ? {} : { expires_at }),
    frame: text(row, "frame"),
  };
}
