/**
 * The public keys of an identity provider: fetched when they are first needed,
 * asked for again after ten minutes, and kept on when the provider does not
 * answer, so that its outage costs nobody anything whose key is known.
 */
import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters } from "jose";
import { JWKSNoMatchingKey } from "jose/errors";
import * as z from "zod/mini";
import { isProviderUrl, type OidcSettings } from "../config/oidc.ts";
import { readBytes } from "../protocol/bytes.ts";
import { KeySet } from "./key-set.ts";

/** Older keys are good at once, and asked for again meanwhile. */
const KEEP_MS = 10 * 60_000;

/** Still older ones are asked for first: how long a key that was withdrawn is good, while its provider answers. */
const TRUST_MS = 20 * 60_000;

/** Between two requests to a provider, whoever asks with whatever `kid`: strangers must not make us flood it. */
const COOLDOWN_MS = 10_000;

/** For all that is asked of a provider at once: where the keys are, and the keys. */
const TIMEOUT_MS = 5_000;

/** How often somebody who waits for another's request looks whether it is done. */
const LOOK_MS = 20;

export interface ProviderPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly wait: (ms: number) => Promise<void>;
  /** Keeps `work`, which never rejects, going when whoever began it is gone. */
  readonly background: (work: Promise<unknown>) => void;
  readonly report: (level: "warn", message: string, facts: Readonly<Record<string, unknown>>) => void;
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

/** OpenID Connect Discovery §3: the part that is used. */
const metadata = z.object({ issuer: z.string(), jwks_uri: z.string() });

/** Far above what any provider publishes, and little to hold in memory. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** A token that names no key is verified with each of them. */
const MAX_KEYS = 100;

/** RFC 7517 §5; jose looks at the keys themselves. */
const keySet = z.object({
  keys: z.array(z.looseObject({ kty: z.string() })).check(z.maxLength(MAX_KEYS)),
});

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
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<readonly CryptoKey[]> {
    const asked = this.#asked;
    if (this.#isOlderThan(TRUST_MS) && !this.#failed) await this.#refresh();
    const known = await this.#known(header, token);
    if (known.length > 0) {
      if (this.#isOlderThan(KEEP_MS)) this.#ports.background(this.#ask());
      return known;
    }
    // The provider may have new keys (OpenID Connect Core §10.1.1).
    await this.#refresh();
    const found = await this.#known(header, token);
    if (found.length > 0) return found;
    // Only what was asked after the token came can say that there is no such key.
    throw this.#answered > asked ? new JWKSNoMatchingKey() : this.#unavailable();
  }

  async #known(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<readonly CryptoKey[]> {
    return (await this.#keys?.find(header, token)) ?? [];
  }

  #isOlderThan(ms: number): boolean {
    return this.#ports.now() - this.#fetched_at >= ms;
  }

  #unavailable(): ProviderUnavailable {
    return new ProviderUnavailable(Math.max(0, this.#asked_at + COOLDOWN_MS - this.#ports.now()));
  }

  /** Asks the provider, or waits for whoever is asking it. Never rejects. */
  async #refresh(): Promise<void> {
    // A promise cannot be shared: on Workers it belongs to the request that made it.
    while (this.#ports.now() < this.#asking_until) await this.#ports.wait(LOOK_MS);
    const work = this.#ask();
    this.#ports.background(work);
    await work;
  }

  /** Unless it is being asked, or was just now. Never rejects. */
  async #ask(): Promise<void> {
    const now = this.#ports.now();
    if (now - this.#asked_at < COOLDOWN_MS) return;
    this.#asked_at = now;
    this.#asked += 1;
    const request = this.#asked;
    this.#asking_until = now + TIMEOUT_MS;
    try {
      const published = keySet.parse(await this.#fetch(AbortSignal.timeout(TIMEOUT_MS)));
      this.#keys = new KeySet(published, () => this.#reportBroken());
      this.#fetched_at = now;
      this.#answered = request;
      this.#failed = false;
    } catch {
      this.#failed = true;
    } finally {
      this.#asking_until = Number.NEGATIVE_INFINITY;
    }
  }

  #reportBroken(): void {
    const { issuer } = this.#settings;
    this.#ports.report("warn", "a key of an identity provider cannot be used", { issuer });
  }

  async #fetch(signal: AbortSignal): Promise<unknown> {
    const url = this.#settings.jwks_url ?? (await this.#discover(signal));
    return await this.#get(url, signal);
  }

  /** OpenID Connect Discovery §4.3: who answers for another issuer is not believed. */
  async #discover(signal: AbortSignal): Promise<string> {
    const { issuer } = this.#settings;
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const found = metadata.parse(await this.#get(url, signal));
    if (found.issuer !== issuer) throw new Error("the discovery document is another issuer's");
    if (!isProviderUrl(found.jwks_uri.split("?")[0] ?? "")) throw new Error("jwks_uri is not safe");
    if (protocolOf(found.jwks_uri) === "http:" && protocolOf(issuer) !== "http:")
      throw new Error("jwks_uri is not encrypted");
    return found.jwks_uri;
  }

  /** Redirects are not followed: they could lead anywhere. */
  async #get(url: string, signal: AbortSignal): Promise<unknown> {
    const { fetch } = this.#ports;
    const answer = await fetch(url, {
      headers: { Accept: "application/json" },
      redirect: "manual",
      signal,
    });
    if (answer.status !== 200) throw new Error("the provider did not answer with 200");
    const bytes = await readBytes(answer.body, MAX_ANSWER_BYTES);
    if (bytes === undefined) throw new Error("the provider's answer is too long");
    return JSON.parse(new TextDecoder().decode(bytes));
  }
}

/** As `fetch` would understand it. */
function protocolOf(url: string): string {
  return new URL(url).protocol;
}
