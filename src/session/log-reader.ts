/** Questions to the log: one by one what the conversation, its runs and its queue are made of. */
import type { EventType } from "../protocol/events.ts";
import { QUEUE_EVENTS } from "../protocol/limits.ts";
import { integer, optionalText, text } from "./rows.ts";
import type { Storage } from "./storage.ts";
import { COLUMNS, ERASED, readEvents, type StoredEvent, storedEvent } from "./stored-event.ts";

/** A message and the one it follows; null for the first of a branch. */
export interface Link {
  readonly message_id: string;
  readonly parent_message_id: string | null;
}

/** A tool call without its outcome. */
export interface OpenCall {
  readonly step: number;
  readonly tool_call_id: string;
  readonly tool_name: string;
}

/** How much there is of something: UTF-8 bytes of the frames. */
export interface Weight {
  readonly events: number;
  readonly bytes: number;
}

/** An event of a run, and what models had answered just before it. */
export interface Recorded {
  readonly frame: string;
  readonly journal: string | undefined;
}

/** Few enough that they may be as long as they can be. */
const READ_AT_ONCE = 16;

const NOTHING: Weight = { events: 0, bytes: 0 };

const ALIVE = "(expires_at IS NULL OR expires_at > ?)";

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

export class LogReader {
  protected readonly storage: Storage;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** When the oldest event that is kept was written. */
  begun(): number | undefined {
    const [first] = this.storage.read("SELECT at FROM events ORDER BY seq LIMIT 1");
    return first === undefined ? undefined : integer(first, "at");
  }

  at(seq: number): StoredEvent | undefined {
    return this.query("WHERE seq = ?", seq)[0];
  }

  /** The event at `seq`, its parent, the parent of that, and so on; one query, however long. */
  chain(seq: number, limit: number): StoredEvent[] {
    return this.storage.read(CHAIN, limit, seq).map(storedEvent);
  }

  /** The events of one run, which lie from `from` to `to`; without an index, so the span must be short. */
  ofRun(run_id: string, from: number, to = Number.MAX_SAFE_INTEGER): StoredEvent[] {
    return this.query("WHERE seq BETWEEN ? AND ? AND run_id = ? ORDER BY seq", from, to, run_id);
  }

  /** The events of a run, which lie after `from` up to `to`, with what is beside them; read a few at a time. Messages that joined it are said to it, not by it. */
  *recordOf(run_id: string, from: number, to = Number.MAX_SAFE_INTEGER): Generator<Recorded> {
    const query = `SELECT seq, frame, journal FROM events WHERE seq > ? AND seq <= ? AND run_id = ?
      AND type <> 'user_message' ORDER BY seq LIMIT ?`;
    for (let after: number | undefined = from; after !== undefined; ) {
      const rows = this.storage.read(query, after, to, run_id, READ_AT_ONCE);
      for (const row of rows) yield { frame: text(row, "frame"), journal: optionalText(row, "journal") };
      const last = rows[READ_AT_ONCE - 1];
      after = last && integer(last, "seq");
    }
  }

  /** What the journal column of the events of a run holds, where it holds anything. */
  journalOf(run_id: string, from: number, to = Number.MAX_SAFE_INTEGER): string[] {
    const query = `SELECT journal FROM events WHERE seq > ? AND seq <= ? AND run_id = ? AND journal IS NOT NULL
      ORDER BY seq`;
    return this.storage.read(query, from, to, run_id).map((row) => text(row, "journal"));
  }

  /** How many events a run has, which began after `from`. */
  countOfRun(run_id: string, from: number): number {
    const [row] = this.storage.read(
      "SELECT COUNT(*) AS events FROM events WHERE seq > ? AND run_id = ? AND type <> 'user_message'",
      from,
      run_id,
    );
    return row === undefined ? 0 : integer(row, "events");
  }

  /** The tool calls that a run, which began after `from`, has begun and not completed. Parsed here: SQLite would corrupt a lone surrogate in an id. */
  openCalls(run_id: string, from: number): OpenCall[] {
    const where =
      "WHERE seq > ? AND run_id = ? AND type IN ('tool_executing', 'tool_completed') ORDER BY seq";
    const open = new Map<string, OpenCall>();
    for (const { type, payload } of readEvents(this.query(where, from, run_id))) {
      if (type === "tool_completed") open.delete(payload.tool_call_id);
      if (type !== "tool_executing") continue;
      const { step, tool_call_id, tool_name } = payload;
      open.set(tool_call_id, { step, tool_call_id, tool_name });
    }
    return [...open.values()];
  }

  /** The events of one type of a run, which began after `from`. */
  typeOfRun(run_id: string, from: number, type: EventType): StoredEvent[] {
    return this.query("WHERE seq > ? AND run_id = ? AND type = ? ORDER BY seq", from, run_id, type);
  }

