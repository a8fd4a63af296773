/** Which file carries out which command, and what is replied to it. */
import type { EffectCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { errorPayload } from "../../protocol/refusal.ts";
import type { Reply } from "../../protocol/replies.ts";
import type { Result } from "../../protocol/result.ts";
import type { Context } from "./context.ts";
import { type PublishCommand, publish } from "./publish.ts";
import { cancelAck, runCancel } from "./run-cancel.ts";
import { messageAck, userMessage } from "./user-message.ts";

/** Everything that goes through the inbox. */
export type Command = EffectCommand | PublishCommand;

/** What came of a command; `duplicate` if it had been carried out before. */
export type Outcome = Result<{ readonly event: Event; readonly duplicate: boolean }>;

/** Carries a command out, or refuses it having written nothing. The event is what its reply is made from. */
export function carryOut(context: Context, command: Command): Result<Event> {
  switch (command.type) {
    case "user_message":
      return userMessage(context, command);
    case "run_cancel":
      return runCancel(context, command);
    case "publish":
      return publish(context, command);
  }
}

/** The one reply to a client's command. */
export function replyTo(command: EffectCommand, outcome: Outcome): Reply {
  if (!outcome.ok) return { type: "error", reply_to: command.id, payload: errorPayload(outcome.refusal) };
  const { event, duplicate } = outcome.value;
  switch (command.type) {
    case "user_message":
      return messageAck(command, event, duplicate);
    case "run_cancel":
      return cancelAck(command, event, duplicate);
  }
}
