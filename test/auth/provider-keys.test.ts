/** How a provider's keys are found, kept and asked for again, whoever asks and whether it answers or not. */
import { base64url } from "jose";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Realms } from "../../src/auth/realms.ts";
import { verifyToken } from "../../src/auth/verify.ts";
import { settings } from "../support/ports.ts";
import {
  compact,
  hmacSigner,
  issue,
  type Jwks,
  jwksOf,
  type SigningKey,
  signingKey,
} from "../support/provider.ts";
import { claimsOf, type TestClaims } from "../support/tokens.ts";

const ISSUER = "https://id.example/tenant";
const DOCUMENT = `${ISSUER}/.well-known/openid-configuration`;
const KEYS = "https://keys.example/jwks";

const START_MS = 1_800_000_000_000;
const MINUTE_MS = 60_000;

type Answer = () => Response | Promise<Response>;

/** A provider, the clock, and a Worker that knows of both. */
class Scene {
  now_ms = START_MS;
  readonly asked: string[] = [];
  readonly inits: RequestInit[] = [];
  readonly answers: Record<string, Answer> = {};
  readonly logged: unknown[] = [];
  /** What goes on when whoever began it is gone. */
  readonly background: Promise<unknown>[] = [];
  /** How often somebody waited for another's request. */
  waited = 0;
  /** What happens meanwhile: time passes. */
  meanwhile = async (ms: number) => {
    this.now_ms += ms;
  };
  readonly realms: Realms;

  constructor(realm: Readonly<Record<string, unknown>> = {}) {
    const OIDC_REALMS = [{ name: "id", issuer: ISSUER, audience: "chat", jwks_url: KEYS, ...realm }];
    this.realms = new Realms(settings({ OIDC_REALMS }), {
      now: () => this.now_ms,
      wait: async (ms) => {
        this.waited += 1;
        await this.meanwhile(ms);
      },
      fetch: async (url, init) => {
        this.asked.push(url);
        this.inits.push(init);
        const answer = this.answers[url];
        if (answer === undefined) throw new Error("nobody answers there");
        return answer();
      },
      background: (work) => this.background.push(work),
      report: (...entry) => this.logged.push(entry),
    });
  }

  /** Everything that nobody waits for is done. */
  async settle(): Promise<void> {
    await Promise.all(this.background);
  }

  publish(keys: Jwks): this {
    this.answers[KEYS] = () => Response.json(keys);
    return this;
  }

  goDown(): void {
    delete this.answers[KEYS];
  }

  claims(claims: TestClaims = {}): TestClaims {
    return claimsOf({ iss: ISSUER, aud: "chat", ...claims }, Math.floor(this.now_ms / 1000));
  }

  async codeOf(token: Promise<string> | string): Promise<string> {
    const result = await verifyToken(await token, this.realms, () => this.now_ms);
    return result.ok ? "ok" : result.refusal.code;
  }

  /** Of a token by that key, issued now. */
  async signed(key: SigningKey): Promise<string> {
    return this.codeOf(issue(key, this.claims()));
  }

  async retryAfter(key: SigningKey): Promise<unknown> {
    const token = await issue(key, this.claims());
    const result = await verifyToken(token, this.realms, () => this.now_ms);
    return result.ok ? "ok" : [result.refusal.code, result.refusal.retry_after_ms];
  }
}

