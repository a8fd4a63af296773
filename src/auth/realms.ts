/**
 * Realms: named key sets whose tokens are honoured, each with its own algorithms
 * and expectations. A subject belongs to its realm, so that two issuers can
 * never name each other's users.
 */
import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters, JWTVerifyOptions } from "jose";
import type { OidcSettings } from "../config/oidc.ts";
import type { Settings } from "../config/settings.ts";
import { claimedIssuer, isCompact } from "./compact.ts";
import { LOCAL_RULES, type Rules, rulesOf } from "./grants.ts";
import { ProviderKeys, type ProviderPorts } from "./provider-keys.ts";

export interface Realm {
  /** Part of every user id (user-id.ts): unique among the realms and never changed. */
  readonly name: string;
  /** The keys that may have signed a token; tried one after the other. */
  readonly keys: (
    header: JWSHeaderParameters,
    token: FlattenedJWSInput,
  ) => Promise<readonly (CryptoKey | Uint8Array)[]>;
  /** Pinned to the key's kind, so that a token cannot choose how it is verified (RFC 8725 §3.1). */
  readonly algorithms: readonly string[];
  /** `iss` and `aud` its tokens must have. */
  readonly expects: Readonly<Pick<JWTVerifyOptions, "issuer" | "audience">>;
  /** `azp`, or `client_id` where there is none, that its tokens must have; absent: anybody's. */
  readonly authorized_parties?: readonly string[] | undefined;
  /** Which permissions and plan its claims stand for. */
  readonly rules: Rules;
}

/** The realm of the tokens signed with `JWT_SECRET`: our own, and those of a backend that shares it. */
export const LOCAL_REALM = "local";

export const LOCAL_ALGORITHM = "HS256";

export class Realms {
  readonly local: Realm;
  readonly #byIssuer: ReadonlyMap<unknown, Realm>;
  readonly #names: ReadonlySet<string>;

  constructor(settings: Settings, ports: ProviderPorts) {
    const providers = settings.oidc_realms.map((one) => [one.issuer, providerRealm(one, ports)] as const);
    this.local = localRealm(settings);
    this.#byIssuer = new Map(providers);
    this.#names = new Set([LOCAL_REALM, ...settings.oidc_realms.map(({ name }) => name)]);
  }

  /** Whose keys must have signed a token of this `iss`; what no provider claims is ours to verify. */
  ofIssuer(iss: unknown): Realm {
    return this.#byIssuer.get(iss) ?? this.local;
  }

  /** True for a token that no provider's key would be asked about. */
  isLocal(token: string): boolean {
    return isCompact(token) && this.ofIssuer(claimedIssuer(token)) === this.local;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }
}

/** One for all requests of a Worker, so that providers' keys are fetched once. */
export function realmsOf(settings: Settings, ports: ProviderPorts): Realms {
  const known = cache.get(settings);
  if (known !== undefined) return known;
  const realms = new Realms(settings, ports);
  cache.set(settings, realms);
  return realms;
}

const cache = new WeakMap<Settings, Realms>();

/** Signs; whatever verifies accepts the secret before the last rotation as well. */
export function localKey(settings: Settings): Uint8Array {
  return new TextEncoder().encode(settings.jwt_secret);
}

/** What verifies tokens of ours, the newest secret first. */
export function localKeys(settings: Settings): readonly Uint8Array[] {
  const { jwt_secret_previous: previous } = settings;
  return [localKey(settings), ...(previous === undefined ? [] : [new TextEncoder().encode(previous)])];
}

function localRealm(settings: Settings): Realm {
  const { jwt_issuer, jwt_audience } = settings;
  const keys = localKeys(settings);
  return {
    name: LOCAL_REALM,
    keys: async () => keys,
    algorithms: [LOCAL_ALGORITHM],
    expects: {
      ...(jwt_issuer !== undefined && { issuer: jwt_issuer }),
      ...(jwt_audience !== undefined && { audience: jwt_audience }),
    },
    rules: LOCAL_RULES,
  };
}

function providerRealm(settings: OidcSettings, ports: ProviderPorts): Realm {
  const { name, algorithms, issuer, audience, authorized_parties } = settings;
  const provider = new ProviderKeys(settings, ports);
  return {
    name,
    keys: (header, token) => provider.find(header, token),
    algorithms,
    expects: { issuer, audience: [...audience] },
    authorized_parties,
    rules: rulesOf(settings),
  };
}
