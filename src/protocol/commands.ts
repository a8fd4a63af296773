/** What a client may send: one schema per frame, and their union. */
import * as z from "zod/mini";
import { MAX_COMMENT_BYTES, MAX_CONTENT_BYTES, MAX_TITLE_CHARS } from "./limits.ts";
import { count, id, jsonObject, maxBytes, position, rating } from "./primitives.ts";
import { patch } from "./shared.ts";

/**
 * LangGraph's words for messages that come while a run is at work: it waits for
 * its turn, is refused, takes the place of what is there, or joins it.
 */
export const policy = z.enum(["enqueue", "reject", "interrupt", "steer"]);

export const userMessageCommand = z.object({
  type: z.literal("user_message"),
  id,
  payload: z.object({
    content: z.string().check(z.minLength(1), maxBytes(MAX_CONTENT_BYTES)),
    /** Absent: the default thread. A new UUID made by the client creates the thread. */
    thread_id: z.optional(id),
    /** Absent: after the newest message of the thread. Any other: on a branch of its own; null: a branch from the beginning. */
    parent_message_id: z.optional(z.nullable(id)),
    /** Structured input for the agent. */
    data: z.optional(jsonObject),
    /** Kept and sent back with the event; never read by the server. */
    metadata: z.optional(jsonObject),
    /** False: store the message without starting a run. */
    respond: z.optional(z.boolean()),
    /** What happens if the thread is being answered already; `enqueue` if nothing is said. */
    policy: z.optional(policy),
  }),
});

export const runCancelCommand = z.object({
  type: z.literal("run_cancel"),
  id,
  payload: z.object({ run_id: id }),
});

const WAIT_ANSWER = {
  decision: z.optional(z.enum(["approved", "denied", "answered", "failed"])),
  value: z.optional(z.unknown()),
};

/** Answers what a run waits for, once. An approval needs `approved` or `denied`; a tool of a client, and a signal, a `value` or `failed`. */
export const runResumeCommand = z.object({
  type: z.literal("run_resume"),
  id,
  payload: z.object({ wait_id: id, ...WAIT_ANSWER }),
});

/** The same from a service, which names the wait in the path. */
export const waitAnswer = z.object(WAIT_ANSWER);

/** Another answer to the same question, on a branch of its own. */
export const messageRegenerateCommand = z.object({
  type: z.literal("message_regenerate"),
  id,
  /** An answer, or the question itself. */
  payload: z.object({ message_id: id }),
});

const title = z.string().check(z.minLength(1), z.maxLength(MAX_TITLE_CHARS));

export const threadCreateCommand = z.object({
  type: z.literal("thread_create"),
  id,
  payload: z.object({
    /** A new UUID; absent: the server makes one. */
    thread_id: z.optional(id),
    /** Absent: made from the first message. */
    title: z.optional(title),
  }),
});

/** At least one of both. */
export const threadUpdateCommand = z.object({
  type: z.literal("thread_update"),
  id,
  payload: z.object({
    thread_id: id,
    title: z.optional(title),
    /** Shows the branch that ends with this message; what is said next follows it. */
    head_message_id: z.optional(id),
  }),
});

/** Removes what was said in it for good, and ends what is being answered there. */
export const threadDeleteCommand = z.object({
  type: z.literal("thread_delete"),
  id,
  payload: z.object({ thread_id: id }),
});

/** What a person thinks of an answer; said again, the last word counts. */
export const feedbackCommand = z.object({
  type: z.literal("feedback"),
  id,
  payload: z.object({
    message_id: id,
    rating,
    comment: z.optional(z.string().check(maxBytes(MAX_COMMENT_BYTES))),
  }),
});

/** Changes the user's shared state, if it is still the version the client knows. */
export const stateUpdateCommand = z.object({
  type: z.literal("state_update"),
  id,
  payload: z.object({ base_version: count, patch }),
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
  message_regenerate: messageRegenerateCommand,
  run_cancel: runCancelCommand,
  run_resume: runResumeCommand,
  thread_create: threadCreateCommand,
  thread_update: threadUpdateCommand,
  thread_delete: threadDeleteCommand,
  feedback: feedbackCommand,
  state_update: stateUpdateCommand,
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
export type MessageRegenerateCommand = z.infer<typeof messageRegenerateCommand>;
export type RunCancelCommand = z.infer<typeof runCancelCommand>;
export type RunResumeCommand = z.infer<typeof runResumeCommand>;
export type ThreadCreateCommand = z.infer<typeof threadCreateCommand>;
export type ThreadUpdateCommand = z.infer<typeof threadUpdateCommand>;
export type ThreadDeleteCommand = z.infer<typeof threadDeleteCommand>;
export type FeedbackCommand = z.infer<typeof feedbackCommand>;
export type StateUpdateCommand = z.infer<typeof stateUpdateCommand>;

/** Without effect on the log: they bypass the inbox. */
export type ControlFrame = Extract<ClientFrame, { readonly type: (typeof CONTROL)[number] }>;

/** Commands with an effect: they have an `id`, go through the inbox and get exactly one reply. */
export type EffectCommand = Exclude<ClientFrame, ControlFrame>;

const CONTROL = ["ack", "ping", "pong", "resync", "auth_refresh"] as const satisfies readonly CommandType[];

export function isEffect(frame: ClientFrame): frame is EffectCommand {
  return !CONTROL.some((type) => type === frame.type);
}

export function isCommandType(type: string): type is CommandType {
  return Object.hasOwn(COMMANDS, type);
}
