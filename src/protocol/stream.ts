/** Stream frames: fast, transient, without a `seq`; losing one costs nothing. */
import * as z from "zod/mini";
import { author, count, type DeepReadonly, id, position, rating, timestamp } from "./primitives.ts";
import { report } from "./report.ts";
import { runError, runStatus, waitKind } from "./run-events.ts";
import { patch } from "./shared.ts";

/** As little as possible: there are hundreds of these to an answer, and what else is known of the run came with its events. */
const ofAnswer = {
  run_id: id,
  /** The answer's id. */
  message_id: id,
  /** A frame with a lower attempt than one already seen is ignored. */
  attempt: z.int().check(z.gte(1)),
};

/** A piece of the answer: appended at `offset` (UTF-16 code units), or, with `mode: "set"`, the whole text so far. */
export const partialResult = z.object({
  type: z.literal("partial_result"),
  payload: z.union([
    z.object({ ...ofAnswer, offset: count, delta: z.string() }),
    z.object({ ...ofAnswer, mode: z.literal("set"), text: z.string() }),
  ]),
});

/** How far a tool call is, as the tool says; only for whoever is there, and nothing of it is kept. */
export const toolProgress = z.object({
  type: z.literal("tool_progress"),
  payload: z.object({ run_id: id, tool_call_id: id, note: z.string() }),
});

export const thread = z.object({
  thread_id: id,
  title: z.string(),
  /** The newest message of the branch that is shown; null while nothing has been said. */
  head_message_id: z.nullable(id),
  /** When something was last said in it. */
  updated_at: timestamp,
});

export const message = z.object({
  message_id: id,
  thread_id: id,
  role: z.enum(["user", "assistant"]),
  content: z.string(),
  seq: z.int().check(z.gte(1)),
  /** The message it follows; null for the first of a branch. */
  parent_message_id: z.nullable(id),
  /** Present if a service said it in the user's stead. */
  author: z.optional(author),
  run_id: z.optional(id),
  /** How the run that wrote this answer ended; absent for messages of the user. */
  status: z.optional(runStatus),
  /** Why there is no whole answer; absent if there is one, or somebody stopped it. */
  error: z.optional(runError),
  /** The structured result of that run, if it gave one. */
  report: z.optional(report),
  /** What the reader thinks of this answer, as last said. */
  rating: z.optional(rating),
  /** True if `content` was cut to make the snapshot fit; it is whole in `GET /v1/threads/{id}/messages`. */
  truncated: z.optional(z.boolean()),
  timestamp,
});

export const step = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("thinking"), step: count, thought: z.string() }),
  z.object({
    kind: z.literal("tool"),
    step: count,
    tool_call_id: id,
    tool_name: z.string(),
    args: z.unknown(),
    status: z.enum(["running", "ok", "error", "denied"]),
    result: z.optional(z.unknown()),
    error: z.optional(z.object({ code: z.string(), message: z.string() })),
    duration_ms: z.optional(z.number()),
  }),
]);

const openWait = z.object({
  wait_id: id,
  kind: waitKind,
  tool_call_id: z.optional(id),
  tool_name: z.optional(z.string()),
  args: z.optional(z.unknown()),
  /** There are arguments, which `run_waiting` has; they were left out to make the snapshot fit. */
  args_omitted: z.optional(z.literal(true)),
  name: z.optional(z.string()),
  reason: z.optional(z.string()),
  expires_at: timestamp,
});

export const run = z.object({
  run_id: id,
  thread_id: id,
  /** The message that is being answered. */
  question_id: id,
  agent_name: z.string(),
  status: z.enum(["queued", "running", "waiting", "succeeded", "failed", "cancelled", "interrupted"]),
  /** The attempt whose text is shown; 0 before any text came. */
  attempt: count,
  text: z.string(),
  steps: z.array(step),
  /** What it waits for, if it waits. */
  waits: z.optional(z.array(openWait)),
  report: z.optional(report),
  /** True if steps, waits or text were cut to make the snapshot fit. */
  truncated: z.optional(z.boolean()),
});

export const stateSnapshot = z.object({
  type: z.literal("state_snapshot"),
  payload: z.object({
    /** The next event is the one after this seq. */
    as_of_seq: position,
    threads: z.array(thread),
    /** The newest messages of the newest thread, oldest first. */
    messages: z.array(message),
    /** Runs in progress. */
    runs: z.array(run),
    /** Present if there was no room for some of them, however short: how many. */
    runs_omitted: z.optional(count),
    /** Notifications nobody has acknowledged, oldest first. */
    notifications: z.array(z.object({ seq: position, topic: z.string(), data: z.unknown(), timestamp })),
    /** Present if they did not all fit: how many older ones were left out, and the seq of the first of them. */
    notifications_omitted: z.optional(z.object({ count, from: position })),
    /** Of the shared state; 0 until there is one. */
    version: count,
    shared: z.unknown(),
  }),
});

/** What makes the shared state of `version` from the one of `base_version`; in order, and to everyone, the sender included. */
export const statePatch = z.object({
  type: z.literal("state_patch"),
  payload: z.object({ base_version: count, version: count, patch }),
});

/** Sent to a client that has been silent for long; one that stays silent is disconnected. */
export const ping = z.object({
  type: z.literal("ping"),
  payload: z.object({}),
});

/** The token of this connection ends soon: `auth_refresh` with another keeps the connection. */
export const authExpiring = z.object({
  type: z.literal("auth_expiring"),
  payload: z.object({ expires_in_ms: count }),
});

export const pong = z.object({
  type: z.literal("pong"),
  /** Present if the `ping` had an `id`. */
  reply_to: z.optional(id),
  payload: z.object({}),
});

export type ToolProgress = z.infer<typeof toolProgress>;
export type PartialResult = z.infer<typeof partialResult>;
export type StateSnapshot = DeepReadonly<z.infer<typeof stateSnapshot>>;
export type StatePatch = DeepReadonly<z.infer<typeof statePatch>>;
export type AuthExpiring = z.infer<typeof authExpiring>;
export type Ping = z.infer<typeof ping>;
export type Pong = z.infer<typeof pong>;
