/**
 * The public keys of an identity provider: fetched when they are first needed,
 * kept for ten minutes, and kept on when the provider does not answer, so that
 * its outage costs nobody anything whose key is known.
 */
import { type CryptoKey, createLocalJWKSet, type FlattenedJWSInput, type JWSHeaderParameters } from "jose";
import { JWKSMultipleMatchingKeys, JWKSNoMatchingKey } from "jose/errors";
import * as z from "zod/mini";
import { isProviderUrl, type OidcSettings } from "../config/oidc.ts";

const KEEP_MS = 10 * 60_000;

/** Between two requests to a provider, whoever asks with whatever `kid`: strangers must not make us flood it. */
const COOLDOWN_MS = 10_000;

const TIMEOUT_MS = 5_000;

/** How often somebody who waits for another's request looks whether it is done. */
const LOOK_MS = 20;

export interface ProviderPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly wait: (ms: number) => Promise<void>;
}

/** The provider did not answer, or may not be asked again yet: nobody can say whether the token is good. */
export class ProviderUnavailable extends Error {
  override readonly name = "ProviderUnavailable";
  readonly retry_after_ms: number;

  constructor(retry_after_ms: number) {
    super("the identity provider's keys cannot be had");
    this.retry_after_ms = retry_after_ms;
  }
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** OpenID Connect Discovery §3: the part that is used. */
const metadata = z.object({ issuer: z.string(), jwks_uri: z.string() });

/** RFC 7517 §5; jose looks at the keys themselves. */
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

export class ProviderKeys {
  readonly #settings: Pick<OidcSettings, "issuer" | "jwks_url">;
  readonly #ports: ProviderPorts;
  #keys: KeySet | undefined;
  #fetched_at = Number.NEGATIVE_INFINITY;
  #asked_at = Number.NEGATIVE_INFINITY;
  /** Requests so far, and which of them brought the keys. */
  #asked = 0;
  #answered = 0;
  /** While a request is on its way: when it will have been given up, whatever became of whoever made it. */
  #asking_until = Number.NEGATIVE_INFINITY;
  #failed = false;

  constructor(settings: Pick<OidcSettings, "issuer" | "jwks_url">, ports: ProviderPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  /**
   * The keys that may have signed `token`: one, unless it does not name its key.
   * @throws JWKSNoMatchingKey if the provider has no such key, `ProviderUnavailable` if that is not known
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey[]> {
    const asked = this.#asked;
    if (this.#ports.now() - this.#fetched_at >= KEEP_MS && !this.#isOut()) await this.#refresh();
    try {
      return await this.#known(header, token);
    } catch (cause) {
      if (!(cause instanceof JWKSNoMatchingKey)) throw cause;
      // The provider may have new keys (OpenID Connect Core §10.1.1).
      await this.#refresh();
      return await this.#known(header, token).catch((still: unknown) => {
        // Only what was asked after the token came can say that there is no such key.
        const unsure = still instanceof JWKSNoMatchingKey && this.#answered <= asked;
        throw unsure ? this.#unavailable() : still;
      });
    }
  }

  async #known(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey[]> {
    if (this.#keys === undefined) throw this.#unavailable();
    try {
      return [await this.#keys(header, token)];
    } catch (cause) {
      if (cause instanceof JWKSMultipleMatchingKeys) return await all(cause);
      throw cause;
    }
  }

  /** True while somebody finds out whether it answers again: who has keys need not wait for that. */
  #isOut(): boolean {
    return this.#keys !== undefined && this.#failed && this.#ports.now() < this.#asking_until;
  }

  #unavailable(): ProviderUnavailable {
    return new ProviderUnavailable(Math.max(0, this.#asked_at + COOLDOWN_MS - this.#ports.now()));
  }

  /** Asks the provider, unless it was asked just now. Never rejects. */
  async #refresh(): Promise<void> {
    // A promise cannot be shared: on Workers it belongs to the request that made it.
    while (this.#ports.now() < this.#asking_until) await this.#ports.wait(LOOK_MS);
    const now = this.#ports.now();
    if (now - this.#asked_at < COOLDOWN_MS) return;
    this.#asked_at = now;
    this.#asked += 1;
    const request = this.#asked;
    this.#asking_until = now + 2 * TIMEOUT_MS;
    try {
      const url = this.#settings.jwks_url ?? (await this.#discover());
      this.#keys = createLocalJWKSet(keySet.parse(await this.#get(url)));
      this.#fetched_at = now;
      this.#answered = request;
      this.#failed = false;
    } catch {
      this.#failed = true;
    } finally {
      this.#asking_until = Number.NEGATIVE_INFINITY;
    }
  }

  /** OpenID Connect Discovery §4.3: who answers for another issuer is not believed. */
  async #discover(): Promise<string> {
    const { issuer } = this.#settings;
    const found = metadata.parse(
      await this.#get(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`),
    );
    if (found.issuer !== issuer) throw new Error("the discovery document is another issuer's");
    if (!isProviderUrl(found.jwks_uri.split("?")[0] ?? "")) throw new Error("jwks_uri is not safe");
    return found.jwks_uri;
  }

  /** Redirects are not followed: they could lead anywhere. */
  async #get(url: string): Promise<unknown> {
    const { fetch } = this.#ports;
    const answer = await fetch(url, {
      headers: { Accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.status !== 200) throw new Error("the provider did not answer with 200");
    return await answer.json();
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
