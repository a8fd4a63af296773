/**
 * What a person sees: threads, messages, runs and notifications, as plain
 * read-only data. Frames are folded into it by `fold.ts`, on the server for
 * snapshots and in the SDK for the view, so that both always agree.
 */

export interface Thread {
  readonly thread_id: string;
  readonly title: string;
  /** The newest message of the branch that is shown; null while nothing has been said. */
  readonly head_message_id: string | null;
  readonly updated_at: string;
}

export interface Message {
  readonly message_id: string;
  readonly thread_id: string;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly seq: number;
  /** The message it follows; null for the first of a branch. */
  readonly parent_message_id: string | null;
  /** Present if a service said it in the user's stead. */
  readonly author?: Author | undefined;
  readonly run_id?: string | undefined;
  readonly status?: RunStatus | undefined;
  /** Why there is no whole answer; absent if there is one, or somebody stopped it. */
  readonly error?: Failure | undefined;
  readonly report?: Report | undefined;
  /** What the reader thinks of this answer, as last said. */
  readonly rating?: 1 | -1 | undefined;
  /** True if `content` was cut to make a snapshot fit. */
  readonly truncated?: boolean | undefined;
  readonly timestamp: string;
}

export interface Failure {
  readonly code: string;
  /** For people. */
  readonly message: string;
  readonly retryable: boolean;
}

export interface Author {
  readonly kind: "service";
  readonly name: string;
}

export type RunStatus = "succeeded" | "failed" | "cancelled" | "interrupted";

export type Step = ThinkingStep | ToolStep;

export interface ThinkingStep {
  readonly kind: "thinking";
  readonly step: number;
  readonly thought: string;
}

export interface ToolStep {
  readonly kind: "tool";
  readonly step: number;
  readonly tool_call_id: string;
  readonly tool_name: string;
  readonly args: unknown;
  readonly status: "running" | "ok" | "error" | "denied";
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  readonly duration_ms?: number | undefined;
}

/** Answered by `run_resume`. */
export interface Wait {
  readonly wait_id: string;
  readonly kind: "approval" | "client_tool" | "signal" | "timer";
  readonly tool_call_id?: string | undefined;
  readonly tool_name?: string | undefined;
  readonly args?: unknown;
  /** True if a snapshot left them out to fit; the event `run_waiting` has them. */
  readonly args_omitted?: true | undefined;
  readonly name?: string | undefined;
  readonly reason?: string | undefined;
  readonly expires_at: string;
}

export interface Run {
  readonly run_id: string;
  readonly thread_id: string;
  /** The message that is being answered. */
  readonly question_id: string;
  readonly agent_name: string;
  readonly status: "queued" | "running" | "waiting" | RunStatus;
  /** The attempt whose text is shown; 0 before any text came. */
  readonly attempt: number;
  /** The answer so far. */
  readonly text: string;
  readonly steps: readonly Step[];
  /** What it waits for, while it waits. */
  readonly waits?: readonly Wait[] | undefined;
  readonly report?: Report | undefined;
  /** True if a snapshot had to cut it to fit. */
  readonly truncated?: boolean | undefined;
}

export interface Report {
  readonly summary: string;
  readonly findings: ReadonlyArray<{ readonly title: string; readonly detail: string }>;
  readonly recommendations: readonly Recommendation[];
  readonly assumptions: ReadonlyArray<{
    readonly id: string;
    readonly text: string;
    readonly source: string;
  }>;
  readonly questions: readonly string[];
}

export interface Recommendation {
  readonly title: string;
  readonly action_steps: readonly string[];
  readonly monthly_saving_low: number;
  readonly monthly_saving_high: number;
  readonly currency: string;
  readonly confidence: "low" | "medium" | "high";
  readonly effort: "low" | "medium" | "high";
  readonly risk: string;
  readonly evidence: string;
  readonly assumption_ids: readonly string[];
}

export interface Notification {
  readonly seq: number;
  readonly topic: string;
  readonly data: unknown;
  readonly timestamp: string;
}

export interface Conversation {
  /** The seq of the last event folded in; the next one is this + 1. */
  readonly last_seq: number;
  /** Newest first. */
  readonly threads: readonly Thread[];
  /** Of every branch, in order of seq. */
  readonly messages: readonly Message[];
  /** In order of their start, ended ones included. */
  readonly runs: readonly Run[];
  readonly notifications: readonly Notification[];
}

export const EMPTY_CONVERSATION: Conversation = {
  last_seq: 0,
  threads: [],
  messages: [],
  runs: [],
  notifications: [],
};
