/** A message that was said before is to be answered, once more or at last. */
import type { Event, UserMessage } from "../../protocol/events.ts";
import type { MessageAck } from "../../protocol/replies.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { seqOf } from "../ids.ts";
import { readEvent } from "../log.ts";
import type { Run } from "../run.ts";
import type { Question } from "../runs.ts";
import type { ThreadRow } from "../thread-row.ts";
import type { Context } from "./context.ts";

/** The message itself, if a person said it; of an answer, what it answers. */
export function questionOf({ log, threads }: Context, message_id: string): UserMessage | undefined {
  const asked = readEvent(log.at(seqOf(message_id, ["m", "a"]) ?? 0));
  const thread_id = asked !== undefined && "thread_id" in asked.payload ? asked.payload.thread_id : "";
  if (threads.find(thread_id, message_id) === undefined) return undefined;
  if (asked?.type === "user_message") return asked;
  const again = asked?.type === "thread_updated" ? asked.payload.head_message_id : undefined;
  const question = readEvent(log.at(seqOf(again, ["m"]) ?? 0));
  return question?.type === "user_message" ? question : undefined;
}

/** The run that answers this message, or is about to. */
export function runAnswering({ runs }: Context, message_id: string): Run | undefined {
  return runs.unfinished().find((run) => [run.question_id, run.message_id].includes(message_id));
}

/** Another answer to the same question; the one there was stays on its own branch. */
export function askAgain(
  context: Context,
  message_id: string,
  plan: (question: Question) => Result<Run>,
): Result<Event> {
  const { tx, threads, runs } = context;
  const question = questionOf(context, message_id);
  const thread = question && threads.get(question.payload.thread_id, tx);
  if (question === undefined || thread === undefined) {
    return refuse("not_found", "no such message", { field: "payload.message_id" });
  }
  const { thread_id, message_id: question_id } = question.payload;
  const run = plan({ thread_id, question_id });
  if (!run.ok) return run;
  const event = showFrom(context, question, thread, run.value);
  runs.accept(tx, run.value);
  return ok(event);
}

/** The thread goes back to the question; its event is what asks for the run. */
function showFrom({ tx, threads }: Context, question: UserMessage, thread: ThreadRow, run: Run): Event {
  const { thread_id, message_id: head_message_id } = question.payload;
  threads.change(tx, thread, { head: question.seq, head_message_id });
  const { run_id } = run;
  return tx.append(
    { type: "thread_updated", payload: { thread_id, head_message_id, run_id, timestamp: tx.timestamp } },
    { thread_id },
  );
}

/** What the reply says, made from the event so that a duplicate gets the very same one. */
export function againFacts({ type, seq, payload }: Event): Omit<MessageAck["payload"], "duplicate"> {
  if (type !== "thread_updated" || payload.head_message_id === undefined || payload.run_id === undefined) {
    throw new TypeError("the inbox points at an event of another kind");
  }
  const { thread_id, head_message_id, run_id } = payload;
  return { seq, message_id: head_message_id, thread_id, run_id };
}
