/** `message_regenerate`: another answer to the same question; the one there was stays on its own branch. */
import type { MessageRegenerateCommand } from "../../protocol/commands.ts";
import type { Event, UserMessage } from "../../protocol/events.ts";
import type { MessageAck } from "../../protocol/replies.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { seqOf } from "../ids.ts";
import { readEvent } from "../log.ts";
import type { Context } from "./context.ts";
import { refuseWithoutAgents } from "./permissions.ts";

export function messageRegenerate(context: Context, { payload }: MessageRegenerateCommand): Result<Event> {
  const { tx, threads, runs, agent, who } = context;
  const refused = refuseWithoutAgents(who, "payload.message_id");
  if (refused !== undefined) return refused;
  const { message_id } = payload;
  const question = questionOf(context, message_id);
  const named = [message_id, question?.payload.message_id];
  if (runs.unfinished().some((run) => named.includes(run.question_id) || named.includes(run.message_id))) {
    return refuse("conflict", "this message is being answered", { field: "payload.message_id" });
  }
  const thread = question && threads.get(question.payload.thread_id, tx);
  if (question === undefined || thread === undefined) {
    return refuse("not_found", "no such message", { field: "payload.message_id" });
  }
  const { thread_id, message_id: question_id } = question.payload;
  const run = runs.plan(tx, { thread_id, question_id, plan: who.plan }, agent);
  if (!run.ok) return run;
  threads.change(tx, thread, { head: question.seq, head_message_id: question_id });
  const { run_id } = run.value;
  const event = tx.append(
    {
      type: "thread_updated",
      payload: { thread_id, head_message_id: question_id, run_id, timestamp: tx.timestamp },
    },
    { thread_id },
  );
  runs.accept(tx, run.value);
  return ok(event);
}

/** What its reply says, made from the event so that a duplicate gets the very same one. */
export function regenerateFacts({ type, seq, payload }: Event): Omit<MessageAck["payload"], "duplicate"> {
  if (type !== "thread_updated" || payload.head_message_id === undefined || payload.run_id === undefined) {
    throw new TypeError("the inbox points at an event of another kind");
  }
  const { thread_id, head_message_id, run_id } = payload;
  return { seq, message_id: head_message_id, thread_id, run_id };
}

/** The message itself, if a person said it; of an answer, what it answers. */
function questionOf({ log, threads }: Context, message_id: string): UserMessage | undefined {
  const asked = readEvent(log.at(seqOf(message_id, ["m", "a"]) ?? 0));
  const thread_id = asked !== undefined && "thread_id" in asked.payload ? asked.payload.thread_id : "";
  if (threads.find(thread_id, message_id) === undefined) return undefined;
  if (asked?.type === "user_message") return asked;
  const again = asked?.type === "thread_updated" ? asked.payload.head_message_id : undefined;
  const question = readEvent(log.at(seqOf(again, ["m"]) ?? 0));
  return question?.type === "user_message" ? question : undefined;
}
