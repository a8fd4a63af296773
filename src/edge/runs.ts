/** What services may do with the runs of a user: start one, and feed one that they execute themselves. */
import type { Handler } from "hono";
import { contradiction, feeding, runStart } from "../protocol/feeding.ts";
import { asBody } from "../protocol/parse.ts";
import { id } from "../protocol/primitives.ts";
import { MAX_FRAME_BYTES } from "../protocol/pure/constants.ts";
import { ok, type Result } from "../protocol/result.ts";
import type { Feeding, RunRequest } from "../session/rpc.ts";
import { json } from "./answers.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { refuseId } from "./query.ts";
import { refuseHttp } from "./refusals.ts";
import { keyOf, readBody, serviceFor } from "./service-request.ts";

export const RUNS_PATH = "/v1/users/:user_id/runs";
export const FEED_PATH = "/v1/users/:user_id/runs/:run_id/events";

export function startRun(ports: EdgePorts): Handler<Edge, typeof RUNS_PATH> {
  return async function startRunHandler(c) {
    const errand = await serviceFor(c.req.param("user_id"), c.req.raw, c.env, ports);
    if (!errand.ok) return refuseHttp(errand.refusal);
    const { who, user_id } = errand.value;
    const wanted = await readStart(c.req.raw);
    if (!wanted.ok) return refuseHttp(wanted.refusal);
    const session = c.env.USER_SESSION.getByName(user_id);
    const started = await session.startRun({ ...wanted.value, who });
    return started.ok ? json(started.value, 201) : refuseHttp(asBody(started.refusal));
  };
}

export function feedRun(ports: EdgePorts): Handler<Edge, typeof FEED_PATH> {
  return async function feedRunHandler(c) {
    const errand = await serviceFor(c.req.param("user_id"), c.req.raw, c.env, ports);
    if (!errand.ok) return refuseHttp(errand.refusal);
    const { who, user_id } = errand.value;
    const wanted = await readFeeding(c.req.raw, c.req.param("run_id"));
    if (!wanted.ok) return refuseHttp(wanted.refusal);
    const session = c.env.USER_SESSION.getByName(user_id);
    const fed = await session.feed({ ...wanted.value, who });
    return fed.ok ? json(fed.value) : refuseHttp(fed.refusal);
  };
}

async function readStart(request: Request): Promise<Result<Omit<RunRequest, "who">>> {
  const key = keyOf(request);
  if (!key.ok) return key;
  const start = await readBody(request, runStart, MAX_FRAME_BYTES);
  if (!start.ok) return start;
  return contradiction(start.value) ?? ok({ ...key.value, start: start.value });
}

async function readFeeding(request: Request, run_id: string): Promise<Result<Omit<Feeding, "who">>> {
  if (!id.safeParse(run_id).success) return refuseId("run_id");
  const body = await readBody(request, feeding);
  return body.ok ? ok({ run_id, events: body.value.events }) : body;
}
