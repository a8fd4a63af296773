/** Reading over HTTP what the socket's snapshot is too small for: `GET /v1/threads` and the messages of one. */
import type { Handler } from "hono";
import { id } from "../protocol/primitives.ts";
import { ok, type Result } from "../protocol/result.ts";
import type { MessageQuery, ThreadQuery } from "../session/rpc.ts";
import { json } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { flagIn, idIn, numberIn, refuseId } from "./query.ts";
import { refuseHttp } from "./refusals.ts";

export const THREADS_PATH = "/v1/threads";
export const MESSAGES_PATH = "/v1/threads/:thread_id/messages";

export function listThreads(ports: EdgePorts): Handler<Edge> {
  return async function listThreadsHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const query = threadsIn(new URL(c.req.url).searchParams);
    if (!query.ok) return refuseHttp(query.refusal);
    const found = await c.env.USER_SESSION.getByName(who.value.user_id).listThreads(who.value, query.value);
    return found.ok ? json(found.value) : refuseHttp(found.refusal);
  };
}

export function listMessages(ports: EdgePorts): Handler<Edge, typeof MESSAGES_PATH> {
  return async function listMessagesHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const query = queryOf(c.req.param("thread_id"), new URL(c.req.url).searchParams);
    if (!query.ok) return refuseHttp(query.refusal);
    const page = await c.env.USER_SESSION.getByName(who.value.user_id).listMessages(who.value, query.value);
    return page.ok ? json(page.value) : refuseHttp(page.refusal);
  };
}

/** Threads in one answer. */
const MAX_THREADS = 1_000;
const DEFAULT_THREADS = 100;

function threadsIn(query: URLSearchParams): Result<ThreadQuery> {
  const limit = numberIn(query, "limit", { max: MAX_THREADS });
  if (!limit.ok) return limit;
  const before = numberIn(query, "before");
  if (!before.ok) return before;
  return ok({
    limit: limit.value ?? DEFAULT_THREADS,
    ...(before.value !== undefined && { before: before.value }),
  });
}

const DEFAULT_PAGE = 50;

/** Messages in one answer: at 32 KiB each still well within what an RPC may carry. */
const MAX_PAGE = 200;

function queryOf(thread_id: string, query: URLSearchParams): Result<MessageQuery> {
  if (!id.safeParse(thread_id).success) return refuseId("thread_id");
  const limit = numberIn(query, "limit", { max: MAX_PAGE });
  if (!limit.ok) return limit;
  const before = numberIn(query, "before");
  if (!before.ok) return before;
  const head = idIn(query, "head");
  if (!head.ok) return head;
  const through = idIn(query, "through");
  if (!through.ok) return through;
  const steps = flagIn(query, "steps");
  if (!steps.ok) return steps;
  const alternatives = flagIn(query, "alternatives");
  if (!alternatives.ok) return alternatives;
  return ok({
    thread_id,
    limit: limit.value ?? DEFAULT_PAGE,
    ...(steps.value && { steps: true }),
    ...(alternatives.value && { alternatives: true }),
    ...(before.value !== undefined && { before: before.value }),
    ...(head.value !== undefined && { head: head.value }),
    ...(through.value !== undefined && { through: through.value }),
  });
}