/** What only the test lets go on. */
function gate<T>() {
  let open: (value: T) => void = () => {};
  const passed = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

let first: SigningKey;
let second: SigningKey;
let nameless: SigningKey;
let alsoNameless: SigningKey;
let stranger: SigningKey;
let jwks: Jwks;

beforeAll(async () => {
  first = await signingKey("ES256", "first");
  second = await signingKey("ES256", "second");
  nameless = await signingKey("ES256");
  alsoNameless = await signingKey("ES256");
  stranger = await signingKey("ES256", "stranger");
  jwks = await jwksOf(first);
});

let scene: Scene;
beforeEach(() => {
  scene = new Scene().publish(jwks);
});

describe("where the keys are", () => {
  test("[A16] a configured jwks_url is asked at once, and for nothing but keys", async () => {
    expect(await scene.signed(first)).toBe("ok");
    expect(scene.asked).toEqual([KEYS]);
    expect(scene.inits[0]).toMatchObject({ redirect: "manual", headers: { Accept: "application/json" } });
    expect(Object.keys(scene.inits[0] ?? {}).sort()).toEqual(["headers", "redirect", "signal"]);
  });

  test.each([
    ["", DOCUMENT],
    ["/", DOCUMENT],
  ])("[A16] without one they are found by discovery (an issuer ending in %o)", async (end, document) => {
    const found = new Scene({ jwks_url: undefined, issuer: `${ISSUER}${end}` }).publish(jwks);
    found.answers[document] = () => Response.json({ issuer: `${ISSUER}${end}`, jwks_uri: KEYS });
    expect(await found.codeOf(issue(first, found.claims({ iss: `${ISSUER}${end}` })))).toBe("ok");
    expect(found.asked).toEqual([document, KEYS]);
  });

  test("[A17] an unencrypted document on this machine may lead to unencrypted keys there", async () => {
    const [issuer, keys] = ["http://localhost:8080", "http://localhost:8080/jwks"];
    const found = new Scene({ jwks_url: undefined, issuer });
    found.answers[`${issuer}/.well-known/openid-configuration`] = () =>
      Response.json({ issuer, jwks_uri: keys });
    found.answers[keys] = () => Response.json(jwks);
    expect(await found.codeOf(issue(first, found.claims({ iss: issuer })))).toBe("ok");
  });

  test("[A16] a found address may have a query", async () => {
    const found = new Scene({ jwks_url: undefined });
    found.answers[DOCUMENT] = () => Response.json({ issuer: ISSUER, jwks_uri: `${KEYS}?v=2` });
    found.answers[`${KEYS}?v=2`] = () => Response.json(jwks);
    expect(await found.signed(first)).toBe("ok");
  });

  test.each<[string, Answer]>([
    ["another issuer's", () => Response.json({ issuer: "https://id.example", jwks_uri: KEYS })],
    ["one of the same issuer with a slash", () => Response.json({ issuer: `${ISSUER}/`, jwks_uri: KEYS })],
    ["one without an issuer", () => Response.json({ jwks_uri: KEYS })],
    ["one without jwks_uri", () => Response.json({ issuer: ISSUER })],
    [
      "one with unencrypted keys",
      () => Response.json({ issuer: ISSUER, jwks_uri: "http://keys.example/jwks" }),
    ],
    [
      "one with keys on this machine",
      () => Response.json({ issuer: ISSUER, jwks_uri: "http://localhost/jwks" }),
    ],
    ["one that hides it", () => Response.json({ issuer: ISSUER, jwks_uri: " HT\tTP://127.0.0.1/jwks?a" })],
    ["one with keys in a file", () => Response.json({ issuer: ISSUER, jwks_uri: "file:///jwks" })],
    ["one with keys in itself", () => Response.json({ issuer: ISSUER, jwks_uri: "data:,{}" })],
    [
      "one with a password",
      () => Response.json({ issuer: ISSUER, jwks_uri: "https://:a@keys.example/jwks" }),
    ],
    ["one with no address", () => Response.json({ issuer: ISSUER, jwks_uri: "/jwks" })],
    ["a list", () => Response.json([{ issuer: ISSUER, jwks_uri: KEYS }])],
    ["a redirect", () => Response.redirect("https://elsewhere.example/", 302)],
    ["an error", () => new Response(null, { status: 404 })],
  ])("[A17] a document that is %s leads nowhere", async (_, document) => {
    const found = new Scene({ jwks_url: undefined }).publish(jwks);
    found.answers[DOCUMENT] = document;
    expect(await found.retryAfter(first)).toEqual(["auth_unavailable", 10_000]);
    expect(found.asked).toEqual([DOCUMENT]);
  });

  test.each<[string, Answer]>([
    ["a redirect", () => Response.redirect("https://elsewhere.example/jwks", 302)],
    ["a permanent redirect", () => Response.redirect("https://elsewhere.example/jwks", 308)],
    ["404 with good keys", () => Response.json(jwks, { status: 404 })],
    ["201 with good keys", () => Response.json(jwks, { status: 201 })],
    ["500", () => new Response("{}", { status: 500 })],
    ["no JSON", () => new Response("<html>")],
    ["nothing", () => new Response("")],
    ["a list of keys", () => Response.json(jwks.keys)],
    ["keys that are no list", () => Response.json({ keys: {} })],
    ["keys that are no objects", () => Response.json({ keys: ["key"] })],
  ])("[A17] an answer of %s is none", async (_, answer) => {
    scene.answers[KEYS] = answer;
    expect(await scene.retryAfter(first)).toEqual(["auth_unavailable", 10_000]);
    expect(scene.asked).toEqual([KEYS]);
  });

  /** The keys, spelt so that they have that many bytes. */
  const padded = (bytes: number) => JSON.stringify(jwks).padEnd(bytes);

  /** Sends on as long as somebody reads, but for what no test should have to wait for. */
  function endless() {
    const sent = { bytes: 0, cancelled: false };
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent.bytes >= 2_000_000) return controller.close();
        sent.bytes += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
      cancel() {
        sent.cancelled = true;
      },
    });
    return { sent, body };
  }

  test.each([
    [262_144, "ok"],
    [262_145, "auth_unavailable"],
  ])("[A17] an answer of %i bytes is %s", async (bytes, code) => {
    scene.answers[KEYS] = () => new Response(padded(bytes));
    expect(await scene.signed(first)).toBe(code);
  });

  test("[A17] a document that never ends is read no further than that", async () => {
    const found = new Scene({ jwks_url: undefined });
    const { sent, body } = endless();
    found.answers[DOCUMENT] = () => new Response(body);
    expect(await found.signed(first)).toBe("auth_unavailable");
    expect(sent.cancelled).toBe(true);
    expect(sent.bytes).toBeLessThan(1_000_000);
  });

  test.each([
    [100, "ok"],
    [101, "auth_unavailable"],
  ])("[A17] an answer of %i keys is %s", async (count, code) => {
    const others = Array.from({ length: count - 1 }, (_, i) => ({ ...jwks.keys[0], kid: `other-${i}` }));
    scene.publish({ keys: [...others, ...jwks.keys] });
    expect(await scene.signed(first)).toBe(code);
  });

  test("[A17] who does not answer within 5 s is not waited for", async () => {
    const timer = new AbortController();
    const limits: number[] = [];
    const spy = vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
      limits.push(ms);
      return timer.signal;
    });
    const { passed } = gate<Response>();
    scene.answers[KEYS] = () => {
      const signal = scene.inits[0]?.signal;
      const aborted = new Promise<Response>((_, reject) => {
        signal?.addEventListener("abort", () => reject(new Error("aborted")));
      });
      return Promise.race([passed, aborted]);
    };
    const code = scene.signed(first);
    await vi.waitFor(() => expect(scene.asked).toEqual([KEYS]));
    timer.abort();
    expect(await code).toBe("auth_unavailable");
    expect(limits).toEqual([5_000]);
    spy.mockRestore();
  });

  test("[A17] the 5 s are for the document and the keys together", async () => {
    const found = new Scene({ jwks_url: undefined }).publish(jwks);
    found.answers[DOCUMENT] = () => Response.json({ issuer: ISSUER, jwks_uri: KEYS });
    const spy = vi.spyOn(AbortSignal, "timeout");
    expect(await found.signed(first)).toBe("ok");
    expect(spy.mock.calls).toEqual([[5_000]]);
    spy.mockRestore();
    const [document, keys] = found.inits;
    expect(document?.signal).toBeInstanceOf(AbortSignal);
    expect(keys?.signal).toBe(document?.signal);
  });
});

