/** `user_message`: a person says something; unless told otherwise, an agent answers. */
import { may } from "../../auth/principal.ts";
import type { UserMessageCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { DEFAULT_THREAD_ID } from "../../protocol/pure/constants.ts";
import type { MessageAck } from "../../protocol/replies.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import type { Run } from "../runs.ts";
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
  const run = responds ? context.runs.plan(context.tx, place.value.thread_id, context.agent) : ok(undefined);
  if (!run.ok) return run;
  return ok(append(context, command, place.value, run.value));
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
  readonly title?: string;
  readonly prev?: number;
  readonly parent_message_id: string | null;
}

function placeOf({ threads }: Context, payload: UserMessageCommand["payload"]): Result<Place> {
  const { thread_id = DEFAULT_THREAD_ID, parent_message_id } = payload;
  const thread = threads.get(thread_id);
  if (thread === undefined && thread_id !== DEFAULT_THREAD_ID && !isNewThreadId(thread_id)) {
    return refuse("not_found", "no such thread", { field: "payload.thread_id" });
  }
  const title = thread === undefined ? {} : { title: thread.title };
  const [parent] =
    parent_message_id === undefined
      ? threads.history(thread?.head, 1)
      : [threads.find(thread_id, parent_message_id)];
  if (parent === undefined) {
    if (parent_message_id === undefined) return ok({ thread_id, ...title, parent_message_id: null });
    return refuse("not_found", "no such message in this thread", { field: "payload.parent_message_id" });
  }
  const parentId = messageView(parent)?.message_id ?? null;
  return ok({ thread_id, ...title, prev: parent.seq, parent_message_id: parentId });
}

function append(context: Context, command: UserMessageCommand, place: Place, run: Run | undefined): Event {
  const { tx, ids, threads, runs, client_id } = context;
  const { content, data, metadata } = command.payload;
  const { thread_id, title = titleOf(content), prev, parent_message_id } = place;
  threads.put(tx, thread_id, title, tx.nextSeq);
  const event = tx.append(
    {
      type: "user_message",
      payload: {
        message_id: run?.question_id ?? `m_${tx.nextSeq}_${ids.random()}`,
        thread_id,
        ...(place.title === undefined ? { thread: { title } } : {}),
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
