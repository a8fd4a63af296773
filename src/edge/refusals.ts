/**
 * A refusal → the answer that carries it: an HTTP status, or, since a browser
 * cannot read a refused upgrade, a socket that is accepted here, told why and
 * closed, without the user's object ever hearing of it.
 */
import { offeredSubprotocols } from "../auth/credentials.ts";
import { SUBPROTOCOL } from "../protocol/pure/constants.ts";
import { closeOf, errorPayload, statusOf } from "../protocol/refusal.ts";
import type { ErrorFrame } from "../protocol/replies.ts";
import { type Refusal, refuse } from "../protocol/result.ts";
import { json } from "./answers.ts";

export function refusalAnswer(refusal: Refusal, request: Request): Response {
  return canReadFrames(request) ? refuseOnSocket(refusal) : refuseHttp(refusal);
}

export function refuseHttp(refusal: Refusal, headers: Readonly<Record<string, string>> = {}): Response {
  return json({ error: refusal }, statusOf(refusal), { ...headersFor(refusal), ...headers });
}

/** @param allow the methods that exist here (RFC 9110 §15.5.6 wants them named) */
export function methodNotAllowed(allow: string): Response {
  return refuseHttp(refuse("method_not_allowed", `the method must be ${allow}`).refusal, { Allow: allow });
}

/** The same for everything that does not exist, so that hidden routes look like absent ones. */
export function routeNotFound(): Response {
  return refuseHttp(refuse("not_found", "there is no such route").refusal);
}

export function isUpgrade(request: Request): boolean {
  return request.method === "GET" && request.headers.get("Upgrade")?.toLowerCase() === "websocket";
}

function canReadFrames(request: Request): boolean {
  return isUpgrade(request) && offeredSubprotocols(request.headers).includes(SUBPROTOCOL);
}

function refuseOnSocket(refusal: Refusal): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  const frame: ErrorFrame = { type: "error", payload: errorPayload(refusal, true) };
  const { code, reason } = closeOf(refusal);
  server.accept();
  server.send(JSON.stringify(frame));
  server.close(code, reason);
  return new Response(null, {
    status: 101,
    webSocket: client,
    headers: { "Sec-WebSocket-Protocol": SUBPROTOCOL },
  });
}

export function headersFor(refusal: Refusal, status: number = statusOf(refusal)): Record<string, string> {
  const headers: Record<string, string> = {};
  if (status === 401) headers["WWW-Authenticate"] = challenge(refusal);
  if (refusal.code === "upgrade_required") headers.Upgrade = "websocket";
  if (refusal.retry_after_ms !== undefined) {
    headers["Retry-After"] = String(Math.ceil(refusal.retry_after_ms / 1000));
  }
  return headers;
}

/** RFC 6750 §3; who sent no credential is told of no error (§3.1). Our messages hold no quotes. */
function challenge(refusal: Refusal): string {
  const scheme = 'Bearer realm="throughline"';
  if (refusal.code === "token_missing") return scheme;
  return `${scheme}, error="invalid_token", error_description="${refusal.message}"`;
}
