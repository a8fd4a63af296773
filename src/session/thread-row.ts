/** One thread as its row says. What was deleted leaves a row without a title, so that nothing said too late brings it back. */
import * as z from "zod/mini";
import { integer, optionalInteger, optionalText, text } from "./rows.ts";
import type { Storage } from "./storage.ts";

const threadDetail = z.object({ head_message_id: z.nullable(z.string()) });

export interface ThreadRow extends Readonly<z.infer<typeof threadDetail>> {
  readonly thread_id: string;
  /** Empty until something is said in it. */
  readonly title: string;
  /** Seq of the newest message of the current branch; its id is `head_message_id`. */
  readonly head?: number;
  /** When something was last said in it, milliseconds since the epoch. */
  readonly updated_at: number;
  /** Seq of that; threads are listed in this order. */
  readonly touched: number;
}

export const THREAD_COLUMNS = "thread_id, title, head, updated_at, touched, detail";

export function threadRow(row: Record<string, SqlStorageValue>): ThreadRow {
  const head = optionalInteger(row, "head");
  const detail = optionalText(row, "detail");
  return {
    thread_id: text(row, "thread_id"),
    title: text(row, "title"),
    ...(head === undefined ? {} : { head }),
    updated_at: integer(row, "updated_at"),
    touched: integer(row, "touched"),
    ...(detail === undefined ? { head_message_id: null } : threadDetail.parse(JSON.parse(detail))),
  };
}

/** Once per thread and transaction, however many messages it got: the last state is what counts. */
export function writeThread(storage: Storage, thread: ThreadRow): void {
  const { thread_id, title, head, updated_at, touched, head_message_id } = thread;
  write(storage, [thread_id, title, head ?? null, updated_at, touched, JSON.stringify({ head_message_id })]);
}

/** @param at when it was deleted, milliseconds since the epoch */
export function writeTombstone(storage: Storage, thread_id: string, at: number): void {
  write(storage, [thread_id, null, null, at, 0, null]);
}

function write(storage: Storage, values: readonly (string | number | null)[]): void {
  storage.write(
    `INSERT INTO threads (${THREAD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (thread_id) DO UPDATE SET title = excluded.title, head = excluded.head,
       updated_at = excluded.updated_at, touched = excluded.touched, detail = excluded.detail`,
    ...values,
  );
}
