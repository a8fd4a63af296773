/**
 * What a service may do with a user's runs: start one, and feed the events of one
 * that it executes itself. Only what the feeder alone can know comes from it; the
 * server fills in the rest, so that a fed run looks like any other.
 */
import * as z from "zod/mini";
import { MAX_CONTENT_BYTES, MAX_FED_EVENT_BYTES } from "./limits.ts";
import { count, fitsBytes, id, jsonObject, maxBytes } from "./primitives.ts";
import { type Refusal, refuse } from "./result.ts";
import { COMPLETED, EXECUTING, finishReason, REPORT, THINKING, TOOL_COMPLETED } from "./run-events.ts";

/** How long a feeder may be silent, if it says nothing about it; and what it may say. */
export const SILENT_AFTER_MS = 60_000;
const MIN_SILENT_AFTER_MS = 1_000;
const MAX_SILENT_AFTER_MS = 3_600_000;

/** Events and pieces of text in one batch. */
export const MAX_FED = 256;

export const runStart = z.object({
  executor: z.enum(["agent", "feed"]),
  /** The message to be answered: said now, or, with `message_id`, before. */
  content: z.optional(z.string().check(z.minLength(1), maxBytes(MAX_CONTENT_BYTES))),
  thread_id: z.optional(id),
  parent_message_id: z.optional(z.nullable(id)),
  data: z.optional(jsonObject),
  metadata: z.optional(jsonObject),
  message_id: z.optional(id),
  /** Ends the run that is answering that message, and takes its place. */
  takeover: z.optional(z.boolean()),
  agent_name: z.optional(id),
  agent_version: z.optional(z.string().check(z.maxLength(64))),
  silent_after_ms: z.optional(z.int().check(z.gte(MIN_SILENT_AFTER_MS), z.lte(MAX_SILENT_AFTER_MS))),
});

/** Over the limit as JSON it would not fit the log. */
const fits = z.refine<object>((payload) => fitsBytes(JSON.stringify(payload), MAX_FED_EVENT_BYTES), {
  params: { limit_bytes: MAX_FED_EVENT_BYTES },
});

/** An answer of any length is taken, and cut: only what comes with it must fit. */
const fitsBeside = z.refine<object>(
  (payload) => fitsBytes(JSON.stringify({ ...payload, content: "" }), MAX_FED_EVENT_BYTES),
  { params: { limit_bytes: MAX_FED_EVENT_BYTES } },
);

const step = z.int().check(z.gte(1));
const run_seq = z.int().check(z.gte(1));

export const fedThinking = z.object({ ...THINKING, step });
export const fedExecuting = z.object({ ...EXECUTING, step });
export const fedToolCompleted = z.object({ ...TOOL_COMPLETED, step });
export const fedReport = z.object({ ...REPORT, step });
export const fedCompleted = z.object({
  ...COMPLETED,
  finish_reason: z.optional(finishReason),
  usage: z._default(COMPLETED.usage, []),
});

const fedEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("agent_thinking"), run_seq, payload: fedThinking.check(fits) }),
  z.object({ type: z.literal("tool_executing"), run_seq, payload: fedExecuting.check(fits) }),
  z.object({ type: z.literal("tool_completed"), run_seq, payload: fedToolCompleted.check(fits) }),
  z.object({ type: z.literal("final_report"), run_seq, payload: fedReport.check(fits) }),
  z.object({ type: z.literal("agent_completed"), run_seq, payload: fedCompleted.check(fitsBeside) }),
]);

/** Not kept, and so without a number: the text as it is written, as in `partial_result`. */
const fedText = z.object({
  type: z.literal("partial_result"),
  payload: z.union([
    z.object({ offset: count, delta: z.string() }),
    z.object({ mode: z.literal("set"), text: z.string() }),
  ]),
});

/** In the order in which it happened. Nothing at all says that the feeder is still there. */
export const feeding = z.object({
  events: z.array(z.discriminatedUnion("type", [fedEvent, fedText])).check(z.maxLength(MAX_FED)),
});

export type RunStart = Readonly<z.infer<typeof runStart>>;
export type FedEvent = z.infer<typeof fedEvent>;
export type FedText = z.infer<typeof fedText>["payload"];
export type Fed = z.infer<typeof feeding>["events"][number];

/** Fields that make no sense together, or not without another. */
export function contradiction(start: RunStart): { ok: false; refusal: Refusal } | undefined {
  const of = (field: string, rule: string) => refuse("invalid_payload", `${field} ${rule}`, { field });
  const { content, message_id, executor, agent_name } = start;
  if (content === undefined && message_id === undefined) return of("content", "or message_id is required");
  if (content === undefined) {
    for (const field of ["thread_id", "parent_message_id", "data", "metadata"] as const) {
      if (start[field] !== undefined) return of(field, "belongs to content");
    }
  } else if (message_id !== undefined) return of("message_id", "has no place beside content");
  else if (start.takeover) return of("takeover", "needs message_id");
  if (executor === "feed")
    return agent_name === undefined ? of("agent_name", "is required for a feed") : undefined;
  for (const field of ["agent_name", "agent_version", "silent_after_ms"] as const) {
    if (start[field] !== undefined) return of(field, "is for a feed");
  }
  return undefined;
}
