/** Tokens of our own: realm `local`, signed with `JWT_SECRET`, accepted by verify.ts. */
import { SignJWT } from "jose";
import type { Settings } from "../config.ts";
import type { Permission, Plan } from "../protocol/greeting.ts";
import { LOCAL_ALGORITHM, LOCAL_REALM, localKey } from "./realms.ts";

export interface TokenRequest {
  readonly sub: string;
  readonly ttl_s: number;
  readonly permissions: readonly Permission[];
  readonly plan: Plan;
}

/** @param now milliseconds since the epoch */
export function mintToken(wanted: TokenRequest, settings: Settings, now: () => number): Promise<string> {
  const { sub, ttl_s, permissions, plan } = wanted;
  const iat = Math.floor(now() / 1000);
  const token = new SignJWT({ realm: LOCAL_REALM, permissions, plan, auth_time: iat })
    .setProtectedHeader({ alg: LOCAL_ALGORITHM, typ: "JWT" })
    .setSubject(sub)
    .setIssuedAt(iat)
    .setExpirationTime(iat + ttl_s);
  if (settings.jwt_issuer !== undefined) token.setIssuer(settings.jwt_issuer);
  if (settings.jwt_audience !== undefined) token.setAudience(settings.jwt_audience);
  return token.sign(localKey(settings));
}
