/** What a remote agent wants answered before it goes on, as waits of its run. */
import { MAX_TOOL_RESULT_BYTES } from "../../protocol/limits.ts";
import { fitsBytes, MAX_ID_CHARS } from "../../protocol/primitives.ts";
import { field, isRecord } from "../../protocol/pure/json.ts";
import { ARGUMENTS_TOO_LARGE, isSafe, shortened } from "./run-record.ts";
import type { OpenCall } from "./so-far.ts";

export interface Asked {
  /** Whether a call may be made, or anything else. */
  readonly kind: "approval" | "signal";
  readonly step: number;
  /** What the agent knows it by. */
  readonly name: string;
  readonly reason: string;
  readonly tool_call_id?: string;
  readonly tool_name?: string;
  readonly args?: unknown;
  /** As the agent says it. */
  readonly until: string | undefined;
}

/** More than anybody answers at once. */
const MAX_ASKED = 16;
const MAX_MESSAGE_CHARS = 500;

/** A call that the agent has begun, by its id. */
type CallOf = (id: unknown) => OpenCall | undefined;

/**
 * Undefined if it asks nothing, or in a way that nobody could answer.
 * @param step of what is no call
 */
export function askedIn(outcome: unknown, callOf: CallOf, step: () => number): readonly Asked[] | undefined {
  if (!isRecord(outcome) || outcome.type !== "interrupt" || !Array.isArray(outcome.interrupts))
    return undefined;
  const interrupts: readonly unknown[] = outcome.interrupts;
  const ids = new Set(interrupts.map((one) => (isRecord(one) ? one.id : undefined)));
  if (ids.size !== interrupts.length || ids.size === 0 || ids.size > MAX_ASKED) return undefined;
  if (![...ids].every(isName)) return undefined;
  const all = interrupts.filter(isRecord).map((one) => asked(one, callOf, step));
  const known = all.filter((one) => one !== undefined);
  return known.length === all.length ? known : undefined;
}

/** Nobody can agree to a call that is not known, or whose arguments cannot be shown. */
function asked(
  said: Readonly<Record<string, unknown>>,
  callOf: CallOf,
  step: () => number,
): Asked | undefined {
  const { id, message, reason, responseSchema, expiresAt, toolCallId } = said;
  const text = [message, reason].find((one) => typeof one === "string" && one !== "");
  const what = {
    name: String(id),
    reason: shortened(String(text ?? ""), MAX_MESSAGE_CHARS),
    until: typeof expiresAt === "string" ? expiresAt : undefined,
  };
  if (typeof toolCallId !== "string" || toolCallId === "") {
    return { kind: "signal", step: step(), ...what, ...fitting({ reason, response_schema: responseSchema }) };
  }
  const call = callOf(toolCallId);
  const shown = fitting(call?.args);
  if (call === undefined || !("args" in shown) || isLeftOut(shown.args)) return undefined;
  const { tool_call_id, tool_name } = call;
  return { kind: "approval", step: call.step, tool_call_id, tool_name, ...what, ...shown };
}

/** Beside it there must be room for the text so far. */
function fitting(args: unknown): { readonly args?: unknown } {
  const fits = args !== undefined && isSafe(args) && fitsBytes(JSON.stringify(args), MAX_TOOL_RESULT_BYTES);
  return fits ? { args } : {};
}

/** What is recorded in the place of arguments that an event has no room for. */
function isLeftOut(args: unknown): boolean {
  return field(args, "error", "code") === ARGUMENTS_TOO_LARGE;
}

function isName(id: unknown): boolean {
  return typeof id === "string" && id !== "" && id.length <= MAX_ID_CHARS;
}
