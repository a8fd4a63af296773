/** What can go wrong in a run, and the honest ending each makes. */
import { ModelCallFailed } from "../agents/effects.ts";
import { ToolFailure } from "../agents/tool.ts";
import type { SoFar } from "./answer.ts";
import type { Attempt } from "./execution.ts";
import { Divergence } from "./journal.ts";
import type { Ending } from "./run.ts";
import { EventTooLarge } from "./transaction.ts";

/** The agent asked for more durable steps than a run may have. */
export class StepLimit extends Error {
  override readonly name = "StepLimit";
}

/** Nothing more may be spent today: no agent goes on from there. */
export class BudgetExceeded extends Error {
  override readonly name = "BudgetExceeded";
}

/** The agent yielded something that is not what its type says. */
export class BadEffect extends Error {
  override readonly name = "BadEffect";
}

/** The storage refused an event: not the agent's fault, and the run is not over. */
export class AppendFailed extends Error {
  override readonly name = "AppendFailed";
}

/** What a person may know of a failure; what was thrown can hold anything, and is only reported. */
export function endingOf({ run, agent, answer, reportBug }: Attempt, cause: unknown): Ending {
  const failed = (code: string, message: string, retryable: boolean): Ending => ({
    status: cause instanceof Divergence ? "interrupted" : "failed",
    finish_reason: cause instanceof Divergence ? "interrupted" : "error",
    ...answer.soFar,
    error: { code, message, retryable },
    open_tools: "outcome_unknown",
  });
  if (cause instanceof StepLimit) return failed("step_limit", cause.message, false);
  if (cause instanceof BudgetExceeded) return failed("budget_exceeded", cause.message, false);
  if (cause instanceof ModelCallFailed) return failed(cause.code, cause.message, cause.retryable);
  if (cause instanceof ToolFailure) return failed(cause.code, `the tool ${cause.tool_name} failed`, true);
  if (cause instanceof Divergence && run.agent_version !== agent.version) {
    return failed("agent_changed", "the agent was updated while it was working", true);
  }
  reportBug(cause);
  if (cause instanceof Divergence) return failed("replay_diverged", "the run could not be continued", true);
  if (cause instanceof EventTooLarge) return failed("event_too_large", cause.message, false);
  return failed("agent_failed", "the agent failed", true);
}

/** The text so far is kept. */
export function cancelled(soFar: SoFar): Ending {
  return { status: "cancelled", finish_reason: "cancelled", ...soFar, open_tools: "cancelled" };
}

/** Its first turn came after the budget of its user was used up. */
export function overspent(message: string): Ending {
  return {
    status: "failed",
    finish_reason: "error",
    content: "",
    error: { code: "budget_exceeded", message, retryable: false },
    // There are none: it has not begun.
    open_tools: "outcome_unknown",
  };
}

export function timedOut(soFar: SoFar): Ending {
  return {
    status: "failed",
    finish_reason: "error",
    ...soFar,
    error: { code: "timeout", message: "the run took too long", retryable: true },
    open_tools: "timeout",
  };
}

/** The text of attempts that died is not kept: see docs/decisions/0007. */
export function interrupted(code: string, message: string, retryable: boolean): Ending {
  return {
    status: "interrupted",
    finish_reason: "interrupted",
    content: "",
    error: { code, message, retryable },
    open_tools: "outcome_unknown",
  };
}

/** What a remote agent was doing cannot be gone back to, and asking it again would do it twice. */
export const CUT = interrupted(
  "agent_stream_cut",
  "the connection to the agent broke before it had finished",
  true,
);
