/**
 * The request by which the Worker hands a verified upgrade to the object. It is
 * made anew, so nothing the client sent gets through but what is named here.
 */
import * as z from "zod/mini";
import { principal } from "../auth/principal.ts";

/** What the client said about itself in the query, unparsed where the session decides what is valid. */
export const handshake = z.object({
  principal,
  /** What the principal came with, if it was a ticket: good once. */
  ticket: z.optional(z.object({ jti: z.string(), exp: z.number() })),
  codec: z.string(),
  client_id: z.optional(z.string()),
  n: z.optional(z.string()),
  epoch: z.optional(z.string()),
  since: z.optional(z.string()),
  state_version: z.optional(z.string()),
});

export type Handshake = Readonly<z.infer<typeof handshake>>;

const HEADER = "x-throughline-handshake";

/** @param subprotocol the one the client offered and the object shall echo, if any */
export function upgradeRequest(shake: Handshake, subprotocol: string | undefined): Request {
  const headers = new Headers({ Upgrade: "websocket", [HEADER]: encodeURIComponent(JSON.stringify(shake)) });
  if (subprotocol !== undefined) headers.set("Sec-WebSocket-Protocol", subprotocol);
  return new Request("https://session/", { headers });
}

/** Throws if the request was not made by `upgradeRequest`: a bug, since only the Worker reaches the object. */
export function readUpgradeRequest(request: Request): { shake: Handshake; subprotocol: string | undefined } {
  const shake = handshake.parse(JSON.parse(decodeURIComponent(request.headers.get(HEADER) ?? "")));
  return { shake, subprotocol: request.headers.get("Sec-WebSocket-Protocol") ?? undefined };
}
