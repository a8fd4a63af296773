/** Sign-out everywhere: by the user (`POST /v1/auth/sign-out`) or by an operator (`POST /v1/users/{id}/sign-out`). */
import type { Handler } from "hono";
import { json } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { refuseHttp } from "./refusals.ts";
import { userIn } from "./service-request.ts";

export const SIGN_OUT_PATH = "/v1/auth/sign-out";
export const SIGN_OUT_USER_PATH = "/v1/users/:user_id/sign-out";

export function signOut(ports: EdgePorts): Handler<Edge> {
  return async function signOutHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const done = await c.env.USER_SESSION.getByName(who.value.user_id).signOut(who.value);
    return done.ok ? json({ signed_out: true }) : refuseHttp(done.refusal);
  };
}

export function signOutUser(ports: EdgePorts): Handler<Edge, typeof SIGN_OUT_USER_PATH> {
  return async function signOutUserHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "admin", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const user_id = userIn(c.req.param("user_id"));
    if (!user_id.ok) return refuseHttp(user_id.refusal);
    const done = await c.env.USER_SESSION.getByName(user_id.value).signOut();
    return done.ok ? json({ signed_out: true }) : refuseHttp(done.refusal);
  };
}