describe("how long keys are kept", () => {
  test("[A16] 10 minutes, and not a second longer", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.now_ms += 10 * MINUTE_MS - 1;
    expect(await scene.signed(first)).toBe("ok");
    expect(scene.asked).toHaveLength(1);
    scene.now_ms += 1;
    expect(await scene.signed(first)).toBe("ok");
    expect(scene.asked).toHaveLength(2);
  });

  test("[A16] a key that was withdrawn is gone with them, for the next who comes with it", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.publish(await jwksOf(second));
    scene.now_ms += 20 * MINUTE_MS - 1;
    expect(await scene.signed(first)).toBe("ok");
    await scene.settle();
    scene.now_ms += 10_000;
    expect(await scene.signed(first)).toBe("token_key");
    expect(scene.asked).toHaveLength(3);
  });

  test("[A16] after 20 minutes it is good for nobody, were it the first to come", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.publish(await jwksOf(second));
    scene.now_ms += 20 * MINUTE_MS;
    scene.meanwhile = async (ms) => {
      scene.now_ms += ms;
      await scene.settle();
    };
    const codes = await Promise.all([1, 2, 3].map(() => scene.signed(first)));
    // The others came while the provider was being asked already.
    expect(codes).toEqual(["token_key", "auth_unavailable", "auth_unavailable"]);
    expect(scene.asked).toHaveLength(2);
  });

  test("[A16] after 20 minutes a key that still is there is good, once that is known", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.now_ms += 20 * MINUTE_MS;
    const { open, passed } = gate<Response>();
    scene.answers[KEYS] = () => passed;
    const code = scene.signed(first);
    await vi.waitFor(() => expect(scene.asked).toHaveLength(2));
    open(Response.json(jwks));
    expect(await code).toBe("ok");
  });

  test("[A16] a new key is found when its first token comes", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.publish(await jwksOf(first, second));
    scene.now_ms += 10_000;
    expect(await scene.signed(second)).toBe("ok");
    expect(await scene.signed(first)).toBe("ok");
    expect(scene.asked).toHaveLength(2);
  });

  test("[A16] within 10 s of the last answer a new key's owner is asked to wait, not turned away", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.publish(await jwksOf(first, second));
    scene.now_ms += 4_000;
    expect(await scene.retryAfter(second)).toEqual(["auth_unavailable", 6_000]);
    scene.now_ms += 6_000;
    expect(await scene.signed(second)).toBe("ok");
  });
});

