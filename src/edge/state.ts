/** `GET /v1/state`: the user's shared state; it is changed by a command. */
import type { Handler } from "hono";
import { json } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { refuseHttp } from "./refusals.ts";

export const STATE_PATH = "/v1/state";

export function readState(ports: EdgePorts): Handler<Edge> {
  return async function readStateHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const state = await c.env.USER_SESSION.getByName(who.value.user_id).readState(who.value);
    return state.ok ? json(state.value) : refuseHttp(state.refusal);
  };
}
