/** `POST /v1/auth/ticket`: for clients that can put a credential nowhere but into the URL of the upgrade. */
import type { Handler } from "hono";
import { mintTicket, ticketEnd } from "../auth/ticket.ts";
import { settingsOf } from "../config/settings.ts";
import { refuse } from "../protocol/result.ts";
import { json } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { refuseHttp } from "./refusals.ts";

export const TICKET_PATH = "/v1/auth/ticket";

/** The user's object is not asked: whether the user has signed out it sees when the ticket is used. */
export function issueTicket(ports: EdgePorts): Handler<Edge> {
  return async function issueTicketHandler(c) {
    const settings = settingsOf(c.env);
    if (!settings.ok) return refuseHttp(settings.refusal);
    const who = await authenticate(c.req.raw, c.env, "chat", ports);
    if (!who.ok) return refuseHttp(who.refusal);
    const at_ms = ports.now();
    const expires_in_ms = ticketEnd(who.value, at_ms) * 1_000 - at_ms;
    // Accepted within the tolerance for clocks, but nothing is left of it.
    if (expires_in_ms <= 0) return refuseHttp(refuse("token_expired", "the token has expired").refusal);
    const ticket = await mintTicket(who.value, ports.random(), settings.value, () => at_ms);
    return json({ ticket, expires_in_ms });
  };
}
