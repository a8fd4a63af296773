/** `POST /v1/auth/ticket`: for clients that can put a credential nowhere but into the URL of the upgrade. */
import type { Handler } from "hono";
import { mintTicket, TICKET_TTL_S } from "../auth/ticket.ts";
import { settingsOf } from "../config/settings.ts";
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
    const ticket = await mintTicket(who.value, ports.random(), settings.value, ports.now);
    return json({ ticket, expires_in_ms: TICKET_TTL_S * 1_000 });
  };
}
