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
import { runResume, type WaitAnswerCommand, waitAnswer } from "./run-resume.ts";
import { type RunStartCommand, runStart } from "./run-start.ts";
import { stateFacts, stateUpdate } from "./state-update.ts";
import { threadCreate, threadDelete, threadFacts, threadUpdate } from "./threads.ts";
import { messageFacts, userMessage } from "./user-message.ts";

/** Everything that goes through the inbox. */
export type Command = EffectCommand | PublishCommand | RunStartCommand | FeedCommand | WaitAnswerCommand;

/** The version that the shared state came to. */
export interface SharedVersion {
  readonly type: "shared_version";
  readonly version: number;
}

/** What a command did, and all that its reply is made from: the same when it comes again. */
export type Effect = Event | SharedVersion;

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
    case "run_resume":
      return runResume(context, command);
    case "thread_create":
      return threadCreate(context, command);
    case "thread_update":
      return threadUpdate(context, command);
    case "thread_delete":
      return threadDelete(context, command);
    case "feedback":
      return feedback(context, command);
    case "state_update":
      return stateUpdate(context, command);
    case "publish":
      return publish(context, command);
    case "run_start":
      return runStart(context, command);
    case "feed":
      return feed(context, command);
    case "wait_answer":
      return waitAnswer(context, command);
  }
}

/** What everything but `state_update` did. */
export function eventOf(effect: Effect): Event {
  if (effect.type === "shared_version") throw new TypeError("the inbox points at no event");
  return effect;
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
      return { type: "message_ack", reply_to, payload: { ...messageFacts(eventOf(effect)), duplicate } };
    case "message_regenerate":
      return { type: "message_ack", reply_to, payload: { ...againFacts(eventOf(effect)), duplicate } };
    case "thread_create":
      return { type: "command_ack", reply_to, payload: { ...threadFacts(eventOf(effect)), duplicate } };
    case "state_update":
      return { type: "command_ack", reply_to, payload: { ...stateFacts(effect), duplicate } };
    case "run_cancel":
    case "run_resume":
    case "thread_update":
    case "thread_delete":
    case "feedback":
      return { type: "command_ack", reply_to, payload: { seq: eventOf(effect).seq, duplicate } };
  }
}
