/** An identity provider in memory: real keys, real signatures, and a `fetch` that it answers. */
import { issue, type Jwks, jwksOf, type SigningKey, signingKey } from "./provider.ts";
import { claimsOf, type TestClaims } from "./tokens.ts";

export class IdentityProvider {
  readonly issuer: string;
  readonly jwks_url: string;
  /** False: it does not answer. */
  up = true;
  readonly #key: SigningKey;
  readonly #jwks: Jwks;

  private constructor(name: string, key: SigningKey, jwks: Jwks) {
    this.issuer = `https://${name}.example`;
    this.jwks_url = `${this.issuer}/jwks`;
    this.#key = key;
    this.#jwks = jwks;
  }

  static async start(name: string): Promise<IdentityProvider> {
    const key = await signingKey("ES256", "k1");
    return new IdentityProvider(name, key, await jwksOf(key));
  }

  /** A token of this provider for us; `undefined` leaves a claim out. */
  token(claims: TestClaims = {}): Promise<string> {
    return issue(this.#key, claimsOf({ iss: this.issuer, aud: "throughline", ...claims }));
  }

  readonly fetch = async (url: string): Promise<Response> => {
    if (!this.up || url !== this.jwks_url) throw new Error("the provider does not answer");
    return Response.json(this.#jwks);
  };

  /** Its part of `OIDC_REALMS`. */
  realm(name: string, more: Readonly<Record<string, unknown>> = {}) {
    return { name, issuer: this.issuer, audience: "throughline", jwks_url: this.jwks_url, ...more };
  }
}
