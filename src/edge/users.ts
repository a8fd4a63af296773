/** What others may do with a user's session: services publish, to one or many; operators invalidate. */
import type { Handler } from "hono";
import { isUserId } from "../auth/user-id.ts";
import { broadcast, publication } from "../protocol/publishing.ts";
import { errorPayload } from "../protocol/refusal.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { faultOf } from "../session/faults.ts";
import type { Publication } from "../session/rpc.ts";
import { json } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { refuseHttp } from "./refusals.ts";
import { keyOf, readBody, refuseIfTooLong, serviceFor, userIn } from "./service-request.ts";

export const USER_PATH = "/v1/users/:user_id";
export const BROADCAST_PATH = "/v1/users/events";
export const PUBLISH_PATH = "/v1/users/:user_id/events";
export const INVALIDATE_PATH = "/v1/users/:user_id/invalidate";

export function publishEvents(ports: EdgePorts): Handler<Edge, typeof PUBLISH_PATH> {
  return async function publishEventsHandler(c) {
    const errand = await serviceFor(c.req.param("user_id"), c.req.raw, c.env, ports);
    if (!errand.ok) return refuseHttp(errand.refusal);
    const { who, user_id } = errand.value;
    const wanted = await read(c.req.raw);
    if (!wanted.ok) return refuseHttp(wanted.refusal);
    const session = c.env.USER_SESSION.getByName(user_id);
    const published = await session.publish({ ...wanted.value, who });
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

/** To each of them by itself: what one is refused costs no other anything. */
export function broadcastEvents(ports: EdgePorts): Handler<Edge> {
  return async function broadcastEventsHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "service", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const wanted = await readBroadcast(c.req.raw);
    if (!wanted.ok) return refuseHttp(wanted.refusal);
    const { user_ids, ...publication } = wanted.value;
    const publish = async (user_id: string) => {
      const published = await c.env.USER_SESSION.getByName(user_id).publish({
        ...publication,
        who: who.value,
      });
      return published.ok
        ? { user_id, ...published.value }
        : { user_id, error: errorPayload(published.refusal) };
    };
    const failed = (user_id: string) => (cause: unknown) => {
      ports.report("error", "a user could not be published to", { user_id, ...faultOf(cause) });
      return { user_id, error: errorPayload(INTERNAL) };
    };
    return json({ results: await Promise.all(user_ids.map((one) => publish(one).catch(failed(one)))) });
  };
}

async function read(request: Request): Promise<Result<Omit<Publication, "who">>> {
  const key = keyOf(request);
  if (!key.ok) return key;
  const body = await readBody(request, publication);
  if (!body.ok) return body;
  const { events } = body.value;
  return refuseIfTooLong(key.value, body.value, "events") ?? ok({ ...key.value, events });
}

async function readBroadcast(
  request: Request,
): Promise<Result<Omit<Publication, "who"> & { readonly user_ids: readonly string[] }>> {
  const key = keyOf(request);
  if (!key.ok) return key;
  const body = await readBody(request, broadcast);
  if (!body.ok) return body;
  const { user_ids, events } = body.value;
  const bad = user_ids.findIndex((one, index) => !isUserId(one) || user_ids.indexOf(one) < index);
  if (bad >= 0) {
    const field = `user_ids.${bad}`;
    return refuse("invalid_payload", `${field} is not the id of a user, or is there twice`, { field });
  }
  return refuseIfTooLong(key.value, { events }, "events") ?? ok({ ...key.value, user_ids, events });
}

const INTERNAL = refuse("internal", "something went wrong here; the same request may succeed later").refusal;
