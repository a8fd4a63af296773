/**
 * Tickets: what stands in a URL where nothing else can carry a credential. One
 * is good for one connection within 30 s; the user's object sees to the first,
 * since only it knows what was used.
 */
import { SignJWT } from "jose";
import * as z from "zod/mini";
import type { Settings } from "../config/settings.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { subject } from "./claims.ts";
import { isCompact } from "./compact.ts";
import { type Principal, principal } from "./principal.ts";
import { LOCAL_ALGORITHM, localKey, localKeys } from "./realms.ts";
import { userId } from "./user-id.ts";
import { verifySignature } from "./verify.ts";

const TTL_S = 30;

/** Names of our own, so that no ticket is ever taken for a token, nor the reverse (RFC 8725 §3.11, §3.12). */
const TYPE = "throughline-ticket+jwt";
const AUDIENCE = "throughline-upgrade";

/** What a ticket is good for, once. */
export interface Ticket {
  readonly jti: string;
  /** Seconds since the epoch: from then on it is refused by its age. */
  readonly exp: number;
}

const claims = z.object({
  sub: subject,
  jti: z.string().check(z.minLength(16), z.maxLength(64)),
  exp: z.number(),
  /** Of the token it was given for: the connection ends with that, not with the ticket. */
  who: z.omit(principal, { user_id: true, sub: true }),
});

/** In seconds since the epoch: sooner, if the token that it is given for ends sooner. */
export function ticketEnd({ exp }: Principal, at_ms: number): number {
  return Math.min(Math.floor(at_ms / 1000) + TTL_S, exp);
}

/**
 * @param jti 16 or more characters that nobody can guess
 * @param now milliseconds since the epoch
 */
export function mintTicket(
  who: Principal,
  jti: string,
  settings: Settings,
  now: () => number,
): Promise<string> {
  const { user_id: _computed, sub, ...rest } = who;
  return new SignJWT({ who: rest })
    .setProtectedHeader({ alg: LOCAL_ALGORITHM, typ: TYPE })
    .setSubject(sub)
    .setAudience(AUDIENCE)
    .setJti(jti)
    .setExpirationTime(ticketEnd(who, now()))
    .sign(localKey(settings));
}

export interface TicketHolder {
  readonly who: Principal;
  readonly ticket: Ticket;
}

/** @param now milliseconds since the epoch */
export async function verifyTicket(
  text: string,
  settings: Settings,
  now: () => number,
): Promise<Result<TicketHolder>> {
  if (!isCompact(text)) return refuse("token_malformed", "the ticket is not a signed JWT");
  const verified = await verifySignature(text, async () => localKeys(settings), {
    algorithms: [LOCAL_ALGORITHM],
    typ: TYPE,
    audience: AUDIENCE,
    requiredClaims: ["sub", "exp", "jti"],
    currentDate: new Date(now()),
  });
  if (!verified.ok) return verified;
  const parsed = claims.safeParse(verified.value.payload);
  if (!parsed.success) return refuse("token_claims", "the ticket's claims are not valid");
  const { sub, jti, exp, who } = parsed.data;
  return ok({ who: { ...who, sub, user_id: await userId(who.realm, sub) }, ticket: { jti, exp } });
}
