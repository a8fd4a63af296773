/**
 * The events of a user's log: facts, with a `seq`, kept. What a client is sent
 * for an event is exactly the stored frame.
 */
import * as z from "zod/mini";
import { author, id, jsonObject, position, seq, timestamp } from "./primitives.ts";
import {
  agentCompleted,
  agentStarted,
  agentThinking,
  finalReport,
  runResumed,
  runWaiting,
  toolCompleted,
  toolExecuting,
} from "./run-events.ts";
import { feedbackRecorded, threadCreated, threadDeleted, threadUpdated } from "./thread-events.ts";

export const userMessage = z.object({
  type: z.literal("user_message"),
  seq,
  payload: z.object({
    message_id: id,
    thread_id: id,
    /** Present if this message made the thread, or was the first to be said in it. */
    thread: z.optional(z.object({ title: z.string() })),
    /** The message this one follows; null for the first of a thread. */
    parent_message_id: z.nullable(id),
    /** The run that answers; absent if the message asked for none. */
    run_id: z.optional(id),
    content: z.string(),
    /** Present if another than the user said it. */
    author: z.optional(author),
    data: z.optional(jsonObject),
    metadata: z.optional(jsonObject),
    /** The client that sent it, and the id it sent it under: how a tab knows its own message. */
    client_id: id,
    id,
    timestamp,
  }),
});

export const notification = z.object({
  type: z.literal("notification"),
  seq,
  payload: z.object({ topic: z.string(), data: z.unknown(), timestamp }),
});

/** Not in the log: tells a client that the seqs `from` to `to` will never come. */
export const eventsSkipped = z.object({
  type: z.literal("events_skipped"),
  payload: z.object({
    from: seq,
    to: position,
    reason: z.enum(["expired", "erased", "trimmed"]),
  }),
});

/** The event catalogue: a schema for each type. */
export const EVENTS = {
  user_message: userMessage,
  agent_started: agentStarted,
  agent_thinking: agentThinking,
  tool_executing: toolExecuting,
  tool_completed: toolCompleted,
  run_waiting: runWaiting,
  run_resumed: runResumed,
  final_report: finalReport,
  agent_completed: agentCompleted,
  thread_created: threadCreated,
  thread_updated: threadUpdated,
  thread_deleted: threadDeleted,
  feedback_recorded: feedbackRecorded,
  notification,
} as const;

export const event = z.union(Object.values(EVENTS));

export type UserMessage = z.infer<typeof userMessage>;
export type Notification = z.infer<typeof notification>;
export type EventsSkipped = z.infer<typeof eventsSkipped>;
export type EventType = keyof typeof EVENTS;
export type Event = z.infer<(typeof EVENTS)[EventType]>;

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENTS, type);
}
