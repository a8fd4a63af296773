/**
 * The events of a run. Legal order: `agent_started`; then `agent_thinking`,
 * `tool_executing` → `tool_completed` and `final_report` as they come; then
 * exactly one `agent_completed`. `run_seq` is gapless from 0.
 */
import * as z from "zod/mini";
import { count, id, jsonObject, seq, timestamp } from "./primitives.ts";
import { report } from "./report.ts";

/** In the payload of every event of a run; always strings, never null. */
const ofRun = {
  run_id: id,
  thread_id: id,
  agent_name: z.string().check(z.minLength(1)),
  run_seq: count,
  timestamp,
};

/** Ordinal of the durable effect, the same on every attempt: the key of the journal. */
const step = count;

const failure = z.object({ code: z.string(), message: z.string() });

/** Why a run has no whole answer. */
export const runError = z.object({ code: z.string(), message: z.string(), retryable: z.boolean() });

export const finishReason = z.enum([
  "stop",
  "length",
  /** The model's provider has withheld the rest. */
  "content-filter",
  "tool-calls",
  "error",
  "interrupted",
  "cancelled",
  "other",
]);
export const runStatus = z.enum(["succeeded", "failed", "cancelled", "interrupted"]);
export const toolStatus = z.enum(["ok", "error", "denied"]);

/** What of each event only whoever executes the run can say: with `ofRun` it is its payload. */
export const THINKING = { step, thought: z.string() };
export const EXECUTING = { step, tool_call_id: id, tool_name: z.string(), args: z.unknown() };
export const TOOL_COMPLETED = {
  step,
  tool_call_id: id,
  tool_name: z.string(),
  status: toolStatus,
  result: z.optional(z.unknown()),
  error: z.optional(failure),
  duration_ms: z.number().check(z.gte(0)),
};
export const REPORT = { step, report };
export const COMPLETED = {
  status: runStatus,
  /** The whole answer: the concatenation of every `partial_result` of the last attempt. */
  content: z.string(),
  finish_reason: finishReason,
  usage: z.array(jsonObject),
  error: z.optional(runError),
};

export const agentStarted = z.object({
  type: z.literal("agent_started"),
  seq,
  payload: z.object({
    ...ofRun,
    agent_version: z.string(),
    /** The question's id. */
    message_id: id,
  }),
});

export const agentThinking = z.object({
  type: z.literal("agent_thinking"),
  seq,
  payload: z.object({ ...ofRun, ...THINKING }),
});

export const toolExecuting = z.object({
  type: z.literal("tool_executing"),
  seq,
  payload: z.object({ ...ofRun, ...EXECUTING }),
});

export const toolCompleted = z.object({
  type: z.literal("tool_completed"),
  seq,
  payload: z.object({ ...ofRun, ...TOOL_COMPLETED }),
});

export const waitKind = z.enum(["approval", "client_tool", "signal", "timer"]);
export const decision = z.enum(["approved", "denied", "answered", "failed", "expired"]);

/** The run goes no further before this is answered by `run_resume`, or its time is over. */
export const runWaiting = z.object({
  type: z.literal("run_waiting"),
  seq,
  payload: z.object({
    ...ofRun,
    step,
    wait_id: id,
    kind: waitKind,
    /** The call that is to be agreed to, or executed by a client: what is answered holds for exactly these arguments. */
    tool_call_id: z.optional(id),
    tool_name: z.optional(z.string()),
    args: z.optional(z.unknown()),
    /** Of a signal. */
    name: z.optional(z.string()),
    reason: z.optional(z.string()),
    expires_at: timestamp,
    /** The one that has written `text`: what is streamed later comes from a higher one. */
    attempt: z.int().check(z.gte(1)),
    /** The answer so far, since nothing streams while the run waits. */
    text: z.optional(z.string()),
  }),
});

export const runResumed = z.object({
  type: z.literal("run_resumed"),
  seq,
  payload: z.object({ ...ofRun, wait_id: id, decision, value: z.optional(z.unknown()) }),
});

export const finalReport = z.object({
  type: z.literal("final_report"),
  seq,
  payload: z.object({ ...ofRun, ...REPORT }),
});

export const agentCompleted = z.object({
  type: z.literal("agent_completed"),
  seq,
  payload: z.object({
    ...ofRun,
    /** The answer's id, fixed when the run was accepted. */
    message_id: id,
    /** The message it follows: the newest of its branch, which need not be the question. */
    parent_message_id: id,
    ...COMPLETED,
    attempts: z.int().check(z.gte(0)),
    duration_ms: z.number().check(z.gte(0)),
  }),
});

export type FinishReason = z.infer<typeof finishReason>;
export type RunStatus = z.infer<typeof runStatus>;
export type ToolStatus = z.infer<typeof toolStatus>;
export type AgentStarted = z.infer<typeof agentStarted>;
export type AgentThinking = z.infer<typeof agentThinking>;
export type ToolExecuting = z.infer<typeof toolExecuting>;
export type ToolCompleted = z.infer<typeof toolCompleted>;
export type RunWaiting = z.infer<typeof runWaiting>;
export type RunResumed = z.infer<typeof runResumed>;
export type WaitKind = z.infer<typeof waitKind>;
/** How a wait ended; `expired` if nobody answered. */
export type Decision = z.infer<typeof decision>;
export type FinalReport = z.infer<typeof finalReport>;
export type AgentCompleted = z.infer<typeof agentCompleted>;
