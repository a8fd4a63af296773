/**
 * What a client may do over a socket, it may do with a request: the same
 * commands, checked by the same schemas, through the same queue.
 */
import type { Context, Handler } from "hono";
import type { Principal } from "../auth/principal.ts";
import type { EffectCommand } from "../protocol/commands.ts";
import { asBody, parseCommand } from "../protocol/parse.ts";
import { MAX_FRAME_BYTES } from "../protocol/pure/constants.ts";
import type { Ack } from "../protocol/replies.ts";
import { ok, type Result } from "../protocol/result.ts";
import { json } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts, SessionStub } from "./env.ts";
import { idempotencyKey } from "./idempotency.ts";
import { readJson } from "./json-body.ts";
import { flagIn } from "./query.ts";
import { refuseHttp } from "./refusals.ts";
import { STATE_PATH } from "./state.ts";

interface CommandRoute {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  /** Its parameters are part of the payload. */
  readonly path: string;
  readonly type: EffectCommand["type"];
  /** False: the path says it all. */
  readonly body: boolean;
}

export const COMMAND_ROUTES: readonly CommandRoute[] = [
  { method: "POST", path: "/v1/messages", type: "user_message", body: true },
  { method: "POST", path: "/v1/messages/:message_id/regenerate", type: "message_regenerate", body: false },
  { method: "PUT", path: "/v1/messages/:message_id/feedback", type: "feedback", body: true },
  { method: "POST", path: "/v1/runs/:run_id/cancel", type: "run_cancel", body: false },
  { method: "POST", path: "/v1/waits/:wait_id", type: "run_resume", body: true },
  { method: "POST", path: "/v1/threads", type: "thread_create", body: true },
  { method: "PATCH", path: "/v1/threads/:thread_id", type: "thread_update", body: true },
  { method: "DELETE", path: "/v1/threads/:thread_id", type: "thread_delete", body: false },
  { method: "PATCH", path: STATE_PATH, type: "state_update", body: true },
];

export function command(ports: EdgePorts, route: CommandRoute): Handler<Edge> {
  return async function commandHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const wait = flagIn(new URL(c.req.url).searchParams, "wait");
    if (!wait.ok) return refuseHttp(wait.refusal);
    const wanted = await read(c, route, ports);
    if (!wanted.ok) return refuseHttp(wanted.refusal);
    const session = () => c.env.USER_SESSION.getByName(who.value.user_id);
    const done = await session().submit(who.value, wanted.value);
    if (!done.ok) return refuseHttp(asBody(done.refusal));
    return wait.value ? await answered(session, who.value, done.value, ports) : json(done.value);
  };
}

async function read(c: Context<Edge>, route: CommandRoute, ports: EdgePorts): Promise<Result<EffectCommand>> {
  const key = idempotencyKey(c.req.raw.headers);
  if (!key.ok) return key;
  const body = route.body ? await readJson(c.req.raw, MAX_FRAME_BYTES) : ok({});
  if (!body.ok) return body;
  const params: Readonly<Record<string, string>> = c.req.param();
  const payload = isPlain(body.value) ? { ...body.value, ...params } : body.value;
  return parseCommand(route.type, key.value ?? ports.random(), payload);
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As long as a run may take, and a little for those that wait before it; below what proxies allow. */
const MAX_WAIT_MS = 55_000;

/**
 * With the answer, if there is one to wait for and it comes in time; otherwise
 * 202: whatever keeps the answer away, the message was accepted.
 */
async function answered(session: () => SessionStub, who: Principal, ack: Ack["payload"], ports: EdgePorts) {
  const run_id = "run_id" in ack ? ack.run_id : undefined;
  if (run_id === undefined) return json(ack);
  const late = ports.wait(MAX_WAIT_MS).then(() => undefined);
  const answer = await Promise.race([patiently(session, who, run_id, ports), late]);
  if (answer?.ok) return json({ ...ack, answer: answer.value });
  // Deleted while it was being answered: the only case in which there is nothing to come back for.
  return answer?.refusal.code === "not_found" ? refuseHttp(answer.refusal) : json(ack, 202);
}

/** An object that goes while somebody waits comes back, and so does who waits; a stub of the old one is worth nothing. */
async function patiently(session: () => SessionStub, who: Principal, run_id: string, ports: EdgePorts) {
  for (const pause_ms of PAUSES_MS) {
    const answer = await session()
      .answer(who, run_id)
      .catch(() => undefined);
    if (answer !== undefined && (answer.ok || answer.refusal.code !== "internal")) return answer;
    await ports.wait(pause_ms);
  }
  return undefined;
}

/** An object that was reset is back at once; one that is being moved, a little later. */
const PAUSES_MS = [0, 500, 2_000, 5_000];