describe("keys that nobody has", () => {
  test("[A16] the very first token is told so at once, since the provider was asked just for it", async () => {
    expect(await scene.signed(stranger)).toBe("token_key");
    expect(scene.asked).toEqual([KEYS]);
  });

  test("[A16] the provider is asked again once, and at most every 10 s whatever comes", async () => {
    expect(await scene.signed(first)).toBe("ok");
    const tokens = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) =>
        compact({ alg: "ES256", kid: `hostile-${i}` }, scene.claims(), stranger),
      ),
    );
    const flood = async () => new Set(await Promise.all(tokens.map((token) => scene.codeOf(token))));
    scene.now_ms += 9_999;
    expect(await flood()).toEqual(new Set(["auth_unavailable"]));
    expect(scene.asked).toHaveLength(1);
    scene.now_ms += 1;
    expect(await scene.codeOf(tokens[0] ?? "")).toBe("token_key");
    expect(scene.asked).toHaveLength(2);
    scene.now_ms += 1;
    expect(await flood()).toEqual(new Set(["auth_unavailable"]));
    expect(scene.asked).toHaveLength(2);
    expect(await scene.signed(first)).toBe("ok");
  });

  test("[A16] an hour of them costs a request every 10 s", async () => {
    for (let second_ = 0; second_ < 3_600; second_ += 5) {
      expect(await scene.signed(stranger)).not.toBe("ok");
      scene.now_ms += 5_000;
    }
    expect(scene.asked).toHaveLength(360);
  });

  test("[A16] a provider without keys has none: its tokens are token_key", async () => {
    scene.publish({ keys: [] });
    expect(await scene.signed(first)).toBe("token_key");
    scene.now_ms += 10_000;
    expect(await scene.signed(nameless)).toBe("token_key");
  });

  test("[A16] a key for encryption, or for another algorithm, or unknown to us is none", async () => {
    const [key] = jwks.keys;
    for (const about of [{ use: "enc" }, { alg: "RS256" }, { key_ops: ["deriveKey"] }, { kty: "AKP" }]) {
      const other = new Scene().publish({ keys: [{ ...key, ...about }] });
      expect(await other.signed(first)).toBe("token_key");
    }
  });

  const ec = { kty: "EC", crv: "P-256" };
  /** A number of `bytes` bytes. */
  const long = (bytes: number) => base64url.encode(new Uint8Array(bytes).fill(255));

  test.each<[string, string, object]>([
    ["an RSA key of 1,024 bits", "RS256", { kty: "RSA", e: "AQAB", n: long(128) }],
    ["an RSA key of 2,040 bits", "RS256", { kty: "RSA", e: "AQAB", n: long(255) }],
    ["an RSA key too long for anybody", "RS256", { kty: "RSA", e: "AQAB", n: long(4_096) }],
    ["an RSA key with an even exponent", "RS256", { kty: "RSA", e: "AAAC", n: long(256) }],
    ["an RSA key that is empty", "RS256", { kty: "RSA", e: "AQAB", n: "" }],
    ["a point that is not on its curve", "ES256", { ...ec, x: long(32), y: long(32) }],
    ["a point without an x", "ES256", ec],
    ["an Ed25519 key that is too short", "EdDSA", { kty: "OKP", crv: "Ed25519", x: "AAAA" }],
    ["a private key", "ES256", { ...ec, x: long(32), y: long(32), d: long(32) }],
  ])("[A16] %s is none, whoever names it, and is reported once for each fetch", async (_, alg, key) => {
    scene.publish({ keys: [{ ...key, kid: "broken" }, ...jwks.keys] });
    const ask = () => scene.codeOf(compact({ alg, kid: "broken" }, scene.claims(), stranger));
    const report = ["warn", "a key of an identity provider cannot be used", { issuer: ISSUER }];
    expect(await ask()).toBe("token_key");
    expect(await ask()).toBe("auth_unavailable");
    expect(await scene.signed(first)).toBe("ok");
    expect(scene.logged).toEqual([report]);
    scene.now_ms += 10_000;
    expect(await ask()).toBe("token_key");
    expect(scene.asked).toHaveLength(2);
    expect(scene.logged).toEqual([report, report]);
  });

  test("[A16] a secret among the keys verifies nothing", async () => {
    const oct = { kty: "oct", k: "c2VjcmV0", kid: "shared", alg: "HS256" };
    scene.publish({ keys: [oct, ...jwks.keys] });
    const signer = await hmacSigner("secret");
    for (const kid of ["shared", undefined]) {
      const token = compact({ alg: "HS256", kid }, scene.claims(), signer);
      expect(await scene.codeOf(token)).toBe("token_algorithm");
    }
    const mislabelled = compact({ alg: "ES256", kid: "shared" }, scene.claims(), signer);
    expect(await scene.codeOf(mislabelled)).toBe("token_key");
    expect(await scene.signed(first)).toBe("ok");
  });
});

