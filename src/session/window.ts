/**
 * Flow control: how much a connection may be sent before it acknowledges. The
 * window follows from cursor, acknowledgement and log, so nothing can leak; what
 * is kept in memory is only the sum, to spare a query per event.
 */
import { WINDOW_BYTES, WINDOW_EVENTS } from "../protocol/limits.ts";
import type { Connection } from "./connections.ts";
import type { Log } from "./log.ts";
import type { Weight } from "./log-reader.ts";

/** How many events more may be sent; the last one may be larger than what is left of the bytes. */
export function room(connection: Connection, log: Log, now: number): number {
  if (!connection.codec.acks) return Number.POSITIVE_INFINITY;
  const { events, bytes } = unacknowledged(connection, log, now);
  return bytes >= WINDOW_BYTES ? 0 : Math.max(0, WINDOW_EVENTS - events);
}

/** An event was sent. */
export function fill(connection: Connection, bytes: number): void {
  const { unacknowledged: sum } = connection;
  if (sum === undefined) return;
  connection.unacknowledged = { events: sum.events + 1, bytes: sum.bytes + bytes };
}

/** True while stream frames must not reach it: what it is missing would come after them. */
export function isBehind({ replay_to, stalled_at }: Connection): boolean {
  return replay_to !== undefined || stalled_at !== undefined;
}

/** What was sent since the connection began, or since it last acknowledged, whichever is later. */
function unacknowledged(connection: Connection, log: Log, now: number): Weight {
  const { ack, base, cursor } = connection;
  connection.unacknowledged ??= log.weigh(Math.max(ack, base), cursor, now);
  return connection.unacknowledged;
}
