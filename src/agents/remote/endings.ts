/** How a run of a remote agent ends, and what people are told of it. */

import type * as z from "zod/mini";
import type { fedCompleted } from "../../protocol/feeding.ts";
import { MAX_SAID_USAGE } from "../../protocol/limits.ts";
import { isRecord } from "../../protocol/pure/json.ts";
import type { AgUiEvent } from "./ag-ui-events.ts";
import { shortened } from "./run-record.ts";
import { type Failure, OUTCOME_UNKNOWN } from "./tool-calls.ts";

type Completed = z.infer<typeof fedCompleted>;

export interface Ending extends Omit<Completed, "content"> {
  /** What becomes of a call that the agent has not completed, by the agent's id. */
  readonly ofCall: (id: string) => Failure;
}

/** What went wrong on the way to the agent or back. */
export interface Problem {
  readonly status: "failed" | "interrupted";
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** Enough to understand what it was. */
const MAX_MESSAGE_CHARS = 500;

/** So that all that is said of usage fits the last event. */
const MAX_NAME_CHARS = 128;

const unknown = () => OUTCOME_UNKNOWN;

/** Without an outcome it is a success, as always in 0.0.x. */
export function finished({ outcome, usage }: Extract<AgUiEvent, { type: "RUN_FINISHED" }>): Ending {
  const said = isRecord(outcome) ? outcome : { type: outcome ? "unknown" : "success" };
  const counted = usageOf(usage);
  if (said.type === "cancelled") return cancelled(counted);
  if (said.type === "interrupt") return asked(listed(said.interrupts), counted);
  const pending = new Set(listed(said.pendingToolCallIds));
  return {
    status: "succeeded",
    finish_reason: pending.size > 0 ? "tool-calls" : said.type === "success" ? "stop" : "other",
    usage: counted,
    ofCall: (id) => (pending.has(id) ? NOT_OURS : NOT_TOLD),
  };
}

/** 0.0.x has no other way to say that a run was cancelled. */
export function errored({ message, code, usage }: Extract<AgUiEvent, { type: "RUN_ERROR" }>): Ending {
  if (/^cancell?ed$/i.test(String(code))) return cancelled(usageOf(usage));
  const told = typeof message === "string" && message !== "" ? message : "the agent failed";
  const of = { message: shortened(told, MAX_MESSAGE_CHARS), retryable: true };
  return { ...broken({ status: "failed", code: "agent_error", ...of }), usage: usageOf(usage) };
}

export function broken({ status, ...error }: Problem): Ending {
  const finish_reason = status === "failed" ? "error" : "interrupted";
  return { status, finish_reason, usage: [], error, ofCall: unknown };
}

/** The answer has reached its limit: the rest is not waited for. */
export const FULL: Ending = { status: "succeeded", finish_reason: "length", usage: [], ofCall: unknown };

function cancelled(usage: Completed["usage"]): Ending {
  const of = { code: "cancelled", message: "the run was cancelled" };
  return { status: "cancelled", finish_reason: "cancelled", usage, ofCall: () => of };
}

/** Asked in a way that nobody could answer: the run says so, and what it was asked. */
function asked(said: readonly unknown[], usage: Completed["usage"]): Ending {
  const interrupts = said.filter(isRecord);
  const questions = interrupts.map(({ message, reason }) => message || reason);
  const texts = questions.filter((one) => typeof one === "string" && one !== "");
  const message = shortened([WAITS, ...texts].join(": "), MAX_MESSAGE_CHARS);
  const problem = { status: "failed", code: INTERRUPT, message, retryable: false } as const;
  const held = new Set(interrupts.map(({ toolCallId }) => toolCallId));
  return { ...broken(problem), usage, ofCall: (id) => (held.has(id) ? HELD : OUTCOME_UNKNOWN) };
}

const INTERRUPT = "agent_interrupt_unsupported";
const WAITS = "the agent asks something that cannot be answered here";

const NOT_TOLD: Failure = { code: "outcome_unknown", message: "the agent did not say what came of it" };
const NOT_OURS: Failure = {
  code: "client_tool_unsupported",
  message: "the agent left the call to the application, which has no such tool",
};

const HELD: Failure = { code: INTERRUPT, message: "the agent waits for an approval" };

const NAMES = ["provider", "model"];
const COUNTS: ReadonlyMap<string, string> = new Map([
  ["inputTokens", "input_tokens"],
  ["outputTokens", "output_tokens"],
  ["totalTokens", "total_tokens"],
  ["reasoningTokens", "reasoning_tokens"],
  ["cachedInputTokens", "cached_input_tokens"],
  ["cacheWriteInputTokens", "cache_write_input_tokens"],
]);

/** In our words; what is none of them is not kept. */
export function usageOf(said: unknown): Completed["usage"] {
  return listed(said).slice(0, MAX_SAID_USAGE).filter(isRecord).map(inOurWords);
}

function inOurWords(usage: Readonly<Record<string, unknown>>): Completed["usage"][number] {
  const names = NAMES.map((name) => [name, usage[name]]);
  const counts = [...COUNTS].map(([theirs, ours]) => [ours, usage[theirs]]);
  return Object.fromEntries([
    ...names.filter(([, name]) => typeof name === "string" && name.length <= MAX_NAME_CHARS),
    ...counts.filter(([, count]) => typeof count === "number" && count >= 0 && Number.isFinite(count)),
  ]);
}

function listed(said: unknown): readonly unknown[] {
  return Array.isArray(said) ? said : [];
}