describe("a token that does not name its key", () => {
  test("[A16] is verified with the only one there is", async () => {
    expect(await scene.codeOf(compact({ alg: "ES256" }, scene.claims(), first))).toBe("ok");
    expect(await scene.codeOf(compact({ alg: "ES256" }, scene.claims(), stranger))).toBe("token_signature");
  });

  test("[A16] is verified with each of several", async () => {
    scene.publish(await jwksOf(first, nameless, alsoNameless));
    for (const key of [first, nameless, alsoNameless]) {
      expect(await scene.codeOf(compact({ alg: "ES256" }, scene.claims(), key))).toBe("ok");
    }
    expect(await scene.signed(stranger)).toBe("auth_unavailable");
    expect(await scene.codeOf(compact({ alg: "ES256" }, scene.claims(), stranger))).toBe("token_signature");
    expect(scene.asked).toHaveLength(1);
  });

  test("[A16] is verified even if one of several keys is broken", async () => {
    const broken = { kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA" };
    scene.publish({ keys: [broken, ...(await jwksOf(nameless)).keys] });
    expect(await scene.signed(nameless)).toBe("ok");
  });

  test("[A7] and is refused for its claims with the key that fits, not with the next", async () => {
    scene.publish(await jwksOf(nameless, alsoNameless));
    const expired = scene.claims({ exp: START_MS / 1000 - 30 });
    for (const key of [nameless, alsoNameless]) {
      expect(await scene.codeOf(compact({ alg: "ES256" }, expired, key))).toBe("token_expired");
    }
  });
});

describe("an outage", () => {
  test("[A17] costs nobody anything whose key is known, however long it lasts", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.goDown();
    for (let minutes = 0; minutes < 24 * 60; minutes += 7) {
      scene.now_ms += 7 * MINUTE_MS;
      expect(await scene.signed(first)).toBe("ok");
    }
  });

  test("[A17] is asked about every 10 s, not by everybody", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.goDown();
    scene.now_ms += 10 * MINUTE_MS;
    for (let n = 0; n < 100; n += 1) expect(await scene.signed(first)).toBe("ok");
    expect(scene.asked).toHaveLength(2);
    scene.now_ms += 10_000;
    for (let n = 0; n < 100; n += 1) expect(await scene.signed(first)).toBe("ok");
    expect(scene.asked).toHaveLength(3);
  });

  test("[A17] leaves open whether an unknown key is good: auth_unavailable with retry_after_ms", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.goDown();
    scene.now_ms += MINUTE_MS;
    expect(await scene.retryAfter(second)).toEqual(["auth_unavailable", 10_000]);
    scene.now_ms += 3_000;
    expect(await scene.retryAfter(second)).toEqual(["auth_unavailable", 7_000]);
    expect(scene.asked).toHaveLength(2);
  });

  test("[A17] before the first key is known leaves everything open, and ends when it ends", async () => {
    scene.goDown();
    expect(await scene.retryAfter(first)).toEqual(["auth_unavailable", 10_000]);
    scene.publish(jwks);
    scene.now_ms += 9_999;
    expect(await scene.retryAfter(first)).toEqual(["auth_unavailable", 1]);
    scene.now_ms += 1;
    expect(await scene.signed(first)).toBe("ok");
    expect(await scene.signed(stranger)).toBe("auth_unavailable");
    expect(scene.asked).toHaveLength(2);
  });

  test("[A17] and what was withdrawn meanwhile is gone when it ends", async () => {
    expect(await scene.signed(first)).toBe("ok");
    scene.goDown();
    scene.now_ms += 10 * MINUTE_MS;
    expect(await scene.signed(first)).toBe("ok");
    scene.publish(await jwksOf(second));
    scene.now_ms += 10_000;
    expect(await scene.signed(first)).toBe("ok");
    await scene.settle();
    scene.now_ms += 10_000;
    expect(await scene.signed(first)).toBe("token_key");
  });

  test.each([
    ["10 minutes after the last answer", 10 * MINUTE_MS, 2],
    ["20 minutes after it, where the last try failed", 20 * MINUTE_MS, 3],
  ])("[A17] that nobody has noticed lets no known key wait: %s", async (_, later_ms, asked) => {
    expect(await scene.signed(first)).toBe("ok");
    if (asked === 3) {
      scene.goDown();
      scene.now_ms += 10 * MINUTE_MS;
      expect(await scene.signed(first)).toBe("ok");
      await scene.settle();
    }
    scene.now_ms = START_MS + later_ms;
    scene.answers[KEYS] = () => gate<Response>().passed;
    for (let n = 0; n < 10; n += 1) expect(await scene.signed(first)).toBe("ok");
    expect(scene.asked).toHaveLength(asked);
    expect(scene.waited).toBe(0);
  });

  test("[A17] ends for everybody, even if whoever asked has gone before the answer", async () => {
    const { open, passed } = gate<Response>();
    scene.answers[KEYS] = () => passed;
    const asking = scene.signed(first);
    await vi.waitFor(() => expect(scene.asked).toHaveLength(1));
    // The platform goes on with these when it drops the request.
    expect(scene.background).toHaveLength(1);
    open(Response.json(jwks));
    await scene.settle();
    scene.goDown();
    expect(await scene.signed(first)).toBe("ok");
    expect(scene.waited).toBe(0);
    expect(await asking).toBe("ok");
  });
});

