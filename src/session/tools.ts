/** Executing one tool call: bounded in time and size, and turned into an outcome whatever happens. */
import type { ToolCall, ToolOutcome } from "../agents/tool.ts";
import { SchemaError } from "../agents/schema.ts";
import { fitsBytes } from "../protocol/primitives.ts";
import type { Clock } from "./ports.ts";

/** A result is shown to people and models, and replayed from the log; both want it small. UTF-8 bytes. */
export const MAX_TOOL_RESULT_BYTES = 64 * 1024;

export interface ToolBounds {
  readonly clock: Clock;
  /** Aborted when the run ends; the call then counts as cancelled. */
  readonly signal: AbortSignal;
  readonly timeout_ms: number;
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
  try {
    return await Promise.race([attempt(call, signal), interrupted]);
  } finally {
    cancelTimer();
    bounds.signal.removeEventListener("abort", cancelled);
  }
}

export const CANCELLED: ToolOutcome = {
  status: "error",
  error: { code: "cancelled", message: "the run ended" },
};

async function attempt(call: ToolCall, signal: AbortSignal): Promise<ToolOutcome> {
  try {
    return bounded(await call.execute(call.args, { signal }));
  } catch (cause) {
    // Only what we say about arguments may be shown; what a tool throws can hold anything.
    if (cause instanceof SchemaError) return failed("invalid_args", cause.message);
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

function failed(code: string, message: string): ToolOutcome {
  return { status: "error", error: { code, message } };
}
