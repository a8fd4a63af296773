/** What an agent asks in words, and what a reader's answer is as a value. */
import type { Wait } from "../client/index.ts";

/** Agents ask people with `{reason, response_schema?}`; other signals are for other services to answer. */
export function isQuestion({ kind, args }: Wait): boolean {
  return kind === "signal" && typeof args === "object" && args !== null && "reason" in args;
}

/** Of the answer; undefined if any will do. */
export function schemaOf({ args }: Wait): unknown {
  return typeof args === "object" && args !== null && "response_schema" in args
    ? args.response_schema
    : undefined;
}

/** True if the answer is what the reader types; otherwise that has to be JSON. */
export function isText(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null || !("type" in schema)) return true;
  return schema.type === "string";
}

export function replyIn(
  typed: string,
  schema: unknown,
): { readonly value?: unknown; readonly problem?: string } {
  const text = typed.trim();
  if (text === "") return { problem: "Write an answer first." };
  if (isText(schema)) return { value: text };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { problem: "This is not JSON." };
  }
}
