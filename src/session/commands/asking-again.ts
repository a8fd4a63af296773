/** A message that was said before is to be answered, once more or at last. */
import type { Event, UserMessage } from "../../protocol/events.ts";
import type { MessageAck } from "../../protocol/replies.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import type { ThreadUpdated } from "../../protocol/thread-events.ts";
import { seqOf } from "../ids.ts";
import type { Question } from "../planning.ts";
import { questionAskedBy, type Run } from "../run.ts";
import { unheard } from "../steering.ts";
import { readEvent } from "../stored-event.ts";
import type { Context } from "./context.ts";

/** The message itself, if a person said it; of an answer, what it answers. */
export function questionOf({ log, threads }: Context, message_id: string): UserMessage | undefined {
  const asked = readEvent(log.at(seqOf(message_id, ["m", "a"]) ?? 0));
  const thread_id = asked !== undefined && "thread_id" in asked.payload ? asked.payload.thread_id : "";
  if (threads.find(thread_id, message_id) === undefined) return undefined;
  if (asked?.type === "user_message") return asked;
  const again = asked && questionAskedBy(asked);
  const question = readEvent(log.at(seqOf(again, ["m"]) ?? 0));
  return question?.type === "user_message" ? question : undefined;
}

/**
 * The run that answers this message, or is about to: by the answer's id, the question's, or an earlier
 * answer's; or the one that it has joined, which hears it or leaves it to a run of its own.
 */
export function runAnswering(context: Context, message_id: string): Run | undefined {
  const named = [message_id, questionOf(context, message_id)?.payload.message_id];
  const joined = (run: Run) =>
    run.state === "running" && unheard(context.log, run).some((said) => named.includes(said.message_id));
  return context.runs
    .unfinished()
    .find((run) => named.includes(run.question_id) || named.includes(run.message_id) || joined(run));
}

/**
 * Another answer to the same question; the one there was stays on its own branch.
 * @param keepPlace what was said after the question stays where it is, and the answer follows it
 */
export function askAgain(
  context: Context,
  message_id: string,
  plan: (question: Question) => Result<Run>,
  { keepPlace = false } = {},
): Result<Event> {
  const { tx, threads, runs } = context;
  const question = questionOf(context, message_id);
  const thread = question && threads.get(question.payload.thread_id, tx);
  if (question === undefined || thread === undefined) {
    return UNKNOWN_MESSAGE;
  }
  const { thread_id, message_id: question_id } = question.payload;
  const run = plan({ thread_id, question_id });
  if (!run.ok) return run;
  const stays = keepPlace && threads.leadsTo(question.seq, thread.head);
  const event = stays
    ? announce(context, { thread_id, question_id }, run.value)
    : announce(context, { thread_id, head_message_id: question_id }, run.value);
  if (!stays) threads.change(tx, thread, { head: question.seq, head_message_id: question_id });
  runs.accept(tx, run.value);
  return ok(event);
}

/** What asks for the run; unless another branch is to be shown, it says which question is meant. */
function announce({ tx }: Context, change: Change, { run_id }: Run): Event {
  const { thread_id } = change;
  return tx.append(
    { type: "thread_updated", payload: { ...change, run_id, timestamp: tx.timestamp } },
    { thread_id },
  );
}

type Change = Pick<ThreadUpdated["payload"], "thread_id" | "head_message_id" | "question_id">;

/** What the reply says, made from the event so that a duplicate gets the very same one. */
export function againFacts(event: Event): Omit<MessageAck["payload"], "duplicate"> {
  const { type, seq, payload } = event;
  const message_id = questionAskedBy(event);
  if (type !== "thread_updated" || message_id === undefined || payload.run_id === undefined) {
    throw new TypeError("the inbox points at an event of another kind");
  }
  const { thread_id, run_id } = payload;
  return { seq, message_id, thread_id, run_id };
}

export const UNKNOWN_MESSAGE = refuse("not_found", "no such message", { field: "payload.message_id" });
