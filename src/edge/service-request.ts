/** What a service sends: whose session it means, a body that fits its schema, and the key under which it may be repeated. */
import type * as z from "zod/mini";
import type { Principal } from "../auth/principal.ts";
import { isUserId } from "../auth/user-id.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import { refusalOf, unsafe } from "../protocol/parse.ts";
import { utf8Length } from "../protocol/primitives.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { authenticate } from "./authenticate.ts";
import type { EdgePorts, Env } from "./env.ts";
import { idempotencyKey } from "./idempotency.ts";
import { readJson } from "./json-body.ts";

/** A hundred events of the usual size; large ones go in several requests. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** The id in the path of a route about somebody else. */
export function userIn(user_id: string): Result<string> {
  if (isUserId(user_id)) return ok(user_id);
  return refuse("invalid_payload", "user_id is not the id of a user", { field: "user_id" });
}

/** Whom it is about, and who asks. */
export interface Errand {
  readonly who: Principal;
  readonly user_id: string;
}

export async function serviceFor(
  user_id: string,
  request: Request,
  env: Env,
  ports: EdgePorts,
): Promise<Result<Errand>> {
  const who = await authenticate(request, env, "service", ports);
  if (!who.ok) return who;
  const user = userIn(user_id);
  return user.ok ? ok({ who: who.value, user_id: user.value }) : user;
}

export async function readBody<T>(
  request: Request,
  schema: z.ZodMiniType<T>,
  limit = MAX_BODY_BYTES,
): Promise<Result<T>> {
  const body = await readJson(request, limit);
  if (!body.ok) return body;
  const bad = unsafe(body.value, "body");
  if (bad !== undefined) return bad;
  const parsed = schema.safeParse(body.value, { reportInput: true });
  return parsed.success ? ok(parsed.data) : { ok: false, refusal: refusalOf(parsed.error, "body") };
}

/** Empty if the service does not mind that a repetition has its effect twice. */
export interface Key {
  readonly idempotency_key?: string;
}

export function keyOf(request: Request): Result<Key> {
  const key = idempotencyKey(request.headers);
  if (!key.ok) return key;
  return ok(key.value === undefined ? {} : { idempotency_key: key.value });
}

/**
 * Kept beside the key as numbers are spelled there, which may be longer than they were sent: 1e20.
 * @param field what of the body is too long then
 */
export function refuseIfTooLong({ idempotency_key }: Key, kept: unknown, field: string) {
  if (idempotency_key === undefined || utf8Length(canonicalJson(kept)) <= MAX_BODY_BYTES) return undefined;
  return refuse("too_large", `with an Idempotency-Key ${field} may have ${MAX_BODY_BYTES} bytes`, {
    field,
    limit: MAX_BODY_BYTES,
  });
}
