/**
 * Tickets that were used, so that none is used twice. One row each, beside the
 * few other facts about the user; it goes when another ticket comes long enough
 * after it has expired, because from then on its age alone refuses it.
 */
import type { Ticket } from "../auth/ticket.ts";
import { refuse } from "../protocol/result.ts";
import type { Storage } from "./storage.ts";

const PREFIX = "ticket:";

/** Its age is judged by the Worker's clock, which may be behind the one here. */
const MARGIN_S = 60;

/** Undefined if it may be used. Writes nothing. */
export function refuseTicket(storage: Storage, { jti }: Ticket) {
  const used = storage.read("SELECT 1 FROM meta WHERE key = ?", PREFIX + jti).length > 0;
  return used ? refuse("ticket_used", "a ticket is good for one connection") : undefined;
}

/** In the same turn as `refuseTicket`, so that nobody comes between. */
export function useTicket(storage: Storage, { jti, exp }: Ticket, now: number): void {
  storage.transact(() => {
    storage.write(
      "DELETE FROM meta WHERE key > ? AND key < ? AND CAST(value AS INTEGER) < ?",
      PREFIX,
      `${PREFIX}~`,
      Math.floor(now / 1_000) - MARGIN_S,
    );
    storage.write("INSERT INTO meta (key, value) VALUES (?, ?)", PREFIX + jti, String(exp));
  });
}
