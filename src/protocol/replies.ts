/** Replies: every command with an `id` gets exactly one, named by `reply_to`. */
import * as z from "zod/mini";
import { ERRORS, type ErrorCode } from "./errors.ts";
import { count, id, jsonObject, seq } from "./primitives.ts";

const errorCodes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

export const messageAck = z.object({
  type: z.literal("message_ack"),
  reply_to: id,
  payload: z.object({
    seq,
    message_id: id,
    thread_id: id,
    run_id: z.optional(id),
    /** True if this `id` had been accepted before; nothing was done again. */
    duplicate: z.boolean(),
  }),
});

export const commandAck = z.object({
  type: z.literal("command_ack"),
  reply_to: id,
  payload: z.object({
    seq: z.optional(seq),
    /** After `thread_create`. */
    thread_id: z.optional(id),
    duplicate: z.boolean(),
    /** After `state_update`: what the shared state has become. */
    version: z.optional(count),
    /** After `auth_refresh`: how long the new token is good for. */
    token_expires_in_ms: z.optional(count),
  }),
});

export const errorFrame = z.object({
  type: z.literal("error"),
  /** Present whenever the refused frame had a usable `id`. */
  reply_to: z.optional(id),
  payload: z.object({
    code: z.enum(errorCodes),
    message: z.string(),
    field: z.optional(z.string()),
    limit: z.optional(count),
    retryable: z.boolean(),
    retry_after_ms: z.optional(count),
    /** True if the connection is closed right after. */
    fatal: z.boolean(),
    details: z.optional(jsonObject),
  }),
});

export type MessageAck = z.infer<typeof messageAck>;
export type CommandAck = z.infer<typeof commandAck>;
export type ErrorFrame = z.infer<typeof errorFrame>;
export type Ack = MessageAck | CommandAck;
export type Reply = Ack | ErrorFrame;
