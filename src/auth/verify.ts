/** A token → the Principal it proves, or the one reason why not. */
import { type CryptoKey, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from "jose";
import {
  JOSEAlgNotAllowed,
  JOSENotSupported,
  JWKSNoMatchingKey,
  JWSInvalid,
  JWSSignatureVerificationFailed,
  JWTClaimValidationFailed,
  JWTExpired,
  JWTInvalid,
} from "jose/errors";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import { type Claims, parseClaims, wrongClaim } from "./claims.ts";
import { claimedIssuer, isCompact } from "./compact.ts";
import { refuseLength } from "./credentials.ts";
import type { Principal } from "./principal.ts";
import { ProviderUnavailable } from "./provider-keys.ts";
import { LOCAL_REALM, type Realm, type Realms } from "./realms.ts";
import { userId } from "./user-id.ts";

/** What two honest clocks may differ by; at verification only, the grace of a live socket is another thing. */
export const CLOCK_TOLERANCE_S = 30;

/** @param now milliseconds since the epoch */
export async function verifyToken(
  token: string,
  realms: Realms,
  now: () => number,
): Promise<Result<Principal>> {
  const at_ms = now();
  const tooLong = refuseLength(token);
  if (tooLong !== undefined) return tooLong;
  if (!isCompact(token)) return NO_TOKEN;
  const realm = realms.ofIssuer(claimedIssuer(token));
  const verified = await verifySignature(token, realm.keys, {
    ...realm.expects,
    algorithms: [...realm.algorithms],
    requiredClaims: ["sub", "exp", "iat"],
    clockTolerance: CLOCK_TOLERANCE_S,
    currentDate: new Date(at_ms),
  });
  if (!verified.ok) return verified;
  const wrongType = refuseType(verified.value.protectedHeader.typ);
  if (wrongType !== undefined) return wrongType;
  const claims = parseClaims(verified.value.payload);
  if (!claims.ok) return claims;
  return refuseClaims(claims.value, realm, at_ms) ?? (await principalOf(claims.value, realm, realms));
}

/** Against one key after the other, until one fits; every other fault is final with the first. */
export async function verifySignature(
  token: string,
  findKeys: Realm["keys"],
  options: JWTVerifyOptions,
): Promise<Result<JWTVerifyResult>> {
  let keys: readonly (CryptoKey | Uint8Array)[] = [];
  for (let tried = 0; ; tried += 1) {
    try {
      const verified = await jwtVerify(
        token,
        async (header, jws) => {
          // jose asks once it has found the algorithm to be allowed.
          if (tried === 0) keys = await findKeys(header, jws);
          const key = keys[tried];
          if (key === undefined) throw new JWKSNoMatchingKey();
          return key;
        },
        options,
      );
      return ok(verified);
    } catch (cause) {
      const another = cause instanceof JWSSignatureVerificationFailed && tried + 1 < keys.length;
      if (!another) return { ok: false, refusal: refusalOf(cause) };
    }
  }
}

const NO_TOKEN = refuse("token_malformed", "the credential is not a signed JWT");

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
  if (cause instanceof JWKSNoMatchingKey) {
    return refuse("token_key", "the token is signed with a key that its issuer does not have").refusal;
  }
  if (cause instanceof ProviderUnavailable) {
    const { retry_after_ms } = cause;
    return refuse("auth_unavailable", "the identity provider does not answer; try again later", {
      retry_after_ms,
    }).refusal;
  }
  if (MALFORMED.some((kind) => cause instanceof kind)) {
    return NO_TOKEN.refusal;
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
function refuseClaims(claims: Claims, { name, authorized_parties }: Realm, at_ms: number) {
  const { iat, azp: party = claims.client_id } = claims;
  if (iat > Math.floor(at_ms / 1000) + CLOCK_TOLERANCE_S) return tooEarly("iat");
  // A token bound to a key that its bearer has to prove is no bearer token (RFC 7800 §3, RFC 9449 §6).
  if (claims.cnf !== undefined) return wrongClaim("cnf", "binds the token to a key; send a bearer token");
  // A logout token has our `aud` and a good signature, and often no `typ` (OpenID Connect Back-Channel Logout §2.4).
  if (claims.events !== undefined) return wrongClaim("events", "makes the token a security event");
  if (claims.realm !== undefined && claims.realm !== name && name !== LOCAL_REALM)
    return wrongClaim("realm", "is not the realm of the key that signed the token");
  if (authorized_parties === undefined) return undefined;
  // Access tokens name their party in `client_id` (RFC 9068 §2.2), ID tokens in `azp` (OpenID Connect Core §2).
  if (party === undefined) return wrongClaim("azp", "is required");
  if (typeof party === "string" && authorized_parties.includes(party)) return undefined;
  return wrongClaim("azp", "is not a party that may use its tokens here");
}

/** Tokens of ours may speak for another realm: those that were exchanged do. */
async function principalOf(claims: Claims, realm: Realm, realms: Realms): Promise<Result<Principal>> {
  const name = claims.realm ?? realm.name;
  if (!realms.has(name)) return wrongClaim("realm", "is not a realm of this service");
  const granted = realm.rules(claims);
  if (!granted.ok) return granted;
  return ok({
    user_id: await userId(name, claims.sub),
    realm: name,
    sub: claims.sub,
    permissions: [...granted.value.permissions],
    plan: granted.value.plan,
    iat: claims.iat,
    auth_time: claims.auth_time,
    // Some issuers count fractions of a second; our frames count whole milliseconds.
    exp: Math.floor(claims.exp),
  });
}
