/** What others may do with a user's session: services publish, operators invalidate. */
import type { Handler } from "hono";
import { isUserId } from "../auth/user-id.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import { refusalOf, unsafe } from "../protocol/parse.ts";
import { id, MAX_ID_CHARS, utf8Length } from "../protocol/primitives.ts";
import { publication } from "../protocol/publishing.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { Publication } from "../session/rpc.ts";
import { json } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { readJson } from "./json-body.ts";
import { refuseHttp } from "./refusals.ts";

export const USER_PATH = "/v1/users/:user_id";
export const PUBLISH_PATH = "/v1/users/:user_id/events";
export const INVALIDATE_PATH = "/v1/users/:user_id/invalidate";

/** A hundred events of the usual size; large ones go in several requests. */
const MAX_BODY_BYTES = 1024 * 1024;

export function publishEvents(ports: EdgePorts): Handler<Edge, typeof PUBLISH_PATH> {
  return async function publishEventsHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "service", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const user_id = userIn(c.req.param("user_id"));
    if (!user_id.ok) return refuseHttp(user_id.refusal);
    const wanted = await read(c.req.raw);
    if (!wanted.ok) return refuseHttp(wanted.refusal);
    const session = c.env.USER_SESSION.getByName(user_id.value);
    const published = await session.publish({ ...wanted.value, who: who.value });
    return published.ok ? json(published.value) : refuseHttp(published.refusal);
  };
}

export function invalidateUser(ports: EdgePorts): Handler<Edge, typeof INVALIDATE_PATH> {
  return async function invalidateUserHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "admin", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const user_id = userIn(c.req.param("user_id"));
    if (!user_id.ok) return refuseHttp(user_id.refusal);
    const done = await c.env.USER_SESSION.getByName(user_id.value).invalidate();
    return done.ok ? json({ invalidated: true }) : refuseHttp(done.refusal);
  };
}

/** What an operator may know of one user. */
export function showUser(ports: EdgePorts): Handler<Edge, typeof USER_PATH> {
  return async function showUserHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "admin", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const user_id = userIn(c.req.param("user_id"));
    if (!user_id.ok) return refuseHttp(user_id.refusal);
    const found = await c.env.USER_SESSION.getByName(user_id.value).overview();
    return found.ok ? json(found.value) : refuseHttp(found.refusal);
  };
}

/** The id in the path of a route about somebody else. */
export function userIn(user_id: string): Result<string> {
  if (isUserId(user_id)) return ok(user_id);
  return refuse("invalid_payload", "user_id is not the id of a user", { field: "user_id" });
}

async function read(request: Request): Promise<Result<Omit<Publication, "who">>> {
  const key = request.headers.get("Idempotency-Key");
  if (key !== null && !id.safeParse(key).success) {
    return refuse("invalid_payload", `Idempotency-Key must have 1 to ${MAX_ID_CHARS} characters`, {
      field: "Idempotency-Key",
      limit: MAX_ID_CHARS,
    });
  }
  const body = await readJson(request, MAX_BODY_BYTES);
  if (!body.ok) return body;
  const bad = unsafe(body.value, "body");
  if (bad !== undefined) return bad;
  const parsed = publication.safeParse(body.value, { reportInput: true });
  if (!parsed.success) return { ok: false, refusal: refusalOf(parsed.error, "body") };
  // Kept beside the key as numbers are spelled there, which may be longer than they were sent: 1e20.
  if (key !== null && utf8Length(canonicalJson(parsed.data)) > MAX_BODY_BYTES) {
    return refuse("too_large", `with an Idempotency-Key events may have ${MAX_BODY_BYTES} bytes`, {
      field: "events",
      limit: MAX_BODY_BYTES,
    });
  }
  return ok({ events: parsed.data.events, ...(key === null ? {} : { idempotency_key: key }) });
}
