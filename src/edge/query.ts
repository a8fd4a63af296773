/** What is in the query of a request. */
import { id, MAX_ID_CHARS } from "../protocol/primitives.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";

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

/** True or false; absent is false. */
export function flagIn(query: URLSearchParams, field: string): Result<boolean> {
  const text = query.get(field) ?? "false";
  if (text === "true" || text === "false") return ok(text === "true");
  return refuse("invalid_payload", `${field} must be true or false`, { field });
}

/** An id; undefined if the query does not have it. */
export function idIn(query: URLSearchParams, field: string): Result<string | undefined> {
  const text = query.get(field) ?? undefined;
  return text === undefined || id.safeParse(text).success ? ok(text) : refuseId(field);
}

export function refuseId(field: string): Result<never> {
  return refuse("invalid_payload", `${field} must have 1 to ${MAX_ID_CHARS} characters`, {
    field,
    limit: MAX_ID_CHARS,
  });
}

/** More than any valid value of what a client says about itself, so that a header made of it stays small. */
const MAX_QUERY_CHARS = 256;

export function refuseLong(values: Readonly<Record<string, string | undefined>>): Refusal | undefined {
  const long = Object.entries(values).find(([, value]) => (value?.length ?? 0) > MAX_QUERY_CHARS);
  if (long === undefined) return undefined;
  const [field] = long;
  return refuse("invalid_payload", `${field} may have ${MAX_QUERY_CHARS} characters`, {
    field,
    limit: MAX_QUERY_CHARS,
  }).refusal;
}
