/** Executing one tool call: bounded in time and size, and turned into an outcome whatever happens. */

import type { AgentInput } from "../agents/agent.ts";
import { SchemaError } from "../agents/schema.ts";
import { type ToolCall, type ToolContext, ToolFailure, type ToolOutcome } from "../agents/tool.ts";
import { MAX_TOOL_RESULT_BYTES } from "../protocol/limits.ts";
import { beginning, fitsBytes } from "../protocol/primitives.ts";
import { Notes } from "./notes.ts";
import type { Clock } from "./ports.ts";

export interface ToolBounds {
  readonly input: AgentInput;
  readonly clock: Clock;
  /** Aborted when the run ends; the call then counts as cancelled. */
  readonly signal: AbortSignal;
  readonly timeout_ms: number;
  readonly progress: (note: string) => void;
}

/** Never rejects. The result has been through JSON, so that live and replayed results are the same. */
export async function executeTool(call: ToolCall, bounds: ToolBounds): Promise<ToolOutcome> {
  if (bounds.signal.aborted) return CANCELLED;
  const own = new AbortController();
  const signal = AbortSignal.any([bounds.signal, own.signal]);
  const { promise: interrupted, resolve } = Promise.withResolvers<ToolOutcome>();
  const cancelTimer = bounds.clock.timer(call.timeout_ms ?? bounds.timeout_ms, () => {
    resolve(failed("timeout", "the tool took too long"));
    own.abort();
  });
  const cancelled = () => resolve(CANCELLED);
  bounds.signal.addEventListener("abort", cancelled);
  const notes = new Notes(bounds.clock, bounds.progress);
  try {
    const context = { input: bounds.input, signal, progress: (note: string) => notes.take(note) };
    return await Promise.race([attempt(call, context), interrupted]);
  } finally {
    notes.end();
    cancelTimer();
    bounds.signal.removeEventListener("abort", cancelled);
  }
}

export const CANCELLED: ToolOutcome = {
  status: "error",
  error: { code: "cancelled", message: "the run ended" },
};

async function attempt(call: ToolCall, context: ToolContext): Promise<ToolOutcome> {
  try {
    return bounded(await call.execute(call.args, context));
  } catch (cause) {
    // Shown is what we say about arguments, and what a tool says on purpose; what else it throws can hold anything.
    if (cause instanceof SchemaError) return failed("invalid_args", cause.message);
    if (cause instanceof ToolFailure) return failed(cause.code, cause.message);
    return failed("tool_failed", "the tool failed");
  }
}

function bounded(result: unknown): ToolOutcome {
  const text = JSON.stringify(result) ?? "null";
  if (!fitsBytes(text, MAX_TOOL_RESULT_BYTES)) {
    return failed("result_too_large", `a result may have ${MAX_TOOL_RESULT_BYTES} bytes`);
  }
  return { status: "ok", result: JSON.parse(text) };
}

/** What a tool says of its failure is shown, and must not be what its run fails by. UTF-8 bytes. */
const MAX_CODE_BYTES = 64;
const MAX_MESSAGE_BYTES = 1024;

function failed(code: string, message: string): ToolOutcome {
  const error = { code: beginning(code, MAX_CODE_BYTES), message: beginning(message, MAX_MESSAGE_BYTES) };
  return { status: "error", error };
}