  /** When the newest event of a run was written, which began after `from`. */
  lastOfRun(run_id: string, from: number): number | undefined {
    const [row] = this.storage.read(
      "SELECT at FROM events WHERE seq > ? AND run_id = ? ORDER BY seq DESC LIMIT 1",
      from,
      run_id,
    );
    return row === undefined ? undefined : integer(row, "at");
  }

  /** The report of a run, whose events lie from `from` to `to`. */
  reportOf(run_id: string, from: number, to: number): StoredEvent | undefined {
    return this.query(
      "WHERE seq BETWEEN ? AND ? AND run_id = ? AND type = 'final_report' ORDER BY seq DESC LIMIT 1",
      from,
      to,
      run_id,
    )[0];
  }

  /** The answer of the run that began at seq `start`, found as soon as it is met; undefined while there is none. */
  answerOf(start: number): StoredEvent | undefined {
    return this.query(
      "WHERE seq >= ? AND run_id GLOB ? AND type = 'agent_completed' LIMIT 1",
      start,
      `r_${start}_*`,
    )[0];
  }

  /** The last word on each answer, newest first, at most `limit`. */
  newestRatings(limit: number): StoredEvent[] {
    // The other columns of a group are those of its newest row (SQLite, "bare columns").
    const query = `SELECT ${COLUMNS}, MAX(seq) AS newest FROM events WHERE type = 'feedback_recorded'
      GROUP BY json_extract(frame, '$.payload.message_id') ORDER BY newest DESC LIMIT ?`;
    return this.storage.read(query, limit).map(storedEvent);
  }

  /** What the reader last said of each answer that came after `seq`; of none if nothing did. */
  ratingsAfter(seq: number | undefined): Map<string, 1 | -1> {
    if (seq === undefined) return new Map();
    // The other columns of a group are those of its newest row (SQLite, "bare columns").
    const query = `SELECT MAX(seq), json_extract(frame, '$.payload.message_id') AS message_id,
      json_extract(frame, '$.payload.rating') AS rating
      FROM events WHERE seq > ? AND type = 'feedback_recorded' GROUP BY message_id`;
    const rows = this.storage.read(query, seq);
    return new Map(rows.map((row) => [text(row, "message_id"), integer(row, "rating") === 1 ? 1 : -1]));
  }

  /** The seqs at which a message of a thread was asked to be answered again, or at last. */
  askedAgain(thread_id: string, message_id: string): number[] {
    const query = `SELECT seq FROM events WHERE thread_id = ?1 AND type = 'thread_updated'
      AND json_extract(frame, '$.payload.run_id') IS NOT NULL
      AND ?2 IN (json_extract(frame, '$.payload.question_id'), json_extract(frame, '$.payload.head_message_id'))`;
    return this.storage.read(query, thread_id, message_id).map((row) => integer(row, "seq"));
  }

  /** Which message of a thread follows which, on every branch, in the order in which they were said. */
  linksOf(thread_id: string): Link[] {
    const query = `SELECT json_extract(frame, '$.payload.message_id') AS message_id,
      json_extract(frame, '$.payload.parent_message_id') AS parent_message_id
      FROM events WHERE thread_id = ? AND type IN ('user_message', 'agent_completed') ORDER BY seq`;
    return this.storage.read(query, thread_id).map((row) => ({
      message_id: text(row, "message_id"),
      parent_message_id: optionalText(row, "parent_message_id") ?? null,
    }));
  }

  /** The newest event below `before` among the one at `seq`, its parent, the parent of that, and so on. */
  ancestor(seq: number, before: number): number | undefined {
    const [row] = this.storage.read(ANCESTOR, seq, before);
    return row === undefined ? undefined : integer(row, "link");
  }

  /** Notifications after `seq` that have not expired, oldest first. */
  notificationsAfter(seq: number, now: number): StoredEvent[] {
    return this.query(`WHERE seq > ? AND type = 'notification' AND ${ALIVE} ORDER BY seq`, seq, now);
  }

  /** The events after `after` up to `to` that are kept and have not expired; at most 1,001 of them are counted. */
  weigh(after: number, to: number, now: number): Weight {
    if (after >= to) return NOTHING;
    const [row] = this.storage.read(
      `SELECT COUNT(*) AS events, COALESCE(SUM(LENGTH(CAST(frame AS BLOB))), 0) AS bytes FROM
       (SELECT frame FROM events WHERE seq > ? AND seq <= ? AND ${ALIVE} AND type <> '${ERASED}' LIMIT ?)`,
      after,
      to,
      now,
      WEIGHED_EVENTS,
    );
    return row === undefined ? NOTHING : { events: integer(row, "events"), bytes: integer(row, "bytes") };
  }

  protected query(where: string, ...bindings: (string | number)[]): StoredEvent[] {
    return this.storage.read(`SELECT ${COLUMNS} FROM events ${where}`, ...bindings).map(storedEvent);
  }
}
