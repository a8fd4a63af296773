/**
 * What is kept of a user, as a file to take away (`GET /v1/me/export`), and its end
 * (`DELETE /v1/me`); and what models have cost (`GET /v1/me/usage`).
 */
import type { Handler } from "hono";
import type { Principal } from "../auth/principal.ts";
import type { Result } from "../protocol/result.ts";
import type { ThreadsPage } from "../session/rpc.ts";
import { json, jsonStream } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts, SessionStub } from "./env.ts";
import { refuseHttp } from "./refusals.ts";

export const ME_PATH = "/v1/me";
export const EXPORT_PATH = "/v1/me/export";
export const USAGE_PATH = "/v1/me/usage";

export function eraseMe(ports: EdgePorts): Handler<Edge> {
  return async function eraseMeHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const erased = await c.env.USER_SESSION.getByName(who.value.user_id).erase(who.value);
    return erased.ok ? json({ erased: true }) : refuseHttp(erased.refusal);
  };
}

export function readUsage(ports: EdgePorts): Handler<Edge> {
  return async function readUsageHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const usage = await c.env.USER_SESSION.getByName(who.value.user_id).readUsage(who.value);
    return usage.ok ? json(usage.value) : refuseHttp(usage.refusal);
  };
}

/** Page by page, so that it may be as long as a life: neither this Worker nor the object ever holds it whole. */
export function exportMe(ports: EdgePorts): Handler<Edge> {
  return async function exportMeHandler(c) {
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const session = () => c.env.USER_SESSION.getByName(who.value.user_id);
    const first = await session().exportPage(who.value, 0);
    if (!first.ok) return refuseHttp(first.refusal);
    const { events, facts, next } = first.value;
    const head = { user_id: who.value.user_id, exported_at: new Date(ports.now()).toISOString(), ...facts };
    const opening = `${JSON.stringify(head).slice(0, -1)},"events":[${events.join(",")}`;
    return jsonStream(
      pages(session, who.value, { opening, empty: events.length === 0, epoch: facts?.epoch, next }),
    );
  };
}

interface Begun {
  readonly opening: string;
  readonly empty: boolean;
  readonly epoch: string | null | undefined;
  readonly next: number | undefined;
}

/** A page that cannot be had breaks the stream off: half a copy must not look like a whole one. */
async function* pages(session: () => SessionStub, who: Principal, { opening, empty, epoch, next }: Begun) {
  yield opening;
  let separator = empty ? "" : ",";
  for (let after = next; after !== undefined; ) {
    const { events, next } = whole(await session().exportPage(who, after, epoch));
    if (events.length > 0) yield separator + events.join(",");
    if (events.length > 0) separator = ",";
    after = next;
  }
  yield '],"threads":[';
  separator = "";
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page: ThreadsPage = whole(await session().exportThreads(who, after, epoch));
    for (const thread of page.threads) {
      yield separator + JSON.stringify(thread);
      separator = ",";
    }
    after = page.next;
  }
  yield "]}";
}

function whole<T>(page: Result<T>): T {
  if (page.ok) return page.value;
  throw new Error("the export was refused half-way");
}
