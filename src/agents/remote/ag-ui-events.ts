/**
 * The events of AG-UI (1.0 and 0.0.x) that say something about a run. Read as
 * leniently as can be: a field is asked for only where nothing could be said without
 * it, and what ends a run is understood whatever else is wrong with it.
 */
import * as z from "zod/mini";
import { isRecord, parseJson } from "../../protocol/pure/json.ts";

const text = z.string();
/** Absent, or `null` as older agents write it. */
const perhaps = z.nullish(text);
/** Looked at where it is used: whatever it is, the event counts. */
const anything = z.optional(z.unknown());

/** Which subagent it is of; absent, it is of the agent itself. */
const by = { subagentRunId: perhaps };

const SCHEMAS = {
  RUN_STARTED: z.object({ type: z.literal("RUN_STARTED") }),
  RUN_FINISHED: z.object({
    type: z.literal("RUN_FINISHED"),
    outcome: anything,
    result: anything,
    usage: anything,
  }),
  RUN_ERROR: z.object({
    type: z.literal("RUN_ERROR"),
    message: anything,
    code: anything,
    usage: anything,
  }),
  STEP_STARTED: z.object({ type: z.literal("STEP_STARTED"), ...by }),
  STEP_FINISHED: z.object({ type: z.literal("STEP_FINISHED"), ...by }),
  TEXT_MESSAGE_START: z.object({
    type: z.literal("TEXT_MESSAGE_START"),
    ...by,
    messageId: text,
    role: perhaps,
  }),
  TEXT_MESSAGE_CONTENT: z.object({
    type: z.literal("TEXT_MESSAGE_CONTENT"),
    ...by,
    messageId: text,
    delta: text,
  }),
  TEXT_MESSAGE_END: z.object({ type: z.literal("TEXT_MESSAGE_END"), ...by, messageId: text }),
  TEXT_MESSAGE_CHUNK: z.object({
    type: z.literal("TEXT_MESSAGE_CHUNK"),
    ...by,
    messageId: perhaps,
    role: perhaps,
    delta: perhaps,
  }),
  TOOL_CALL_START: z.object({
    type: z.literal("TOOL_CALL_START"),
    ...by,
    toolCallId: text,
    toolCallName: text,
  }),
  TOOL_CALL_ARGS: z.object({ type: z.literal("TOOL_CALL_ARGS"), ...by, toolCallId: text, delta: text }),
  TOOL_CALL_END: z.object({ type: z.literal("TOOL_CALL_END"), ...by, toolCallId: text }),
  TOOL_CALL_CHUNK: z.object({
    type: z.literal("TOOL_CALL_CHUNK"),
    ...by,
    toolCallId: perhaps,
    toolCallName: perhaps,
    delta: perhaps,
  }),
  TOOL_CALL_RESULT: z.object({
    type: z.literal("TOOL_CALL_RESULT"),
    ...by,
    toolCallId: text,
    content: anything,
    /** Not of the protocol, but sent: it is a field of the message that the result becomes. */
    error: anything,
  }),
  REASONING_START: z.object({ type: z.literal("REASONING_START"), ...by }),
  REASONING_END: z.object({ type: z.literal("REASONING_END"), ...by }),
  REASONING_MESSAGE_START: z.object({ type: z.literal("REASONING_MESSAGE_START"), ...by, messageId: text }),
  REASONING_MESSAGE_CONTENT: z.object({
    type: z.literal("REASONING_MESSAGE_CONTENT"),
    ...by,
    messageId: text,
    delta: text,
  }),
  REASONING_MESSAGE_END: z.object({ type: z.literal("REASONING_MESSAGE_END"), ...by, messageId: text }),
  REASONING_MESSAGE_CHUNK: z.object({
    type: z.literal("REASONING_MESSAGE_CHUNK"),
    ...by,
    messageId: perhaps,
    delta: perhaps,
  }),
  /** Those of 0.0.x have no ids. */
  THINKING_START: z.object({ type: z.literal("THINKING_START") }),
  THINKING_END: z.object({ type: z.literal("THINKING_END") }),
  THINKING_TEXT_MESSAGE_START: z.object({ type: z.literal("THINKING_TEXT_MESSAGE_START") }),
  THINKING_TEXT_MESSAGE_CONTENT: z.object({ type: z.literal("THINKING_TEXT_MESSAGE_CONTENT"), delta: text }),
  THINKING_TEXT_MESSAGE_END: z.object({ type: z.literal("THINKING_TEXT_MESSAGE_END") }),
  ACTIVITY_SNAPSHOT: z.object({
    type: z.literal("ACTIVITY_SNAPSHOT"),
    ...by,
    messageId: text,
    content: anything,
  }),
  MESSAGES_SNAPSHOT: z.object({ type: z.literal("MESSAGES_SNAPSHOT"), messages: anything }),
  CUSTOM: z.object({ type: z.literal("CUSTOM"), ...by, name: text, value: anything }),
  SUBAGENT_STARTED: z.object({
    type: z.literal("SUBAGENT_STARTED"),
    subagentRunId: text,
    name: perhaps,
  }),
  SUBAGENT_FINISHED: z.object({ type: z.literal("SUBAGENT_FINISHED"), subagentRunId: text }),
  SUBAGENT_ERROR: z.object({ type: z.literal("SUBAGENT_ERROR"), subagentRunId: text }),
};

export type AgUiEvent = z.infer<(typeof SCHEMAS)[keyof typeof SCHEMAS]>;

/** By its type, not in a union: what has another type is passed over without being looked at. */
const BY_TYPE: ReadonlyMap<unknown, z.ZodMiniType<AgUiEvent>> = new Map(Object.entries(SCHEMAS));

/**
 * One event as it stood in the stream; nothing, if it is no event that we know.
 * State (`STATE_*`, `ACTIVITY_DELTA`) is the agent's own, and what is `RAW` or
 * encrypted is for nobody here: they are not known.
 */
export function agUiEvent(data: string): AgUiEvent | undefined {
  const value = parseJson(data);
  if (!isRecord(value)) return undefined;
  return BY_TYPE.get(value.type)?.safeParse(value).data;
}
