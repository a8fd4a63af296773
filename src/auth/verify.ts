/** A token → the Principal it proves, or the one reason why not. */
import { type JWTVerifyResult, jwtVerify } from "jose";
import {
  JOSEAlgNotAllowed,
  JOSENotSupported,
  JWSInvalid,
  JWSSignatureVerificationFailed,
  JWTClaimValidationFailed,
  JWTExpired,
  JWTInvalid,
} from "jose/errors";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import { type Claims, parseClaims, permissionsOf, wrongClaim } from "./claims.ts";
import type { Principal } from "./principal.ts";
import type { Realm } from "./realms.ts";
import { userId } from "./user-id.ts";

/** What two honest clocks may differ by; at verification only, the grace of a live socket is another thing. */
export const CLOCK_TOLERANCE_S = 30;

/** @param now milliseconds since the epoch */
export async function verifyToken(
  token: string,
  realm: Realm,
  now: () => number,
): Promise<Result<Principal>> {
  const at_ms = now();
  const verified = await verifySignature(token, realm, at_ms);
  if (!verified.ok) return verified;
  const wrongType = refuseType(verified.value.protectedHeader.typ);
  if (wrongType !== undefined) return wrongType;
  const claims = parseClaims(verified.value.payload);
  if (!claims.ok) return claims;
  return refuseClaims(claims.value, realm, at_ms) ?? ok(await principalOf(claims.value, realm));
}

async function verifySignature(token: string, realm: Realm, at_ms: number): Promise<Result<JWTVerifyResult>> {
  try {
    const verified = await jwtVerify(token, realm.key, {
      ...realm.expects,
      algorithms: [...realm.algorithms],
      requiredClaims: ["sub", "exp", "iat"],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(at_ms),
    });
    return ok(verified);
  } catch (cause) {
    return { ok: false, refusal: refusalOf(cause) };
  }
}

/** Nothing of the token is repeated, and anything jose does not blame on the token is a fault of ours. */
function refusalOf(cause: unknown): Refusal {
  if (cause instanceof JWTClaimValidationFailed) return claimRefusal(cause);
  if (cause instanceof JWTExpired) return refuse("token_expired", "the token has expired").refusal;
  if (cause instanceof JOSEAlgNotAllowed) {
    return refuse("token_algorithm", "the token is signed with an algorithm that is not accepted").refusal;
  }
  if (cause instanceof JWSSignatureVerificationFailed) {
    return refuse("token_signature", "the token's signature is not valid").refusal;
  }
  if (MALFORMED.some((kind) => cause instanceof kind)) {
    return refuse("token_malformed", "the credential is not a signed JWT").refusal;
  }
  throw cause;
}

/** `JOSENotSupported` is a critical header we do not know: such a token is invalid (RFC 7515 §4.1.11). */
const MALFORMED = [JWSInvalid, JWTInvalid, JOSENotSupported] as const;

function claimRefusal({ claim, reason }: JWTClaimValidationFailed): Refusal {
  if (claim === "iss")
    return refuse("token_issuer", "iss is not the expected issuer", { field: claim }).refusal;
  if (claim === "aud") {
    return refuse("token_audience", "aud does not name this service", { field: claim }).refusal;
  }
  if (claim === "nbf" && reason === "check_failed") return tooEarly(claim).refusal;
  return wrongClaim(claim, reason === "missing" ? "is required" : "is not valid").refusal;
}

function tooEarly(field: "nbf" | "iat") {
  return refuse("token_not_yet_valid", `${field} is in the future`, { field });
}

/** A JWT made for another purpose is no access token, whoever signed it (RFC 8725 §3.11). */
const ACCESS_TOKEN_TYPES = ["jwt", "at+jwt", "application/at+jwt"];

function refuseType(typ: unknown) {
  if (typ === undefined) return undefined;
  if (typeof typ === "string" && ACCESS_TOKEN_TYPES.includes(typ.toLowerCase())) return undefined;
  return wrongClaim("typ", "is not that of an access token");
}

/** What jose does not check. */
function refuseClaims(claims: Claims, realm: Realm, at_ms: number) {
  if (claims.iat > Math.floor(at_ms / 1000) + CLOCK_TOLERANCE_S) return tooEarly("iat");
  if (claims.realm !== undefined && claims.realm !== realm.name) {
    return wrongClaim("realm", "is not the realm of the key that signed the token");
  }
  return undefined;
}

async function principalOf(claims: Claims, realm: Realm): Promise<Principal> {
  return {
    user_id: await userId(realm.name, claims.sub),
    realm: realm.name,
    sub: claims.sub,
    permissions: permissionsOf(claims),
    plan: claims.plan ?? "free",
    iat: claims.iat,
    auth_time: claims.auth_time,
    exp: claims.exp,
  };
}
