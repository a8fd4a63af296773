/** Which file carries out which command, and what is replied to it. */
import type { EffectCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { errorPayload } from "../../protocol/refusal.ts";
import type { Ack, Reply } from "../../protocol/replies.ts";
import type { Result } from "../../protocol/result.ts";
import { againFacts } from "./asking-again.ts";
import type { Context } from "./context.ts";
import { type FeedCommand, feed } from "./feed.ts";
import { feedback } from "./feedback.ts";
import { messageRegenerate } from "./message-regenerate.ts";
import { type PublishCommand, publish } from "./publish.ts";
import { runCancel } from "./run-cancel.ts";
import { type RunStartCommand, runStart } from "./run-start.ts";
import { threadCreate, threadDelete, threadFacts, threadUpdate } from "./threads.ts";
import { messageFacts, userMessage } from "./user-message.ts";

/** Everything that goes through the inbox. */
export type Command = EffectCommand | PublishCommand | RunStartCommand | FeedCommand;

/** What a command did, and all that its reply is made from: the same when it comes again. */
export type Effect = Event;

/** `duplicate` if it had been carried out before. */
export interface Done {
  readonly effect: Effect;
  readonly duplicate: boolean;
}

/** What came of a command. */
export type Outcome = Result<Done>;

/** Carries a command out, or refuses it having written nothing. */
export function carryOut(context: Context, command: Command): Result<Effect> {
  switch (command.type) {
    case "user_message":
      return userMessage(context, command);
    case "message_regenerate":
      return messageRegenerate(context, command);
    case "run_cancel":
      return runCancel(context, command);
    case "thread_create":
      return threadCreate(context, command);
    case "thread_update":
      return threadUpdate(context, command);
    case "thread_delete":
      return threadDelete(context, command);
    case "feedback":
      return feedback(context, command);
    case "publish":
      return publish(context, command);
    case "run_start":
      return runStart(context, command);
    case "feed":
      return feed(context, command);
  }
}

/** The one reply to a client's command. */
export function replyTo(command: EffectCommand, outcome: Outcome): Reply {
  if (outcome.ok) return ackOf(command, outcome.value);
  return { type: "error", reply_to: command.id, payload: errorPayload(outcome.refusal) };
}

/** What it is told if it was carried out. */
export function ackOf(command: EffectCommand, { effect, duplicate }: Done): Ack {
  const reply_to = command.id;
  switch (command.type) {
    case "user_message":
      return { type: "message_ack", reply_to, payload: { ...messageFacts(effect), duplicate } };
    case "message_regenerate":
      return { type: "message_ack", reply_to, payload: { ...againFacts(effect), duplicate } };
    case "thread_create":
      return { type: "command_ack", reply_to, payload: { ...threadFacts(effect), duplicate } };
    case "run_cancel":
    case "thread_update":
    case "thread_delete":
    case "feedback":
      return { type: "command_ack", reply_to, payload: { seq: effect.seq, duplicate } };
  }
}
