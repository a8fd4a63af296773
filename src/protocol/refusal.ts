/** How a refusal is told to outsiders: as an HTTP status, as a close code, as the payload of an `error` frame. */
import { ERRORS } from "./errors.ts";
import { CLOSE_CODES, type CloseName } from "./pure/close-codes.ts";
import type { Refusal } from "./result.ts";

/** The HTTP status that answers a refused request. */
export function statusOf(refusal: Refusal): number {
  return ERRORS[refusal.code].status;
}

/** The close code and reason that end a connection because of `refusal`. */
export function closeOf(refusal: Refusal): { readonly code: number; readonly reason: CloseName } {
  const reason = ERRORS[refusal.code].close;
  return { code: CLOSE_CODES[reason], reason };
}

/** The payload of an `error` frame; `fatal` says that the connection is about to be closed. */
export function errorPayload(refusal: Refusal, fatal = false) {
  return { ...refusal, retryable: ERRORS[refusal.code].retryable, fatal };
}
