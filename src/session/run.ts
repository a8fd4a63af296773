/** One unfinished run as its row says, and what its events have in common. */

import * as z from "zod/mini";
import type { ModelUsage } from "../agents/models/model.ts";
import type { ToolOutcome } from "../agents/tool.ts";
import type { Event } from "../protocol/events.ts";
import { plan } from "../protocol/greeting.ts";
import { jsonObject } from "../protocol/primitives.ts";
import type { AgentCompleted, FinishReason, RunStatus } from "../protocol/run-events.ts";
import { seqOf } from "./ids.ts";
import type { JournalEntry } from "./journal-entry.ts";
import { integer, text } from "./rows.ts";
import type { EventDraft } from "./transaction.ts";
import { openWait, type WaitDraft } from "./waits.ts";

const runDetail = z.object({
  /** The answer's id, fixed when the run was accepted. */
  message_id: z.string(),
  question_id: z.string(),
  /** Milliseconds since the epoch. */
  accepted_at: z.number(),
  /** Of who asked: its limits hold for the run, whoever is connected later. */
  plan: z._default(plan, "free"),
  /** Present if it is executed elsewhere, and its events are fed to us. */
  feed: z.optional(
    z.object({
      /** What the feeder promised: to be heard of at least this often. */
      silent_after_ms: z.number(),
      /** Not given up before this time, milliseconds since the epoch, even if no event comes. */
      until: z.number(),
      /** This session feeds it itself, with what an agent somewhere else streams to it. */
      remote: z.optional(z.literal(true)),
    }),
  ),
  /** What it waits for, while it waits. */
  waits: z.optional(z.array(openWait)),
  /** What was said to it up to this seq and it has not heard is answered by others. */
  heard_to: z.optional(z.number()),
  /** What it has cost up to this seq is in the days of its user. */
  counted_to: z.optional(z.number()),
  /** How often it went on after a wait, which is an attempt of its own but none that failed. */
  resumed: z.optional(z.number()),
  /** Attempts that were not cut short: after a wait the count of those that were begins anew. */
  attempts_before: z.optional(z.number()),
  /** What its feeder has said of usage before it waited. */
  said: z.optional(z.array(jsonObject)),
});

export type Feed = Readonly<NonNullable<z.infer<typeof runDetail>["feed"]>>;

export interface Run extends Readonly<z.infer<typeof runDetail>> {
  readonly run_id: string;
  readonly thread_id: string;
  readonly state: RunState;
  readonly attempt: number;
  readonly agent_name: string;
  readonly agent_version: string;
  /** Seq of the event that asked for it: the question, or the word that it is to be answered again. */
  readonly start_seq: number;
}

export type RunState = "queued" | "running" | "waiting";

const STATES: readonly RunState[] = ["queued", "running", "waiting"];

/** How a run ended. */
export interface Ending {
  readonly status: RunStatus;
  readonly finish_reason: FinishReason;
  readonly content: string;
  /** Of a run that is executed elsewhere, as its feeder says. */
  readonly usage?: AgentCompleted["payload"]["usage"] | undefined;
  /** What models have answered it that is in no journal yet. */
  readonly models?: readonly JournalEntry[];
  /** What a call of a model has cost that was cut. */
  readonly spent?: readonly ModelUsage[];
  readonly error?: AgentCompleted["payload"]["error"];
  /** What open tool calls are completed with. */
  readonly open_tools: "cancelled" | "timeout" | "outcome_unknown";
}

/** An event of a run, given what all of them carry. */
export type RunEventDraft = (of: OfRun, seq: number) => EventDraft;

/** Where a run stops for what has to come from elsewhere. */
export interface Suspension {
  readonly drafts: readonly RunEventDraft[];
  readonly waits: readonly WaitDraft[];
  /** The answer so far. */
  readonly text: string;
  /** What models have answered it that is in no journal yet. */
  readonly models: readonly JournalEntry[];
  /** What the feeder of a run says that it has cost so far. */
  readonly said?: NonNullable<Ending["usage"]>;
}

/** The events that say what was asked of the shared state, and what came of it. */
export interface StateRecord {
  readonly journal: string | undefined;
  readonly asked: RunEventDraft;
  readonly answered: (outcome: ToolOutcome) => RunEventDraft;
}

/** What every event of a run carries. */
export interface OfRun {
  readonly run_id: string;
  readonly thread_id: string;
  readonly agent_name: string;
  readonly run_seq: number;
  readonly timestamp: string;
}

/** Seq of the question: where the run began, unless it answers one again. */
export function questionSeq({ question_id, start_seq }: Pick<Run, "question_id" | "start_seq">): number {
  return seqOf(question_id, ["m"]) ?? start_seq;
}

/** The run an event asks for, if it asks for one. */
export function runAskedBy(event: Event | undefined): string | undefined {
  const asks = event?.type === "user_message" || event?.type === "thread_updated";
  return asks ? event.payload.run_id : undefined;
}

/** The message that an event asks to be answered. */
export function questionAskedBy({ type, payload }: Event): string | undefined {
  if (type === "user_message") return payload.message_id;
  return type === "thread_updated" ? (payload.question_id ?? payload.head_message_id) : undefined;
}

/** How often its agent was begun: once, and again whenever it was cut. */
export function attemptsOf({ attempt, resumed = 0 }: Pick<Run, "attempt" | "resumed">): number {
  return attempt - resumed;
}

/** What a run's row holds beside what it is looked up by. */
export function detailOf(run: Run): string {
  const { message_id, question_id, accepted_at, plan, feed, waits } = run;
  const { heard_to, counted_to, resumed, attempts_before, said } = run;
  const asked = { message_id, question_id, accepted_at, plan };
  return JSON.stringify({ ...asked, feed, waits, heard_to, counted_to, resumed, attempts_before, said });
}

export function runRow(row: Record<string, SqlStorageValue>): Run {
  return {
    run_id: text(row, "run_id"),
    thread_id: text(row, "thread_id"),
    state: STATES.find((state) => state === row.state) ?? "running",
    attempt: integer(row, "attempt"),
    agent_name: text(row, "agent"),
    agent_version: text(row, "version"),
    start_seq: integer(row, "start_seq"),
    ...runDetail.parse(JSON.parse(text(row, "detail"))),
  };
}
