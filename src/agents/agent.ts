/**
 * What an agent is: a synchronous generator of effects. It cannot await, fetch
 * or read a clock, so everything it depends on is in its input and in the
 * results it is handed back. That is what makes replay after a crash exact.
 */
import type { FinishReason } from "../protocol/run-events.ts";
import type { Effect } from "./effects.ts";

/** One earlier message of the thread, oldest first. */
export interface HistoryMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** Everything a run may depend on; frozen, and the same on every attempt. */
export interface AgentInput {
  readonly run_id: string;
  readonly thread_id: string;
  /** The question, as the user wrote it. */
  readonly question: string;
  /** Structured data sent along with the question (`user_message.data`). */
  readonly data?: unknown;
  readonly history: readonly HistoryMessage[];
  /** When the question was accepted, ISO 8601 UTC: the only "now" an agent has. */
  readonly now: string;
  /** Durable effects the run may have: one more, and it ends as `step_limit`. */
  readonly max_steps: number;
}

export interface AgentResult {
  readonly finish_reason: FinishReason;
}

export interface Agent {
  readonly name: string;
  /** Changes whenever the sequence of effects for the same input may change. */
  readonly version: string;
  /** True if it calls models: then it is not asked once the budget of the day is used up. */
  readonly uses_models?: boolean;
  run(input: AgentInput): Generator<Effect, AgentResult, unknown>;
}
