/** `user_message`: a person says something; unless told otherwise, an agent answers. */
import { may } from "../../auth/principal.ts";
import type { UserMessageCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { DEFAULT_THREAD_ID } from "../../protocol/pure/constants.ts";
import type { MessageAck } from "../../protocol/replies.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { makeId } from "../ids.ts";
import type { StoredEvent } from "../log.ts";
import type { Run } from "../run.ts";
import type { ThreadRow } from "../thread-row.ts";
import { isNewThreadId, messageView, titleOf } from "../threads.ts";
import type { Context } from "./context.ts";

export function userMessage(context: Context, command: UserMessageCommand): Result<Event> {
  const { payload } = command;
  const responds = payload.respond !== false;
  if (responds && !may(context.who, "agents")) {
    return refuse("forbidden", "the agents permission is needed for an answer; send respond: false", {
      field: "payload.respond",
    });
  }
  const place = placeOf(context, payload);
  if (!place.ok) return place;
  const { tx, runs, ids, agent, who } = context;
  const message_id = makeId("m", tx.nextSeq, ids.random());
  const { thread_id } = place.value;
  const run = responds
    ? runs.plan(tx, { thread_id, question_id: message_id, plan: who.plan }, agent)
    : ok(undefined);
  if (!run.ok) return run;
  return ok(append(context, command, { ...place.value, message_id }, run.value));
}

/** The reply to it, made from the event so that a duplicate gets the very same one. */
export function messageAck(command: UserMessageCommand, event: Event, duplicate: boolean): MessageAck {
  if (event.type !== "user_message") throw new TypeError("the inbox points at an event of another kind");
  const { message_id, thread_id, run_id } = event.payload;
  const run = run_id === undefined ? {} : { run_id };
  return {
    type: "message_ack",
    reply_to: command.id,
    payload: { seq: event.seq, message_id, thread_id, ...run, duplicate },
  };
}

interface Place {
  readonly thread_id: string;
  /** Absent if this message makes the thread. */
  readonly thread?: ThreadRow;
  readonly prev?: number;
  readonly parent_message_id: string | null;
}

function placeOf(context: Context, payload: UserMessageCommand["payload"]): Result<Place> {
  const { threads, tx } = context;
  const { thread_id = DEFAULT_THREAD_ID, parent_message_id } = payload;
  const thread = threads.get(thread_id, tx);
  if (thread === undefined && thread_id !== DEFAULT_THREAD_ID && !isNewThreadId(thread_id)) {
    return refuse("not_found", "no such thread", { field: "payload.thread_id" });
  }
  const known = thread === undefined ? {} : { thread };
  const parent =
    parent_message_id === undefined
      ? newest(context, thread?.head)
      : parentOf(threads.find(thread_id, parent_message_id));
  if (parent === undefined) {
    if (parent_message_id === undefined) return ok({ thread_id, ...known, parent_message_id: null });
    return refuse("not_found", "no such message in this thread", { field: "payload.parent_message_id" });
  }
  return ok({ thread_id, ...known, ...parent });
}

type Parent = Required<Pick<Place, "prev" | "parent_message_id">>;

/** What this very group has said need not be read back. */
function newest({ tx, log }: Context, head: number | undefined): Parent | undefined {
  if (head === undefined) return undefined;
  const event = tx.appended(head);
  return event?.type === "user_message"
    ? { prev: head, parent_message_id: event.payload.message_id }
    : parentOf(log.at(head));
}

function parentOf(row: StoredEvent | undefined): Parent | undefined {
  if (row === undefined) return undefined;
  return { prev: row.seq, parent_message_id: messageView(row)?.message_id ?? null };
}

function append(
  context: Context,
  command: UserMessageCommand,
  place: Place & { readonly message_id: string },
  run: Run | undefined,
): Event {
  const { tx, threads, runs, client_id } = context;
  const { content, data, metadata } = command.payload;
  const { message_id, thread_id, thread, prev, parent_message_id } = place;
  const title = thread === undefined ? titleOf(content) : thread.title;
  if (thread === undefined) threads.create(tx, thread_id, title, tx.nextSeq);
  else threads.touch(tx, thread, tx.nextSeq);
  const event = tx.append(
    {
      type: "user_message",
      payload: {
        message_id,
        thread_id,
        ...(thread === undefined ? { thread: { title } } : {}),
        parent_message_id,
        ...(run === undefined ? {} : { run_id: run.run_id }),
        content,
        ...(data === undefined ? {} : { data }),
        ...(metadata === undefined ? {} : { metadata }),
        client_id,
        id: command.id,
        timestamp: tx.timestamp,
      },
    },
    { thread_id, ...(prev === undefined ? {} : { prev }) },
  );
  if (run !== undefined) runs.accept(tx, run);
  return event;
}
