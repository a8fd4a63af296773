/** How an expected refusal travels inside the server: as a value, never as an exception. */
import type { ErrorCode } from "./errors.ts";

/** Why something asked for was not done. `message` may be read by outsiders; it names fields and limits, never input. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** Path of the offending field, such as `payload.content`. */
  readonly field?: string;
  /** The limit that was passed, in the unit the message names. */
  readonly limit?: number;
  readonly retry_after_ms?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refuse(
  code: ErrorCode,
  message: string,
  about: Omit<Refusal, "code" | "message"> = {},
): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { code, message, ...about } };
}
