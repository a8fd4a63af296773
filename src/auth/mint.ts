/** Tokens of ours: signed with `JWT_SECRET`, accepted by verify.ts. */
import { SignJWT } from "jose";
import type { Settings } from "../config/settings.ts";
import type { Permission, Plan } from "../protocol/greeting.ts";
import { LOCAL_ALGORITHM, localKey } from "./realms.ts";

export interface TokenRequest {
  /** Whose `sub` it is; `local`, or the provider's whose token this one stands for. */
  readonly realm: string;
  readonly sub: string;
  /** Seconds since the epoch. */
  readonly exp: number;
  /** When the person signed in; now, if that is what is happening. */
  readonly auth_time?: number;
  readonly permissions: readonly Permission[];
  readonly plan: Plan;
}

/** @param now milliseconds since the epoch */
export function mintToken(wanted: TokenRequest, settings: Settings, now: () => number): Promise<string> {
  const { realm, sub, exp, permissions, plan } = wanted;
  const iat = Math.floor(now() / 1000);
  const token = new SignJWT({ realm, permissions, plan, auth_time: wanted.auth_time ?? iat })
    .setProtectedHeader({ alg: LOCAL_ALGORITHM, typ: "JWT" })
    .setSubject(sub)
    .setIssuedAt(iat)
    .setExpirationTime(exp);
  if (settings.jwt_issuer !== undefined) token.setIssuer(settings.jwt_issuer);
  if (settings.jwt_audience !== undefined) token.setAudience(settings.jwt_audience);
  return token.sign(localKey(settings));
}
