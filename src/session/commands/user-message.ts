/** `user_message`: a person says something; unless told otherwise, an agent answers. */
import type { UserMessageCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { DEFAULT_THREAD_ID } from "../../protocol/pure/constants.ts";
import type { MessageAck } from "../../protocol/replies.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { makeId } from "../ids.ts";
import type { Run } from "../run.ts";
import type { ThreadRow } from "../thread-row.ts";
import { isNewThreadId, titleOf } from "../threads.ts";
import type { Context } from "./context.ts";
import { refuseWithoutAgents } from "./permissions.ts";

export function userMessage(context: Context, command: UserMessageCommand): Result<Event> {
  const { payload } = command;
  const responds = payload.respond !== false;
  const refused = responds ? refuseWithoutAgents(context.who, "payload.respond") : undefined;
  if (refused !== undefined) return refused;
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

/** What its reply says, made from the event so that a duplicate gets the very same one. */
export function messageFacts(event: Event): Omit<MessageAck["payload"], "duplicate"> {
  if (event.type !== "user_message") throw new TypeError("the inbox points at an event of another kind");
  const { message_id, thread_id, run_id } = event.payload;
  const run = run_id === undefined ? {} : { run_id };
  return { seq: event.seq, message_id, thread_id, ...run };
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
  if (thread === undefined && !mayBegin(context, thread_id)) {
    return refuse("not_found", "no such thread", { field: "payload.thread_id" });
  }
  const known = thread === undefined ? {} : { thread };
  if (parent_message_id === undefined) return ok({ thread_id, ...known, ...newest(thread) });
  if (parent_message_id === null) return ok({ thread_id, ...known, ...NOTHING_BEFORE });
  const parent = threads.find(thread_id, parent_message_id);
  if (parent !== undefined) return ok({ thread_id, ...known, prev: parent.seq, parent_message_id });
  return refuse("not_found", "no such message in this thread", { field: "payload.parent_message_id" });
}

/** Only an id that no one else can have chosen makes a thread; one that was deleted stays so. */
function mayBegin({ threads, tx }: Context, thread_id: string): boolean {
  if (thread_id === DEFAULT_THREAD_ID) return true;
  return isNewThreadId(thread_id) && !threads.wasDeleted(thread_id, tx);
}

const NOTHING_BEFORE = { parent_message_id: null };

function newest(thread: ThreadRow | undefined): Pick<Place, "prev" | "parent_message_id"> {
  if (thread?.head === undefined) return NOTHING_BEFORE;
  return { prev: thread.head, parent_message_id: thread.head_message_id };
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
  const head = { head: tx.nextSeq, head_message_id: message_id };
  // A thread that was made empty and has no title yet gets one like any other.
  const title = thread?.title || titleOf(content);
  if (thread === undefined) threads.create(tx, thread_id, title, head);
  else threads.touch(tx, thread, { ...head, title });
  const event = tx.append(
    {
      type: "user_message",
      payload: {
        message_id,
        thread_id,
        ...(thread?.title === title ? {} : { thread: { title } }),
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
