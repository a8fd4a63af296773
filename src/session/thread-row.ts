/** One thread as its row says. */
import { integer, optionalInteger, text } from "./rows.ts";
import type { Storage } from "./storage.ts";

export interface ThreadRow {
  readonly thread_id: string;
  readonly title: string;
  /** Seq of the newest message of the current branch. */
  readonly head?: number;
  /** Milliseconds since the epoch. */
  readonly updated_at: number;
}

export function threadRow(row: Record<string, SqlStorageValue>): ThreadRow {
  const head = optionalInteger(row, "head");
  return {
    thread_id: text(row, "thread_id"),
    title: text(row, "title"),
    ...(head === undefined ? {} : { head }),
    updated_at: integer(row, "updated_at"),
  };
}

/** Once per thread and transaction, however many messages it got: the last state is what counts. */
export function writeThread(storage: Storage, { thread_id, title, head, updated_at }: ThreadRow): void {
  storage.write(
    `INSERT INTO threads (thread_id, title, head, updated_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (thread_id) DO UPDATE SET head = excluded.head, updated_at = excluded.updated_at`,
    thread_id,
    title,
    head ?? null,
    updated_at,
  );
}
