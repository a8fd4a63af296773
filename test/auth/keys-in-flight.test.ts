/** A provider's keys while they are being fetched, and just after: what is known of a key that nobody has seen yet. */
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { JWKSNoMatchingKey } from "jose/errors";
import { describe, expect, test, vi } from "vitest";
import { ProviderKeys, ProviderUnavailable } from "../../src/auth/provider-keys.ts";

const COOLDOWN_MS = 10_000;

/** Answers when it is let, and by a clock that only the test moves. */
class SlowProvider {
  readonly keys: ProviderKeys;
  published: readonly JWK[] = [];
  asked = 0;
  #answered = 0;
  #now = 1_800_000_000_000;
  #held = Promise.withResolvers<void>();

  constructor() {
    const settings = { issuer: "https://login.example", jwks_url: "https://login.example/jwks" };
    this.keys = new ProviderKeys(settings, {
      now: () => this.#now,
      wait: () => new Promise((resolve) => setTimeout(resolve, 0)),
      fetch: () => this.#fetch(),
      background: () => {},
      report: () => {},
    });
  }

  find(kid: string): Promise<unknown> {
    return this.keys.find({ alg: "ES256", kid }, { payload: "", signature: "" });
  }

  /** As `find`, with the provider answering at once. */
  async findNow(kid: string): Promise<unknown> {
    const found = this.find(kid);
    await this.answer();
    return found;
  }

  /** The next request, be it here already or not. */
  async answer(): Promise<void> {
    this.#answered += 1;
    await vi.waitUntil(() => this.asked === this.#answered, { interval: 1 });
    this.#held.resolve();
    this.#held = Promise.withResolvers();
  }

  pass(ms: number): void {
    this.#now += ms;
  }

  async #fetch(): Promise<Response> {
    this.asked += 1;
    await this.#held.promise;
    return Response.json({ keys: this.published });
  }
}

async function newKey(kid: string): Promise<JWK> {
  const { publicKey } = await generateKeyPair("ES256");
  return { ...(await exportJWK(publicKey)), kid };
}

describe("a key that nobody has seen yet", () => {
  test("[A16] is known to be none of the provider's by the very answer that was had for it", async () => {
    const provider = new SlowProvider();
    provider.published = [await newKey("one")];
    await expect(provider.findNow("never")).rejects.toThrow(JWKSNoMatchingKey);
    expect(provider.asked).toBe(1);
    // What was answered then says nothing about a key that turns up later.
    await expect(provider.find("other")).rejects.toThrow(ProviderUnavailable);
    expect(provider.asked).toBe(1);
  });

  test("[A16] is found by everybody who waits for the one request that brings it", async () => {
    const provider = new SlowProvider();
    provider.published = [await newKey("old")];
    await provider.findNow("old");
    provider.published = [await newKey("new")];
    provider.pass(COOLDOWN_MS);
    const first = provider.find("new");
    await vi.waitUntil(() => provider.asked === 2, { interval: 1 });
    const others = Array.from({ length: 5 }, () => provider.find("new"));
    await provider.answer();
    expect(await Promise.all([first, ...others])).toHaveLength(6);
    expect(provider.asked).toBe(2);
  });

  test("[A16] [A17] stays undecided for who came while the provider was being asked already", async () => {
    const provider = new SlowProvider();
    provider.published = [await newKey("one")];
    const first = provider.find("one");
    const late = provider.find("never");
    await provider.answer();
    await first;
    await expect(late).rejects.toMatchObject({ name: "ProviderUnavailable", retry_after_ms: COOLDOWN_MS });
    provider.pass(COOLDOWN_MS);
    await expect(provider.findNow("never")).rejects.toThrow(JWKSNoMatchingKey);
    expect(provider.asked).toBe(2);
  });
});
