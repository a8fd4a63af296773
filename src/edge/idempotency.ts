/** `Idempotency-Key`: the id of a command that comes over HTTP, in one namespace with those of sockets. */
import { id } from "../protocol/primitives.ts";
import { ok, type Result } from "../protocol/result.ts";
import { refuseId } from "./query.ts";

const HEADER = "Idempotency-Key";

/** Undefined if the request has none: then it does not mind being carried out twice. */
export function idempotencyKey(headers: Headers): Result<string | undefined> {
  const key = headers.get(HEADER) ?? undefined;
  return key === undefined || id.safeParse(key).success ? ok(key) : refuseId(HEADER);
}
