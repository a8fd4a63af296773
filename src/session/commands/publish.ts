/** `publish`: another service has something to say to a user, who may be away for long. */

import type { Event } from "../../protocol/events.ts";
import { QUEUE_BYTES, QUEUE_EVENTS } from "../../protocol/limits.ts";
import { utf8Length } from "../../protocol/primitives.ts";
import type { Notice } from "../../protocol/publishing.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import type { Context } from "./context.ts";

/** Not on the wire of the clients: services publish over HTTP. */
export interface PublishCommand {
  readonly type: "publish";
  /** Absent: the service does not mind if a repetition is published twice. */
  readonly id?: string;
  readonly payload: { readonly events: readonly Notice[] };
}

/** Nobody knows when the user will be back; a service that asks this often costs next to nothing. */
const RETRY_AFTER_MS = 60_000;

/** All of them or none; the last event is what the reply is made from. */
export function publish(context: Context, { payload }: PublishCommand): Result<Event> {
  const { tx } = context;
  if (!hasRoom(context, payload.events)) {
    return refuse("queue_full", `a user may have ${QUEUE_EVENTS} events or ${QUEUE_BYTES} bytes unread`, {
      limit: QUEUE_EVENTS,
      retry_after_ms: RETRY_AFTER_MS,
    });
  }
  const events = payload.events.map(({ topic, data, ttl_s }) =>
    tx.append(
      { type: "notification", payload: { topic, data, timestamp: tx.timestamp } },
      ttl_s === undefined ? {} : { expires_at: tx.now + ttl_s * 1_000 },
    ),
  );
  const last = events.at(-1);
  return last === undefined
    ? refuse("invalid_payload", "events must not be empty", { field: "events" })
    : ok(last);
}

/** Only others than the user are ever refused: what the user does, and what comes of it, always has room. */
function hasRoom({ log, tx }: Context, fresh: readonly Notice[]): boolean {
  const pending = log.weigh(log.acked, tx.nextSeq - 1, tx.now);
  const bytes = fresh.reduce((sum, notice) => sum + utf8Length(JSON.stringify(notice)), pending.bytes);
  return pending.events + fresh.length <= QUEUE_EVENTS && bytes <= QUEUE_BYTES;
}
