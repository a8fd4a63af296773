/** What a client may send: one schema per frame, and their union. */
import * as z from "zod/mini";
import { MAX_CONTENT_BYTES } from "./limits.ts";
import { id, jsonObject, maxBytes, position } from "./primitives.ts";

export const userMessageCommand = z.object({
  type: z.literal("user_message"),
  id,
  payload: z.object({
    content: z.string().check(z.minLength(1), maxBytes(MAX_CONTENT_BYTES)),
    /** Absent: the default thread. A new UUID made by the client creates the thread. */
    thread_id: z.optional(id),
    /** Absent: after the newest message of the thread. */
    parent_message_id: z.optional(id),
    /** Structured input for the agent. */
    data: z.optional(jsonObject),
    /** Kept and sent back with the event; never read by the server. */
    metadata: z.optional(jsonObject),
    /** False: store the message without starting a run. */
    respond: z.optional(z.boolean()),
  }),
});

export const runCancelCommand = z.object({
  type: z.literal("run_cancel"),
  id,
  payload: z.object({ run_id: id }),
});

/** Cumulative: everything up to `seq` was handed to the application. */
export const ackCommand = z.object({
  type: z.literal("ack"),
  id: z.optional(id),
  payload: z.object({ seq: position }),
});

export const pingCommand = z.object({
  type: z.literal("ping"),
  id: z.optional(id),
  payload: z.object({}),
});

/** The answer to a `ping` of the server; any other frame would do as well. */
export const pongCommand = z.object({
  type: z.literal("pong"),
  id: z.optional(id),
  payload: z.object({}),
});

/** Asks for a fresh `state_snapshot`, as after a gap. */
export const resyncCommand = z.object({
  type: z.literal("resync"),
  id,
  payload: z.object({}),
});

/** Longer than any token that is accepted. */
const MAX_TOKEN_CHARS = 16 * 1024;

/** Another token of the same user, before the one the connection was made with ends. */
export const authRefreshCommand = z.object({
  type: z.literal("auth_refresh"),
  id,
  payload: z.object({ token: z.string().check(z.minLength(1), z.maxLength(MAX_TOKEN_CHARS)) }),
});

/** A schema for each type of frame. */
export const COMMANDS = {
  user_message: userMessageCommand,
  run_cancel: runCancelCommand,
  ack: ackCommand,
  ping: pingCommand,
  pong: pongCommand,
  resync: resyncCommand,
  auth_refresh: authRefreshCommand,
} as const;

export const clientFrame = z.union(Object.values(COMMANDS));

export type CommandType = keyof typeof COMMANDS;
export type ClientFrame = z.infer<(typeof COMMANDS)[CommandType]>;
export type UserMessageCommand = z.infer<typeof userMessageCommand>;
export type AuthRefreshCommand = z.infer<typeof authRefreshCommand>;
export type RunCancelCommand = z.infer<typeof runCancelCommand>;

/** Commands with an effect: they have an `id`, go through the inbox and get exactly one reply. */
export type EffectCommand = UserMessageCommand | RunCancelCommand;
export type ControlFrame = Exclude<ClientFrame, EffectCommand>;

export function isEffect(frame: ClientFrame): frame is EffectCommand {
  return frame.type === "user_message" || frame.type === "run_cancel";
}

export function isCommandType(type: string): type is CommandType {
  return Object.hasOwn(COMMANDS, type);
}
