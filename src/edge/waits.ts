/** What runs of a user wait for from elsewhere: services answer it. */
import type { Handler } from "hono";
import { waitAnswer } from "../protocol/commands.ts";
import { asBody } from "../protocol/parse.ts";
import { id } from "../protocol/primitives.ts";
import { MAX_FRAME_BYTES } from "../protocol/pure/constants.ts";
import { ok, type Result } from "../protocol/result.ts";
import type { WaitAnswer } from "../session/rpc.ts";
import { json } from "./answers.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { refuseId } from "./query.ts";
import { refuseHttp } from "./refusals.ts";
import { keyOf, readBody, serviceFor } from "./service-request.ts";

export const USER_WAIT_PATH = "/v1/users/:user_id/waits/:wait_id";

export function answerUserWait(ports: EdgePorts): Handler<Edge, typeof USER_WAIT_PATH> {
  return async function answerUserWaitHandler(c) {
    const errand = await serviceFor(c.req.param("user_id"), c.req.raw, c.env, ports);
    if (!errand.ok) return refuseHttp(errand.refusal);
    const { who, user_id } = errand.value;
    const wanted = await read(c.req.raw, c.req.param("wait_id"));
    if (!wanted.ok) return refuseHttp(wanted.refusal);
    const session = c.env.USER_SESSION.getByName(user_id);
    const answered = await session.answerWait({ ...wanted.value, who });
    return answered.ok ? json(answered.value) : refuseHttp(asBody(answered.refusal));
  };
}

async function read(request: Request, wait_id: string): Promise<Result<Omit<WaitAnswer, "who">>> {
  if (!id.safeParse(wait_id).success) return refuseId("wait_id");
  const key = keyOf(request);
  if (!key.ok) return key;
  const body = await readBody(request, waitAnswer, MAX_FRAME_BYTES);
  return body.ok ? ok({ ...key.value, answer: { ...body.value, wait_id } }) : body;
}
