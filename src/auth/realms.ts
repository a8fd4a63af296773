/**
 * Realms: named key sets whose tokens are honoured, each with its own algorithms
 * and expectations. A subject belongs to its realm, so that two issuers can
 * never name each other's users.
 */
import type { JWTVerifyGetKey, JWTVerifyOptions } from "jose";
import type { Settings } from "../config.ts";

export interface Realm {
  /** Part of every user id (user-id.ts): unique among the realms and never changed. */
  readonly name: string;
  readonly key: JWTVerifyGetKey;
  /** Pinned to the key's kind, so that a token cannot choose how it is verified (RFC 8725 §3.1). */
  readonly algorithms: readonly string[];
  /** `iss` and `aud` its tokens must have. */
  readonly expects: Readonly<Pick<JWTVerifyOptions, "issuer" | "audience">>;
}

/** The realm of the tokens signed with `JWT_SECRET`: our own, and those of a backend that shares it. */
export const LOCAL_REALM = "local";

export const LOCAL_ALGORITHM = "HS256";

export function localKey(settings: Settings): Uint8Array {
  return new TextEncoder().encode(settings.jwt_secret);
}

/** The realm that verifies; the only one until identity providers join, told apart by the issuer they serve. */
export function realmOf(settings: Settings): Realm {
  return {
    name: LOCAL_REALM,
    key: () => localKey(settings),
    algorithms: [LOCAL_ALGORITHM],
    expects: {
      ...(settings.jwt_issuer !== undefined && { issuer: settings.jwt_issuer }),
      ...(settings.jwt_audience !== undefined && { audience: settings.jwt_audience }),
    },
  };
}
