/** Which file carries out which command, and what is replied to it. */
import type { EffectCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { errorPayload } from "../../protocol/refusal.ts";
import type { Reply } from "../../protocol/replies.ts";
import type { Result } from "../../protocol/result.ts";
import type { Context } from "./context.ts";
import { messageRegenerate, regenerateFacts } from "./message-regenerate.ts";
import { type PublishCommand, publish } from "./publish.ts";
import { runCancel } from "./run-cancel.ts";
import { stateFacts, stateUpdate } from "./state-update.ts";
import { threadCreate, threadDelete, threadFacts, threadUpdate } from "./threads.ts";
import { messageFacts, userMessage } from "./user-message.ts";

/** Everything that goes through the inbox. */
export type Command = EffectCommand | PublishCommand;

/** The version that the shared state came to. */
export interface SharedVersion {
  readonly type: "shared_version";
  readonly version: number;
}

/** What a command did, and all that its reply is made from: the same when it comes again. */
export type Effect = Event | SharedVersion;

/** What came of a command; `duplicate` if it had been carried out before. */
export type Outcome = Result<{ readonly effect: Effect; readonly duplicate: boolean }>;

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
    case "state_update":
      return stateUpdate(context, command);
    case "publish":
      return publish(context, command);
  }
}

/** What everything but `state_update` did. */
export function eventOf(effect: Effect): Event {
  if (effect.type === "shared_version") throw new TypeError("the inbox points at no event");
  return effect;
}

/** The one reply to a client's command. */
export function replyTo(command: EffectCommand, outcome: Outcome): Reply {
  const reply_to = command.id;
  if (!outcome.ok) return { type: "error", reply_to, payload: errorPayload(outcome.refusal) };
  const { effect, duplicate } = outcome.value;
  switch (command.type) {
    case "user_message":
      return { type: "message_ack", reply_to, payload: { ...messageFacts(eventOf(effect)), duplicate } };
    case "message_regenerate":
      return { type: "message_ack", reply_to, payload: { ...regenerateFacts(eventOf(effect)), duplicate } };
    case "thread_create":
      return { type: "command_ack", reply_to, payload: { ...threadFacts(eventOf(effect)), duplicate } };
    case "state_update":
      return { type: "command_ack", reply_to, payload: { ...stateFacts(effect), duplicate } };
    case "run_cancel":
    case "thread_update":
    case "thread_delete":
      return { type: "command_ack", reply_to, payload: { seq: eventOf(effect).seq, duplicate } };
  }
}
