/** `thread_create`, `thread_update`, `thread_delete`: conversations as things that have a name, a current branch and an end. */
import type {
  ThreadCreateCommand,
  ThreadDeleteCommand,
  ThreadUpdateCommand,
} from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { makeId } from "../ids.ts";
import type { Head } from "../threads.ts";
import { isNewThreadId } from "../threads.ts";
import type { Context } from "./context.ts";

export function threadCreate(context: Context, { payload }: ThreadCreateCommand): Result<Event> {
  const { tx, threads, ids } = context;
  const { thread_id = makeId("t", tx.nextSeq, ids.random()), title = "" } = payload;
  if (payload.thread_id !== undefined && !isNewThreadId(thread_id)) {
    return refuse("invalid_payload", "thread_id must be a UUID", { field: "payload.thread_id" });
  }
  if (threads.get(thread_id, tx) !== undefined || threads.wasDeleted(thread_id, tx)) {
    return refuse("conflict", "there is such a thread, or was", { field: "payload.thread_id" });
  }
  const known = title.toWellFormed();
  threads.create(tx, thread_id, known);
  return ok(
    tx.append(
      { type: "thread_created", payload: { thread_id, title: known, timestamp: tx.timestamp } },
      { thread_id },
    ),
  );
}

/** What its reply says, made from the event so that a duplicate gets the very same one. */
export function threadFacts({ type, seq, payload }: Event) {
  if (type !== "thread_created") throw new TypeError("the inbox points at an event of another kind");
  return { seq, thread_id: payload.thread_id };
}

export function threadUpdate(context: Context, { payload }: ThreadUpdateCommand): Result<Event> {
  const { tx, threads } = context;
  const { thread_id, title, head_message_id } = payload;
  if (title === undefined && head_message_id === undefined) {
    return refuse("invalid_payload", "title or head_message_id is required", { field: "payload" });
  }
  const thread = threads.get(thread_id, tx);
  if (thread === undefined) return NO_THREAD;
  const head = head_message_id === undefined ? {} : headAt(context, thread_id, head_message_id);
  if (head === undefined) {
    return refuse("not_found", "no such message in this thread", { field: "payload.head_message_id" });
  }
  const named = title === undefined ? {} : { title: title.toWellFormed() };
  threads.change(tx, thread, { ...head, ...named });
  const shown = head_message_id === undefined ? {} : { head_message_id };
  return ok(
    tx.append(
      { type: "thread_updated", payload: { thread_id, ...named, ...shown, timestamp: tx.timestamp } },
      { thread_id },
    ),
  );
}

/** What is being answered there ends without a word: the event says it of all there was. */
export function threadDelete(
  { tx, threads, runs, soFar }: Context,
  { payload }: ThreadDeleteCommand,
): Result<Event> {
  const { thread_id } = payload;
  if (threads.get(thread_id, tx) === undefined) return NO_THREAD;
  runs.abandon(tx, thread_id, (run) => soFar(run, tx));
  threads.delete(tx, thread_id);
  return ok(tx.append({ type: "thread_deleted", payload: { thread_id, timestamp: tx.timestamp } }, {}));
}

const NO_THREAD = refuse("not_found", "no such thread", { field: "payload.thread_id" });

function headAt({ threads }: Context, thread_id: string, message_id: string): Head | undefined {
  const row = threads.find(thread_id, message_id);
  return row && { head: row.seq, head_message_id: message_id };
}
