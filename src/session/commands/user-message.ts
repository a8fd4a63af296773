/** `user_message`: a person says something; unless told otherwise, an agent answers. */
import type { UserMessageCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import type { MessageAck } from "../../protocol/replies.ts";
import type { Result } from "../../protocol/result.ts";
import type { Question } from "../planning.ts";
import type { Context } from "./context.ts";
import { refuseOverBudget, refuseWithoutAgents } from "./permissions.ts";
import { sayUnder } from "./policies.ts";
import { say } from "./saying.ts";

export function userMessage(context: Context, { id, payload }: UserMessageCommand): Result<Event> {
  const { tx, runs, agent, who, client_id } = context;
  const { policy, ...said } = payload;
  const words = { ...said, client_id, id };
  if (payload.respond === false) return say(context, words);
  const plan = (question: Question, place?: { readonly inPlace: boolean }) =>
    runs.planning.plan(tx, { ...question, plan: who.plan }, agent, place);
  const refused = refuseWithoutAgents(who, "payload.respond") ?? refuseOverBudget(context, agent);
  return refused ?? sayUnder(policy, context, words, plan);
}

/** What its reply says, made from the event so that a duplicate gets the very same one. */
export function messageFacts(event: Event): Omit<MessageAck["payload"], "duplicate"> {
  if (event.type !== "user_message") throw new TypeError("the inbox points at an event of another kind");
  const { message_id, thread_id, run_id } = event.payload;
  const run = run_id === undefined ? {} : { run_id };
  return { seq: event.seq, message_id, thread_id, ...run };
}
