/** `GET /v1/events`: the log without a socket, for who cannot keep one open. */
import type { Handler } from "hono";
import { ok, type Result } from "../protocol/result.ts";
import type { EventPage, EventQuery } from "../session/rpc.ts";
import { jsonText } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { eventStream, wantsStream } from "./event-stream.ts";
import { numberIn } from "./query.ts";
import { refuseHttp } from "./refusals.ts";

export const EVENTS_PATH = "/v1/events";

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;

export function listEvents(ports: EdgePorts): Handler<Edge> {
  return async function listEventsHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const session = c.env.USER_SESSION.getByName(who.value.user_id);
    if (wantsStream(c.req.raw.headers)) return eventStream(c.req.raw, session, who.value);
    const query = queryOf(new URL(c.req.url).searchParams);
    if (!query.ok) return refuseHttp(query.refusal);
    const page = await session.readEvents(who.value, query.value);
    return page.ok ? jsonText(written(page.value)) : refuseHttp(page.refusal);
  };
}

function queryOf(query: URLSearchParams): Result<EventQuery> {
  const since = numberIn(query, "since", { min: 0 });
  if (!since.ok) return since;
  const limit = numberIn(query, "limit", { max: MAX_PAGE });
  if (!limit.ok) return limit;
  const epoch = query.get("epoch");
  return ok({
    since: since.value ?? 0,
    limit: limit.value ?? DEFAULT_PAGE,
    ...(epoch === null ? {} : { epoch }),
  });
}

/** The frames are JSON already. */
function written({ events, ...facts }: EventPage): string {
  return `{"events":[${events.join(",")}],${JSON.stringify(facts).slice(1)}`;
}
