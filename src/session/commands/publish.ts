/** `publish`: another service has something to say to a user, who may be away for long. */

import type { Event } from "../../protocol/events.ts";
import type { Notice } from "../../protocol/publishing.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { refuseIfFull } from "./admission.ts";
import type { Context } from "./context.ts";

/** Not on the wire of the clients: services publish over HTTP. */
export interface PublishCommand {
  readonly type: "publish";
  /** Absent: the service does not mind if a repetition is published twice. */
  readonly id?: string;
  readonly payload: { readonly events: readonly Notice[] };
}

/** All of them or none; the last event is what the reply is made from. */
export function publish(context: Context, { payload }: PublishCommand): Result<Event> {
  const { tx } = context;
  const full = refuseIfFull(context, payload.events);
  if (full !== undefined) return full;
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
