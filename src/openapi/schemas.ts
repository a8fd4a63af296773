/** What travels over HTTP, by the names it has in the document. The frames' own schemas, and what is made of them. */
import * as z from "zod/mini";
import { usage } from "../agents/models/result.ts";
import {
  feedbackCommand,
  stateUpdateCommand,
  threadCreateCommand,
  threadUpdateCommand,
  userMessageCommand,
  waitAnswer,
} from "../protocol/commands.ts";
import { discovery } from "../protocol/discovery.ts";
import { feeding, runStart } from "../protocol/feeding.ts";
import { count, id, jsonObject, position, seq, timestamp } from "../protocol/primitives.ts";
import { broadcast, publication } from "../protocol/publishing.ts";
import { commandAck, errorFrame, messageAck } from "../protocol/replies.ts";
import { runStatus } from "../protocol/run-events.ts";
import { serverFrame } from "../protocol/server-frames.ts";
import { message, step, thread } from "../protocol/stream.ts";
import { feedbackRecorded } from "../protocol/thread-events.ts";
import { journalEntry } from "../session/journal-entry.ts";

/** One run as it was recorded: what `npm run replay` reads (docs/replay.md). */
export const runJournal = z.object({
  run: z.object({
    run_id: id,
    thread_id: id,
    agent_name: z.string(),
    agent_version: z.optional(z.string()),
    question_id: id,
    message_id: id,
    state: z.enum(["queued", "running", "waiting", "ended"]),
    status: z.optional(runStatus),
    attempts: count,
    accepted_at: timestamp,
  }),
  input: z.object({
    run_id: id,
    thread_id: id,
    question: z.string(),
    data: z.optional(z.unknown()),
    history: z.array(z.object({ role: z.enum(["user", "assistant"]), content: z.string() })),
    now: timestamp,
    max_steps: count,
  }),
  events: z.array(jsonObject),
  models: z.array(journalEntry),
  complete: z.boolean(),
});

const { retryable: _retryable, fatal: _fatal, ...refusal } = errorFrame.shape.payload.shape;

const amount = z.number().check(z.gte(0));

const spent = z.object({
  calls: count,
  input_tokens: count,
  output_tokens: count,
  cost_usd: z.optional(amount),
});

const dayUsage = z.extend(spent, {
  day: z.string(),
  provider: z.string(),
  model: z.string(),
  cached_input_tokens: count,
  reasoning_tokens: count,
});

const usageOverview = z.object({
  day: z.string(),
  today: spent,
  last_30_days: spent,
  days: z.array(dayUsage),
});

const listedMessage = z.extend(message, {
  steps: z.optional(z.array(step)),
  model_calls: z.optional(z.array(z.extend(usage, { step: z.optional(count) }))),
  alternatives: z.optional(z.array(id)),
});

const { message_id: _message_id, ...feedback } = feedbackCommand.shape.payload.shape;
const { thread_id: _thread_id, ...threadChange } = threadUpdateCommand.shape.payload.shape;

/** By their names in `components.schemas`. */
export const SCHEMAS = {
  Error: z.object({ error: z.object(refusal) }),
  Health: z.object({ status: z.literal("ok"), protocol: z.int() }),
  Discovery: discovery,
  Thread: thread,
  ThreadPage: z.object({ threads: z.array(thread), next: z.optional(position) }),
  Message: listedMessage,
  MessagePage: z.object({ messages: z.array(listedMessage), next: z.optional(seq) }),
  EventPage: z.object({
    epoch: z.optional(z.string()),
    head_seq: position,
    events: z.array(jsonObject),
    next: z.optional(position),
  }),
  Frame: serverFrame,
  NewMessage: userMessageCommand.shape.payload,
  MessageAck: z.extend(messageAck.shape.payload, { answer: z.optional(listedMessage) }),
  NewThread: threadCreateCommand.shape.payload,
  ThreadChange: z.object(threadChange),
  Feedback: z.object(feedback),
  RunResume: waitAnswer,
  CommandAck: commandAck.shape.payload,
  State: z.object({ version: count, shared: z.unknown() }),
  StateUpdate: stateUpdateCommand.shape.payload,
  Export: z.object({
    user_id: z.string(),
    exported_at: timestamp,
    epoch: z.nullable(z.string()),
    head_seq: position,
    threads: z.array(thread),
    shared_state: z.object({ version: count, shared: z.unknown() }),
    usage: z.array(dayUsage),
    events: z.array(jsonObject),
  }),
  Usage: z.extend(usageOverview, {
    budget: z.object({ tokens_per_day: z.optional(count), cost_usd_per_day: z.optional(amount) }),
    left: z.object({ tokens: z.optional(count), cost_usd: z.optional(amount) }),
    resets_at: timestamp,
  }),
  Erased: z.object({ erased: z.literal(true) }),
  Ticket: z.object({ ticket: z.string(), expires_in_ms: count }),
  TokenRequest: z.object({
    grant_type: z.literal("urn:ietf:params:oauth:grant-type:token-exchange"),
    subject_token: z.string(),
    subject_token_type: z.string(),
    requested_token_type: z.optional(z.string()),
    scope: z.optional(z.string()),
  }),
  TokenAnswer: z.object({
    access_token: z.string(),
    issued_token_type: z.string(),
    token_type: z.literal("Bearer"),
    expires_in: count,
    scope: z.string(),
  }),
  TokenError: z.object({ error: z.string(), error_description: z.optional(z.string()) }),
  SignedOut: z.object({ signed_out: z.literal(true) }),
  Invalidated: z.object({ invalidated: z.literal(true) }),
  Publication: publication,
  Published: z.object({ seq, duplicate: z.boolean() }),
  Broadcast: broadcast,
  BroadcastResults: z.object({
    results: z.array(
      z.object({
        user_id: z.string(),
        seq: z.optional(seq),
        duplicate: z.optional(z.boolean()),
        error: z.optional(errorFrame.shape.payload),
      }),
    ),
  }),
  RunStart: runStart,
  RunStarted: z.object({ run_id: id, thread_id: id, message_id: id, seq, duplicate: z.boolean() }),
  Feeding: feeding,
  Fed: z.object({
    next_run_seq: count,
    next_offset: count,
    seq,
    ended: z.boolean(),
    status: z.optional(runStatus),
  }),
  RunJournal: runJournal,
  User: z.object({
    user_id: z.string(),
    epoch: z.string(),
    head_seq: position,
    floor_seq: position,
    acked_seq: position,
    pending: z.object({ events: count, bytes: count }),
    connections: z.array(
      z.object({
        connection_id: z.string(),
        client_id: id,
        cursor: position,
        ack: position,
        heard_at: timestamp,
      }),
    ),
    runs: z.array(
      z.object({
        run_id: id,
        thread_id: id,
        agent_name: z.string(),
        state: z.enum(["queued", "running"]),
        attempt: count,
        accepted_at: timestamp,
      }),
    ),
    usage: usageOverview,
    feedback: z.object({ good: count, bad: count, newest: z.array(feedbackRecorded.shape.payload) }),
  }),
} as const;

export type SchemaName = keyof typeof SCHEMAS;
