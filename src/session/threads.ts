/** Conversations: which exist, which message is newest, and how messages follow one another. */
import { DEFAULT_THREAD_ID } from "../protocol/pure/constants.ts";
import type { Message, Thread } from "../protocol/pure/conversation.ts";
import { messageOf } from "../protocol/pure/fold.ts";
import { seqOf } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Storage } from "./storage.ts";
import { readEvent, type StoredEvent } from "./stored-event.ts";
import { THREAD_COLUMNS, type ThreadRow, threadRow } from "./thread-row.ts";
import type { Transaction } from "./transaction.ts";

/** A title made here: a label, not a message. */
const TITLE_CHARS = 60;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** The newest message of a branch: its seq and its id. */
export interface Head {
  readonly head: number;
  readonly head_message_id: string;
}

export class Threads {
  readonly #storage: Storage;
  readonly #log: Log;

  constructor(storage: Storage, log: Log) {
    this.#storage = storage;
    this.#log = log;
  }

  /** @param tx inside a transaction, what it has changed already counts */
  get(thread_id: string, tx?: Transaction): ThreadRow | undefined {
    const changed = tx?.threads.get(thread_id);
    if (changed !== undefined || tx?.deleted.has(thread_id)) return changed;
    return this.#query("AND thread_id = ?", thread_id)[0];
  }

  /** True if there was such a thread and it has been deleted, some weeks ago at most. */
  wasDeleted(thread_id: string, tx: Transaction): boolean {
    if (thread_id === DEFAULT_THREAD_ID) return false;
    if (tx.deleted.has(thread_id)) return true;
    const query = "SELECT 1 FROM threads WHERE title IS NULL AND thread_id = ?";
    return this.#storage.read(query, thread_id).length > 0;
  }

  /**
   * Newest first: in the order in which something was last said in them.
   * @param before only those last touched before this seq
   */
  newest(limit: number, before: number = Number.MAX_SAFE_INTEGER): ThreadRow[] {
    return this.#query("AND touched < ? ORDER BY touched DESC LIMIT ?", before, limit);
  }

  /** In the order of their ids, those after `after`. */
  byId(limit: number, after: string): ThreadRow[] {
    return this.#query("AND thread_id > ? ORDER BY thread_id LIMIT ?", after, limit);
  }

  /** Makes a thread, which the event about to be appended tells of. Only inside a transaction. */
  create(tx: Transaction, thread_id: string, title: string, head?: Head): void {
    const nothing = { head_message_id: null };
    const touched = { updated_at: tx.now, touched: tx.nextSeq };
    tx.threads.set(thread_id, { thread_id, title, ...nothing, ...head, ...touched });
  }

  /** Records that the event about to be appended was said in it. Only inside a transaction. */
  touch(tx: Transaction, thread: ThreadRow, change: Partial<Head> & { readonly title?: string }): void {
    const touched = { updated_at: tx.now, touched: tx.nextSeq };
    tx.threads.set(thread.thread_id, { ...thread, ...change, ...touched });
  }

  /** Changes it where it stands. Only inside a transaction. */
  change(tx: Transaction, thread: ThreadRow, change: Partial<Head> & { readonly title?: string }): void {
    tx.threads.set(thread.thread_id, { ...thread, ...change });
  }

  /** Removes it and all that was said in it. Only inside a transaction. */
  delete(tx: Transaction, thread_id: string): void {
    tx.erase(thread_id);
    tx.threads.delete(thread_id);
    tx.deleted.add(thread_id);
  }

  /** Messages that lead to the one at `seq`, newest first, that one included; at most `limit`. */
  history(seq: number | undefined, limit: number): StoredEvent[] {
    return seq === undefined ? [] : this.#log.chain(seq, limit);
  }

  /** True if the message at `seq` lies on the branch that ends at `head`. */
  leadsTo(seq: number, head: number | undefined): boolean {
    for (let next = head; next !== undefined && next >= seq; next = this.#log.at(next)?.prev) {
      if (next === seq) return true;
    }
    return false;
  }

  /** The message a client named, if it is one of this thread. */
  find(thread_id: string, message_id: string): StoredEvent | undefined {
    const said = seqOf(message_id, ["m"]);
    const asked = seqOf(message_id, ["a"]) ?? 0;
    const row = said === undefined ? this.#log.answerOf(asked) : this.#log.at(said);
    if (row === undefined || row.thread_id !== thread_id) return undefined;
    return messageView(row)?.message_id === message_id ? row : undefined;
  }

  /** Where the page of messages before `before` begins, on the branch that ends at `head`; that seq need not be a message of this thread. */
  pageStart(thread_id: string, head: number | undefined, before: number | undefined): number | undefined {
    if (before === undefined) return head;
    const row = this.#log.at(before);
    if (row?.thread_id === thread_id && messageView(row) !== undefined) return row.prev;
    return head === undefined ? undefined : this.#log.ancestor(head, before);
  }

  #query(where: string, ...bindings: (string | number)[]): ThreadRow[] {
    return this.#storage
      .read(`SELECT ${THREAD_COLUMNS} FROM threads WHERE title IS NOT NULL ${where}`, ...bindings)
      .map(threadRow);
  }
}

/** True if a client may make a thread by naming it: only an id that no one else can have chosen. */
export function isNewThreadId(thread_id: string): boolean {
  return UUID.test(thread_id);
}

/** The first line of the first message, shortened without splitting a surrogate pair. */
export function titleOf(content: string): string {
  // A lone surrogate is kept in JSON text, but not in a column of its own.
  const line = content.trim().split("\n", 1)[0]?.toWellFormed() ?? "";
  const characters = Array.from(line);
  if (characters.length <= TITLE_CHARS) return line;
  return `${characters.slice(0, TITLE_CHARS - 1).join("")}…`;
}

export function threadView({ thread_id, title, head_message_id, updated_at }: ThreadRow): Thread {
  return { thread_id, title, head_message_id, updated_at: new Date(updated_at).toISOString() };
}

/** Undefined if the row is not a message. */
export function messageView(row: StoredEvent): Message | undefined {
  const event = readEvent(row);
  const said = event?.type === "user_message" || event?.type === "agent_completed";
  return said ? messageOf(event) : undefined;
}
