/** Conversations: which exist, which message is newest, and how messages follow one another. */
import type { Message, Thread } from "../protocol/pure/conversation.ts";
import { seqOf } from "./ids.ts";
import { type Log, readEvent, type StoredEvent } from "./log.ts";
import type { Storage } from "./storage.ts";
import { type ThreadRow, threadRow } from "./thread-row.ts";
import type { Transaction } from "./transaction.ts";

/** A title is a label, not a message. */
const MAX_TITLE_CHARS = 60;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export class Threads {
  readonly #storage: Storage;
  readonly #log: Log;

  constructor(storage: Storage, log: Log) {
    this.#storage = storage;
    this.#log = log;
  }

  /** @param tx inside a transaction, what it has changed already counts */
  get(thread_id: string, tx?: Transaction): ThreadRow | undefined {
    return tx?.threads.get(thread_id) ?? this.#query("WHERE thread_id = ?", thread_id)[0];
  }

  /** Newest first: in the order in which they were last touched; at most `limit`. */
  newest(limit: number): ThreadRow[] {
    return this.#query("ORDER BY updated_at DESC, head DESC LIMIT ?", limit);
  }

  /** Makes a thread whose first message is the one at `head`. Only inside a transaction. */
  create(tx: Transaction, thread_id: string, title: string, head: number): void {
    tx.threads.set(thread_id, { thread_id, title, head, updated_at: tx.now });
  }

  /** Records that something was said; `head` is the newest message of the current branch. Only inside a transaction. */
  touch(tx: Transaction, thread: ThreadRow, head: number): void {
    tx.threads.set(thread.thread_id, { ...thread, head, updated_at: tx.now });
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
    const row = said === undefined ? this.#answer(seqOf(message_id, ["a"])) : this.#log.at(said);
    if (row === undefined || row.thread_id !== thread_id) return undefined;
    return messageView(row)?.message_id === message_id ? row : undefined;
  }

  /** Where the page of messages before `before` begins; that seq need not be a message of this thread. */
  pageStart({ thread_id, head }: ThreadRow, before: number | undefined): number | undefined {
    if (before === undefined) return head;
    const row = this.#log.at(before);
    if (row?.thread_id === thread_id && messageView(row) !== undefined) return row.prev;
    return head === undefined ? undefined : this.#log.ancestor(head, before);
  }

  /** The answer to the question at `seq`, which is in its id. */
  #answer(seq: number | undefined): StoredEvent | undefined {
    const question = readEvent(this.#log.at(seq ?? 0));
    const run_id = question?.type === "user_message" ? question.payload.run_id : undefined;
    return run_id === undefined || seq === undefined ? undefined : this.#log.answerOf(run_id, seq);
  }

  #query(where: string, ...bindings: (string | number)[]): ThreadRow[] {
    return this.#storage
      .read(`SELECT thread_id, title, head, updated_at FROM threads ${where}`, ...bindings)
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
  if (characters.length <= MAX_TITLE_CHARS) return line;
  return `${characters.slice(0, MAX_TITLE_CHARS - 1).join("")}…`;
}

export function threadView({ thread_id, title, updated_at }: ThreadRow): Thread {
  return { thread_id, title, updated_at: new Date(updated_at).toISOString() };
}

/** Undefined if the row is not a message. */
export function messageView(row: StoredEvent): Message | undefined {
  const event = readEvent(row);
  if (event?.type === "user_message") {
    const { message_id, thread_id, content, parent_message_id, run_id, timestamp } = event.payload;
    const run = run_id === undefined ? {} : { run_id };
    return {
      message_id,
      thread_id,
      role: "user",
      content,
      seq: row.seq,
      parent_message_id,
      ...run,
      timestamp,
    };
  }
  if (event?.type !== "agent_completed") return undefined;
  const { message_id, thread_id, content, run_id, status, timestamp } = event.payload;
  return { message_id, thread_id, role: "assistant", content, seq: row.seq, run_id, status, timestamp };
}
