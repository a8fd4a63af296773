/** An identity provider in memory: real keys, real signatures, and a `fetch` that it answers. */
import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";
import { claimsOf, type TestClaims } from "./tokens.ts";

export class Provider {
  readonly issuer: string;
  readonly jwks_url: string;
  /** What its key set says; a test may change it. */
  keys: JWK[] = [];
  /** False: it does not answer. */
  up = true;
  asked = 0;
  readonly #alg: string;
  #kid = 0;
  #privateKey: CryptoKey | undefined;

  private constructor(name: string, alg: string) {
    this.issuer = `https://${name}.example`;
    this.jwks_url = `${this.issuer}/jwks`;
    this.#alg = alg;
  }

  static async start(name: string, alg = "ES256"): Promise<Provider> {
    const provider = new Provider(name, alg);
    await provider.rotate();
    return provider;
  }

  /** Signs with a new key from now on. */
  async rotate(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair(this.#alg, { extractable: true });
    this.#kid += 1;
    this.#privateKey = privateKey;
    this.keys = [{ ...(await exportJWK(publicKey)), kid: `k${this.#kid}`, alg: this.#alg, use: "sig" }];
  }

  /** A token of this provider for us; `undefined` leaves a claim out. */
  token(claims: TestClaims = {}): Promise<string> {
    if (this.#privateKey === undefined) throw new Error("no key");
    const all = claimsOf({ iss: this.issuer, aud: "throughline", ...claims });
    return new CompactSign(new TextEncoder().encode(JSON.stringify(all)))
      .setProtectedHeader({ alg: this.#alg, typ: "JWT", kid: `k${this.#kid}` })
      .sign(this.#privateKey);
  }

  readonly fetch = async (url: string): Promise<Response> => {
    this.asked += 1;
    if (!this.up || url !== this.jwks_url) throw new Error("the provider does not answer");
    return Response.json({ keys: this.keys });
  };

  /** Its part of `OIDC_REALMS`. */
  realm(name: string, more: Readonly<Record<string, unknown>> = {}) {
    return { name, issuer: this.issuer, audience: "throughline", jwks_url: this.jwks_url, ...more };
  }
}
