/** A message finds its place in a thread, and becomes an event that may ask for a run. */
import type { UserMessageCommand } from "../../protocol/commands.ts";
import type { Event, UserMessage } from "../../protocol/events.ts";
import { DEFAULT_THREAD_ID } from "../../protocol/pure/constants.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { makeId } from "../ids.ts";
import type { Question } from "../planning.ts";
import type { Run } from "../run.ts";
import type { ThreadRow } from "../thread-row.ts";
import { isNewThreadId, titleOf } from "../threads.ts";
import type { Context } from "./context.ts";

/** What is said, and how whoever said it will know it again. */
export interface Words extends Omit<UserMessageCommand["payload"], "respond" | "policy"> {
  /** Absent: the user did. */
  readonly author?: UserMessage["payload"]["author"];
  readonly client_id: string;
  readonly id: string;
}

/**
 * @param plan the run that is to answer; absent: none
 * @param joined the run at work that is to hear of it
 */
export function say(
  context: Context,
  words: Words,
  plan?: (question: Question) => Result<Run>,
  joined?: Run,
): Result<Event> {
  const place = placeOf(context, words);
  if (!place.ok) return place;
  const { tx, ids } = context;
  const question_id = makeId("m", tx.nextSeq, ids.random());
  const run = plan?.({ thread_id: place.value.thread_id, question_id }) ?? ok(undefined);
  if (!run.ok) return run;
  const event = append(
    context,
    words,
    { ...place.value, message_id: question_id },
    run.value ?? joined,
    joined,
  );
  if (run.value !== undefined) context.runs.accept(tx, run.value);
  return ok(event);
}

interface Place {
  readonly thread_id: string;
  /** Absent if this message makes the thread. */
  readonly thread?: ThreadRow;
  readonly prev?: number;
  readonly parent_message_id: string | null;
}

/** Where it is said, or why it cannot be. Writes nothing. */
export function placeOf(context: Context, words: Words): Result<Place> {
  const { threads, tx } = context;
  const { thread_id = DEFAULT_THREAD_ID, parent_message_id } = words;
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

/** @param found the run at work that has to find it in the log */
function append(
  context: Context,
  words: Words,
  place: Place & { readonly message_id: string },
  run: Pick<Run, "run_id"> | undefined,
  found: Run | undefined,
): Event {
  const { tx, threads } = context;
  const { content, author, data, metadata, client_id, id } = words;
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
        ...(author === undefined ? {} : { author }),
        ...(data === undefined ? {} : { data }),
        ...(metadata === undefined ? {} : { metadata }),
        client_id,
        id,
        timestamp: tx.timestamp,
      },
    },
    { thread_id, ...(prev === undefined ? {} : { prev }), ...(found && { run_id: found.run_id }) },
  );
  return event;
}
