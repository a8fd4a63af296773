/**
 * Where a credential may be. The first place that has one decides; a bad one
 * there is not rescued by a good one elsewhere. No token is ever taken from a
 * URL: those end up in logs and histories (RFC 6750 §5.3). A ticket may be there,
 * since it is worth nothing once it was used.
 */
import { TOKEN_SUBPROTOCOL_PREFIXES } from "../protocol/pure/constants.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";

/** Far above any token of an identity provider, and cheap to refuse before it is decoded. */
export const MAX_TOKEN_BYTES = 8 * 1024;

export interface Credential {
  readonly kind: "token" | "ticket";
  readonly text: string;
}

/**
 * Of a WebSocket upgrade: beside the subprotocol, since browsers cannot set headers
 * there, in the header, or a ticket in the query.
 */
export function upgradeCredential({ headers, url }: Request): Result<Credential> {
  const token = subprotocolToken(headers) ?? bearerToken(headers);
  const ticket = token === undefined ? new URL(url).searchParams.get("ticket") : null;
  const text = accepted(token ?? ticket ?? undefined);
  return text.ok ? ok({ kind: ticket === null ? "token" : "ticket", text: text.value }) : text;
}

/** Of an HTTP request: `Authorization: Bearer` (RFC 6750 §2.1). */
export function headerCredential(headers: Headers): Result<string> {
  return accepted(bearerToken(headers));
}

/** The subprotocols a client offers, in its order of preference (RFC 6455 §11.3.4). */
export function offeredSubprotocols(headers: Headers): readonly string[] {
  const offers = headers.get("Sec-WebSocket-Protocol") ?? "";
  return offers
    .split(",")
    .map((offer) => offer.trim())
    .filter((offer) => offer !== "");
}

/** The token in an offered subprotocol, if it carries one. */
export function tokenIn(offer: string): string | undefined {
  const prefix = TOKEN_SUBPROTOCOL_PREFIXES.find((known) => offer.startsWith(known));
  return prefix === undefined ? undefined : offer.slice(prefix.length);
}

function accepted(token: string | undefined): Result<string> {
  if (token === undefined) return refuse("token_missing", "a bearer token is required");
  return refuseLength(token) ?? ok(token);
}

/** Counted in characters: one that is no ASCII is no part of a token anyway. */
export function refuseLength(token: string) {
  if (token.length <= MAX_TOKEN_BYTES) return undefined;
  return refuse("token_malformed", `a token may have ${MAX_TOKEN_BYTES} bytes`, { limit: MAX_TOKEN_BYTES });
}

function subprotocolToken(headers: Headers): string | undefined {
  for (const offer of offeredSubprotocols(headers)) {
    const token = tokenIn(offer);
    if (token !== undefined) return token;
  }
  return undefined;
}

/** The scheme is compared without case (RFC 9110 §11.1); other schemes are no credential for us. */
function bearerToken(headers: Headers): string | undefined {
  const [scheme, ...rest] = (headers.get("Authorization") ?? "").split(" ");
  return scheme?.toLowerCase() === "bearer" ? rest.join(" ").trim() : undefined;
}
