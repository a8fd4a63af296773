/** `feedback`: what a person thinks of an answer; the last word counts. */
import type { FeedbackCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { seqOf } from "../ids.ts";
import { readEvent } from "../stored-event.ts";
import { messageView } from "../threads.ts";
import type { Context } from "./context.ts";

export function feedback(context: Context, { payload }: FeedbackCommand): Result<Event> {
  const { tx, log, threads } = context;
  const { message_id, rating, comment } = payload;
  const asked = readEvent(log.at(seqOf(message_id, ["a"]) ?? 0));
  const thread_id = asked !== undefined && "thread_id" in asked.payload ? asked.payload.thread_id : "";
  const row = threads.find(thread_id, message_id);
  const answer = row && messageView(row);
  if (answer?.run_id === undefined) {
    return refuse("not_found", "no such answer", { field: "payload.message_id" });
  }
  const { run_id } = answer;
  const said = { message_id, thread_id, run_id, rating, ...(comment === undefined ? {} : { comment }) };
  return ok(
    tx.append({ type: "feedback_recorded", payload: { ...said, timestamp: tx.timestamp } }, { thread_id }),
  );
}