/** Fifty tokens while the first one's request is on its way, and how it ends for them. */
async function fiftyDuring(answer: Answer) {
  const [fetched, waited] = [gate<void>(), gate<void>()];
  scene.meanwhile = () => waited.passed;
  scene.answers[KEYS] = async () => {
    await fetched.passed;
    return answer();
  };
  const asking = scene.signed(first);
  await vi.waitFor(() => expect(scene.asked).toHaveLength(1));
  const waiting = Array.from({ length: 49 }, () => scene.signed(first));
  await vi.waitFor(() => expect(scene.waited).toBe(49));
  fetched.open();
  const codes = [await asking];
  waited.open();
  return [...codes, ...(await Promise.all(waiting))];
}

describe("many at once", () => {
  test("[A16] fetch the keys once, and each waits for them on its own", async () => {
    const codes = await fiftyDuring(() => Response.json(jwks));
    expect([codes.length, ...new Set(codes)]).toEqual([50, "ok"]);
    expect(scene.asked).toHaveLength(1);
  });

  test("[A17] share a failure as well", async () => {
    const codes = await fiftyDuring(() => Promise.reject(new Error("down")));
    expect([codes.length, ...new Set(codes)]).toEqual([50, "auth_unavailable"]);
    expect(scene.asked).toHaveLength(1);
  });

  test("[A16] are not held up for ever by a request that was abandoned with its fetch under way", async () => {
    const { passed: never } = gate<Response>();
    scene.answers[KEYS] = () => never;
    const abandoned = scene.signed(first);
    await vi.waitFor(() => expect(scene.asked).toHaveLength(1));
    scene.publish(jwks);
    expect(await scene.retryAfter(first)).toEqual(["auth_unavailable", 5_000]);
    expect(scene.now_ms - START_MS).toBe(5_000);
    scene.now_ms += 5_000;
    expect(await scene.signed(first)).toBe("ok");
    expect(scene.asked).toHaveLength(2);
    const state = await Promise.race([abandoned, Promise.resolve("still under way")]);
    expect(state).toBe("still under way");
  });
});
