/** Which file carries out which command. */
import type { EffectCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import type { CommandAck, MessageAck } from "../../protocol/replies.ts";
import type { Result } from "../../protocol/result.ts";
import type { Context } from "./context.ts";
import { cancelAck, runCancel } from "./run-cancel.ts";
import { messageAck, userMessage } from "./user-message.ts";

/** Carries a command out, or refuses it having written nothing. The event is what its reply is made from. */
export function carryOut(context: Context, command: EffectCommand): Result<Event> {
  switch (command.type) {
    case "user_message":
      return userMessage(context, command);
    case "run_cancel":
      return runCancel(context, command);
  }
}

export function acknowledgement(
  command: EffectCommand,
  event: Event,
  duplicate: boolean,
): MessageAck | CommandAck {
  switch (command.type) {
    case "user_message":
      return messageAck(command, event, duplicate);
    case "run_cancel":
      return cancelAck(command, event, duplicate);
  }
}
