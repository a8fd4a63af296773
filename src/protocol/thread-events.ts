/** The events of a thread itself; what is said in it are messages. */
import * as z from "zod/mini";
import { id, rating, seq, timestamp } from "./primitives.ts";

export const threadCreated = z.object({
  type: z.literal("thread_created"),
  seq,
  payload: z.object({
    thread_id: id,
    /** Empty until the first message gives the thread one. */
    title: z.string(),
    timestamp,
  }),
});

/** What is absent has not changed. */
export const threadUpdated = z.object({
  type: z.literal("thread_updated"),
  seq,
  payload: z.object({
    thread_id: id,
    title: z.optional(z.string()),
    /** From here on the thread shows the branch that ends with this message. */
    head_message_id: z.optional(id),
    /** A run that is to answer that message again; or `question_id`, without another branch being shown. */
    run_id: z.optional(id),
    question_id: z.optional(id),
    timestamp,
  }),
});

/** All that was said in the thread is gone, for good. */
export const threadDeleted = z.object({
  type: z.literal("thread_deleted"),
  seq,
  payload: z.object({ thread_id: id, timestamp }),
});

/** Of an answer, by its reader; a later one takes the place of an earlier one. */
export const feedbackRecorded = z.object({
  type: z.literal("feedback_recorded"),
  seq,
  payload: z.object({
    message_id: id,
    thread_id: id,
    run_id: id,
    rating,
    comment: z.optional(z.string()),
    timestamp,
  }),
});

export type FeedbackRecorded = z.infer<typeof feedbackRecorded>;
export type ThreadCreated = z.infer<typeof threadCreated>;
export type ThreadUpdated = z.infer<typeof threadUpdated>;
export type ThreadDeleted = z.infer<typeof threadDeleted>;
