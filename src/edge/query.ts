/** Numbers in the query of a request. */
import { ok, type Result, refuse } from "../protocol/result.ts";

/** A whole number from `min` to `max` in plain digits; undefined if the query does not have it. */
export function numberIn(
  query: URLSearchParams,
  field: string,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): Result<number | undefined> {
  const text = query.get(field);
  if (text === null) return ok(undefined);
  const value = Number(text);
  if (/^(?:0|[1-9]\d*)$/.test(text) && value >= min && value <= max) return ok(value);
  return refuse("invalid_payload", `${field} must be a whole number from ${min} to ${max}`, {
    field,
    limit: value < min ? min : max,
  });
}
