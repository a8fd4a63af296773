/**
 * Text from the socket → a frame of the protocol. Checked are the fields the SDK
 * and its view rely on; the server's own schemas say the rest. Types this version
 * does not know are passed over, so that a newer server does not break it.
 */
import type { Event } from "../protocol/events.ts";
import { isRecord, parseJson } from "../protocol/pure/json.ts";
import type { ServerFrame } from "../protocol/server-frames.ts";

/** Replies, stream frames and what frames a connection: everything without a place in the log. */
export type OtherFrame = Exclude<ServerFrame, Event>;

/** Empty for a frame of a later version; undefined for what is none of this protocol. */
export type Incoming = Partial<Read> | undefined;

/** One of these. */
interface Read {
  readonly event: Event;
  readonly frame: OtherFrame;
  /** Of an event of a later version: nothing to show, but its seq counts. */
  readonly seq: number;
}

type Kind = "string" | "number" | "boolean" | "object" | "array";
type Fields = Readonly<Record<string, Kind>>;

const OF_RUN = { run_id: "string", thread_id: "string", agent_name: "string" } as const;
const OF_TOOL = { ...OF_RUN, step: "number", tool_call_id: "string", tool_name: "string" } as const;

const OF_THREAD = { thread_id: "string" } as const;

const EVENT_FIELDS: Readonly<Record<Event["type"], Fields>> = {
  user_message: { message_id: "string", thread_id: "string", content: "string", timestamp: "string" },
  agent_started: OF_RUN,
  agent_thinking: { ...OF_RUN, step: "number", thought: "string" },
  tool_executing: OF_TOOL,
  tool_completed: { ...OF_TOOL, status: "string" },
  run_waiting: { ...OF_RUN, wait_id: "string", kind: "string", expires_at: "string" },
  run_resumed: { ...OF_RUN, wait_id: "string" },
  final_report: { ...OF_RUN, report: "object" },
  agent_completed: { ...OF_RUN, message_id: "string", status: "string", content: "string" },
  thread_created: { ...OF_THREAD, title: "string" },
  thread_updated: OF_THREAD,
  thread_deleted: OF_THREAD,
  feedback_recorded: { message_id: "string", rating: "number" },
  notification: { topic: "string" },
};

const FRAME_FIELDS: Readonly<Record<OtherFrame["type"], Fields>> = {
  connection_established: { protocol: "number", user_id: "string", epoch: "string", resume: "string" },
  replay_completed: { seq: "number" },
  events_skipped: { from: "number", to: "number" },
  message_ack: { message_id: "string", thread_id: "string" },
  command_ack: {},
  error: { code: "string", message: "string" },
  partial_result: { run_id: "string", attempt: "number" },
  tool_progress: { run_id: "string", tool_call_id: "string", note: "string" },
  state_snapshot: {
    as_of_seq: "number",
    threads: "array",
    messages: "array",
    runs: "array",
    notifications: "array",
  },
  state_patch: { base_version: "number", version: "number", patch: "array" },
  auth_expiring: {},
  ping: {},
  pong: {},
};

export function parseFrame(data: unknown): Incoming {
  const value = typeof data === "string" ? parseJson(data) : undefined;
  if (!isRecord(value)) return undefined;
  const { type, seq } = value;
  if (isSeq(seq) && fits<Event>(value, EVENT_FIELDS)) return { event: value };
  if (fits<OtherFrame>(value, FRAME_FIELDS)) return { frame: value };
  const known = { ...EVENT_FIELDS, ...FRAME_FIELDS };
  if (typeof type !== "string" || Object.hasOwn(known, type)) return undefined;
  if (isSeq(seq)) return { seq };
  return seq === undefined ? {} : undefined;
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function fits<Frame extends ServerFrame>(
  frame: Readonly<Record<string, unknown>>,
  table: Readonly<Record<string, Fields>>,
): frame is Frame & Readonly<Record<string, unknown>> {
  const { type, payload } = frame;
  if (typeof type !== "string" || !Object.hasOwn(table, type) || !isRecord(payload)) return false;
  return Object.entries(table[type] ?? {}).every(([name, kind]) => kindOf(payload[name]) === kind);
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}
