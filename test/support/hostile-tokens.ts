/** What a stranger may send for a token, and the one answer to each. */
import { base64url, EncryptJWT, exportJWK, exportSPKI } from "jose";
import { mintToken } from "../../src/auth/mint.ts";
import type { Principal } from "../../src/auth/principal.ts";
import { mintTicket } from "../../src/auth/ticket.ts";
import { userId } from "../../src/auth/user-id.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import { settings } from "./ports.ts";
import {
  bytesOf,
  compact,
  encoded,
  hmacSigner,
  issue,
  type Jwks,
  jwksOf,
  misused,
  type Part,
  type Signer,
  type SigningKey,
  signingKey,
} from "./provider.ts";
import { claimsOf, SECRET, type TestClaims, unsignedToken } from "./tokens.ts";

/** When all of this happens. */
export const AT_S = 1_800_000_000;

const now = () => AT_S * 1000;

export const ACME = "https://acme.example";
export const GLOBEX = "https://globex.example/tenant";
export const ACME_KEYS = "https://acme.example/keys";
export const GLOBEX_KEYS = "https://keys.globex.example/jwks";

/** Our own realm and two providers; the second one may sign with RSA alone, whatever keys it publishes. */
export const VARIABLES = {
  JWT_SECRET: SECRET,
  OIDC_REALMS: JSON.stringify([
    { name: "acme", issuer: ACME, audience: "chat", jwks_url: ACME_KEYS, authorized_parties: "web" },
    {
      name: "globex",
      issuer: GLOBEX,
      audience: ["chat-api", "chat"],
      jwks_url: GLOBEX_KEYS,
      algorithms: ["RS256"],
    },
  ]),
};

export interface World {
  readonly ours: Signer;
  readonly acme: Readonly<Record<"rsa" | "ec" | "ed", SigningKey>>;
  readonly globex: Readonly<Record<"rsa" | "ec", SigningKey>>;
  readonly stranger: Readonly<Record<"rsa" | "ec" | "ed" | "ec384", SigningKey>>;
  /** What the providers publish, by address. */
  readonly published: Readonly<Record<string, Jwks>>;
}

/** Published by a provider that should not. */
const SHARED_SECRET = "a-secret-that-everybody-can-read-in-the-key-set";

export async function makeWorld(): Promise<World> {
  const acme = {
    rsa: await signingKey("RS256", "acme-rsa"),
    ec: await signingKey("ES256", "acme-ec"),
    ed: await signingKey("EdDSA", "acme-ed"),
  };
  const globex = { rsa: await signingKey("RS256", "globex-rsa"), ec: await signingKey("ES256", "globex-ec") };
  const stranger = {
    rsa: await signingKey("RS256", "stranger"),
    ec: await signingKey("ES256", "stranger"),
    ed: await signingKey("EdDSA", "stranger"),
    ec384: await signingKey("ES384", "stranger"),
  };
  const oct = { kty: "oct", k: base64url.encode(SHARED_SECRET), kid: "globex-oct", alg: "HS256" };
  const published = {
    [ACME_KEYS]: await jwksOf(acme.rsa, acme.ec, acme.ed),
    [GLOBEX_KEYS]: { keys: [...(await jwksOf(globex.rsa, globex.ec)).keys, oct] },
  };
  return { ours: await hmacSigner(SECRET), acme, globex, stranger, published };
}

export interface Hostile {
  readonly what: string;
  readonly code: ErrorCode;
  readonly make: (world: World) => Promise<string> | string;
  /** The claim or header that the refusal names. */
  readonly field?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly kind?: "ticket";
  /** No header may hold it: it comes in the query instead. */
  readonly inQuery?: true;
}

function bad(what: string, code: ErrorCode, make: Hostile["make"], more: Partial<Hostile> = {}): Hostile {
  return { what, code, make, ...more };
}

interface Lie {
  readonly claims?: TestClaims;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly signer?: Signer;
}

/** A token of ours, but for the lie. */
export function ours(world: World, { claims = {}, header = {}, signer = world.ours }: Lie = {}) {
  return compact({ alg: "HS256", typ: "JWT", ...header }, claimsOf(claims, AT_S), signer);
}

/** One of the first provider's. */
export function acmes(world: World, { claims = {}, header = {}, signer = world.acme.rsa }: Lie = {}) {
  const { alg, kid } = signer;
  return compact({ alg, kid, typ: "JWT", ...header }, acmeClaims(claims), signer);
}

export function acmeClaims(claims: TestClaims = {}): TestClaims {
  return claimsOf({ iss: ACME, aud: "chat", azp: "web", ...claims }, AT_S);
}

export function globexClaims(claims: TestClaims = {}): TestClaims {
  return claimsOf({ iss: GLOBEX, aud: "chat-api", ...claims }, AT_S);
}

const GOOD_HEADER = { alg: "HS256", typ: "JWT" };

/** Signed with our secret over exactly this. */
function exactly(header: Part, payload: Part = claimsOf({}, AT_S)) {
  return (world: World) => compact(header, payload, world.ours);
}

type Parts = readonly [header: string, claims: string, signature: string];

/** A good token of ours, rewritten. */
function rewritten(rewrite: (parts: Parts) => string) {
  return async (world: World) => {
    const [header = "", claims = "", signature = ""] = (await ours(world)).split(".");
    return rewrite([header, claims, signature]);
  };
}

/** A good token of the provider's under another signature. */
function resigned(key: (world: World) => SigningKey, change: (signature: Uint8Array) => Uint8Array) {
  return (world: World) => {
    const signer = key(world);
    return acmes(world, {
      signer: { ...signer, sign: async (input) => change(await signer.sign(input)) },
    });
  };
}

const rsa = ({ acme }: World) => acme.rsa;
const ec = ({ acme }: World) => acme.ec;
const ed = ({ acme }: World) => acme.ed;

/** The same bytes once more: the bits of the last character that carry nothing are set. */
function withSpareBits(part: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (part.length % 4 === 0) throw new Error("there are no spare bits in this part");
  return part.slice(0, -1) + alphabet.charAt(alphabet.indexOf(part.slice(-1)) | 1);
}

/** A good token that needs the characters in which the two alphabets differ. */
async function inStandardAlphabet(world: World): Promise<string> {
  const token = await ours(world, { claims: { name: "~~~???" } });
  return token.replaceAll("-", "+").replaceAll("_", "/");
}

export const SPELLING: readonly Hostile[] = [
  bad(
    "a padded header",
    "token_malformed",
    rewritten(([h, c, s]) => `${h}=.${c}.${s}`),
  ),
  bad(
    "padded claims",
    "token_malformed",
    rewritten(([h, c, s]) => `${h}.${c}==.${s}`),
  ),
  bad(
    "a padded signature",
    "token_malformed",
    rewritten(([h, c, s]) => `${h}.${c}.${s}=`),
  ),
  bad("the standard alphabet of base64", "token_malformed", inStandardAlphabet),
  bad("a header with spare bits set", "token_malformed", async (world) => {
    const [header = "", ...rest] = (await exactly(spareable(GOOD_HEADER))(world)).split(".");
    return [withSpareBits(header), ...rest].join(".");
  }),
  bad("claims with spare bits set", "token_malformed", async (world) => {
    const [header, claims = "", signature] = (
      await exactly(GOOD_HEADER, spareable(claimsOf({}, AT_S)))(world)
    ).split(".");
    return [header, withSpareBits(claims), signature].join(".");
  }),
  bad(
    "a signature with spare bits set",
    "token_malformed",
    rewritten(([h, c, s]) => `${h}.${c}.${withSpareBits(s)}`),
  ),
  bad(
    "a space in it",
    "token_malformed",
    rewritten(([h, c, s]) => `${h}.${c} .${s}`),
  ),
  bad(
    "a tab in it",
    "token_malformed",
    rewritten(([h, c, s]) => `${h}.\t${c}.${s}`),
  ),
  bad(
    "a newline behind it",
    "token_malformed",
    rewritten((p) => `${p.join(".")}\n`),
    { inQuery: true },
  ),
  bad(
    "a newline in it",
    "token_malformed",
    rewritten((p) => p.join("\n.")),
    { inQuery: true },
  ),
  bad(
    "a NUL behind it",
    "token_malformed",
    rewritten((p) => `${p.join(".")}\u0000`),
    { inQuery: true },
  ),
  bad(
    "a letter that looks like another",
    "token_malformed",
    rewritten((p) => p.join(".").replace("e", "е")),
    {
      inQuery: true,
    },
  ),
  bad(
    "a dot before it",
    "token_malformed",
    rewritten((p) => `.${p.join(".")}`),
  ),
  bad(
    "a dot behind it",
    "token_malformed",
    rewritten((p) => `${p.join(".")}.`),
  ),
  bad(
    "a fourth part",
    "token_malformed",
    rewritten((p) => [...p, "AAAA"].join(".")),
  ),
  bad(
    "another token behind it",
    "token_malformed",
    rewritten((p) => `${p.join(".")},${p.join(".")}`),
  ),
  bad(
    "quotes around it",
    "token_malformed",
    rewritten((p) => `"${p.join(".")}"`),
  ),
  bad(
    "its scheme twice",
    "token_malformed",
    rewritten((p) => `Bearer ${p.join(".")}`),
  ),
  bad(
    "its last part cut off",
    "token_malformed",
    rewritten(([h, c]) => `${h}.${c}`),
  ),
  bad(
    "its claims left out",
    "token_malformed",
    rewritten(([h, , s]) => `${h}..${s}`),
  ),
  bad(
    "its header left out",
    "token_malformed",
    rewritten(([, c, s]) => `.${c}.${s}`),
  ),
  bad(
    "two characters cut off its end",
    "token_malformed",
    rewritten((p) => p.join(".").slice(0, -2)),
  ),
  bad(
    "a JSON serialization",
    "token_malformed",
    rewritten(([h, c, s]) => flattened(h, c, s)),
  ),
  bad(
    "a general JSON serialization",
    "token_malformed",
    rewritten(([h, c, s]) => JSON.stringify({ payload: c, signatures: [{ protected: h, signature: s }] })),
  ),
  bad("five parts, encrypted with our secret", "token_malformed", () => encrypted()),
  bad("a token in a token", "token_malformed", async (world) =>
    compact({ ...GOOD_HEADER, cty: "JWT" }, await ours(world), world.ours),
  ),
  bad("a token in a token, as a JSON text", "token_malformed", async (world) =>
    compact({ ...GOOD_HEADER, cty: "JWT" }, JSON.stringify(await ours(world)), world.ours),
  ),
];

/** A text whose length leaves bits over. */
function spareable(part: object): string {
  const text = JSON.stringify(part);
  return text.length % 3 === 0 ? ` ${text}` : text;
}

function flattened(header: string, claims: string, signature: string): string {
  return JSON.stringify({ protected: header, payload: claims, signature });
}

function encrypted(): Promise<string> {
  return new EncryptJWT({ ...claimsOf({}, AT_S) })
    .setProtectedHeader({ alg: "dir", enc: "A256GCM", typ: "JWT" })
    .encrypt(bytesOf(SECRET).slice(0, 32));
}

const CLAIMS_TEXT = JSON.stringify(claimsOf({}, AT_S));

/** The text of a JSON object with another member at its end. */
function also(member: string, text = CLAIMS_TEXT): string {
  return `${text.slice(0, -1)},${member}}`;
}

const HEADER_TEXT = JSON.stringify(GOOD_HEADER);

export const SYNTAX: readonly Hostile[] = [
  bad("alg twice, none first", "token_malformed", exactly('{"alg":"none","alg":"HS256"}')),
  bad("alg twice, none last", "token_malformed", exactly('{"alg":"HS256","alg":"none"}')),
  bad("alg twice, once escaped", "token_malformed", exactly('{"alg":"HS256","\\u0061lg":"none"}')),
  bad("kid twice", "token_malformed", exactly(also('"kid":"a","kid":"b"', HEADER_TEXT))),
  bad("sub twice", "token_malformed", exactly(GOOD_HEADER, also('"sub":"bob"'))),
  bad("exp twice, once escaped", "token_malformed", exactly(GOOD_HEADER, also('"\\u0065xp":9999999999'))),
  bad(
    "a member twice deep in a claim",
    "token_malformed",
    exactly(GOOD_HEADER, also('"a":[{"b":{"c":1,"d":[],"c":2}}]')),
  ),
  bad("a header of invalid UTF-8", "token_malformed", exactly(latin1(also('"x":"\u00ff"', HEADER_TEXT)))),
  bad("claims of invalid UTF-8", "token_malformed", exactly(GOOD_HEADER, latin1(also('"x":"\u00ff"')))),
  bad("an overlong spelling of a slash", "token_malformed", exactly(GOOD_HEADER, latin1(also('"x":"À¯"')))),
  bad("a byte order mark before the header", "token_malformed", exactly(`\ufeff${HEADER_TEXT}`)),
  bad("a byte order mark before the claims", "token_malformed", exactly(GOOD_HEADER, `\ufeff${CLAIMS_TEXT}`)),
  bad("claims in UTF-16", "token_malformed", exactly(GOOD_HEADER, utf16(CLAIMS_TEXT))),
  bad("a list for a header", "token_malformed", exactly("[]")),
  bad("null for a header", "token_malformed", exactly("null")),
  bad("a list for claims", "token_malformed", exactly(GOOD_HEADER, "[]")),
  bad("null for claims", "token_malformed", exactly(GOOD_HEADER, "null")),
  bad("a number for claims", "token_malformed", exactly(GOOD_HEADER, "7")),
  bad("two objects for claims", "token_malformed", exactly(GOOD_HEADER, `${CLAIMS_TEXT}{}`)),
  bad("a comment in the claims", "token_malformed", exactly(GOOD_HEADER, `${CLAIMS_TEXT}//`)),
  bad("an exp that is NaN", "token_malformed", exactly(GOOD_HEADER, '{"sub":"a","iat":1,"exp":NaN}')),
  bad("no alg", "token_malformed", exactly('{"typ":"JWT"}')),
  bad("an empty alg", "token_malformed", exactly({ alg: "" })),
  bad("an alg of null", "token_malformed", exactly({ alg: null })),
  bad("a list of algs", "token_malformed", exactly({ alg: ["HS256"] })),
  bad("an alg only in the prototype", "token_malformed", exactly('{"__proto__":{"alg":"HS256"}}')),
  bad("a critical header nobody knows", "token_malformed", exactly({ ...GOOD_HEADER, crit: ["x"], x: 1 })),
  bad("exp for a critical header", "token_malformed", exactly({ ...GOOD_HEADER, crit: ["exp"], exp: 1 })),
  bad("a critical header that is missing", "token_malformed", exactly({ ...GOOD_HEADER, crit: ["b64"] })),
  bad("no critical header in crit", "token_malformed", exactly({ ...GOOD_HEADER, crit: [] })),
  bad("a text for crit", "token_malformed", exactly({ ...GOOD_HEADER, crit: "b64", b64: true })),
  bad("claims said not to be encoded", "token_malformed", exactly(unencoded(false))),
  bad("claims said not to be encoded, as a text", "token_malformed", exactly(unencoded("false"))),
];

function unencoded(b64: unknown) {
  return { ...GOOD_HEADER, crit: ["b64"], b64 };
}

/** One byte a character, whatever UTF-8 would make of it. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function utf16(text: string): Uint8Array {
  return Uint8Array.from([...text].flatMap((character) => [character.charCodeAt(0), 0]));
}

/** With the other party's public key as the secret, whatever bytes that may be. */
function confused(secret: (world: World) => Promise<string | Uint8Array>) {
  return async (world: World) =>
    acmes(world, { signer: await hmacSigner(await secret(world)), header: { kid: "acme-rsa" } });
}

const pem = ({ acme }: World) => exportSPKI(acme.rsa.pair.publicKey);
const jwk = ({ acme }: World) => exportJWK(acme.rsa.pair.publicKey);

async function der({ acme }: World): Promise<Uint8Array> {
  const key = await crypto.subtle.exportKey("spki", acme.rsa.pair.publicKey);
  if (!(key instanceof ArrayBuffer)) throw new Error("a DER key is bytes");
  return new Uint8Array(key);
}

function unsigned(alg: string): Hostile {
  return bad(`no signature and the alg ${alg}`, "token_algorithm", () =>
    unsignedToken(claimsOf({}, AT_S), alg),
  );
}

function mislabelled(alg: string): Hostile {
  return bad(`our signature under the alg ${alg}`, "token_algorithm", (w) => ours(w, { header: { alg } }));
}

export const ALGORITHMS: readonly Hostile[] = [
  ...["none", "None", "NONE", "nOnE", "none "].map(unsigned),
  ...["none", "hs256", "HS256 ", "HS384", "RS256", "constructor", "__proto__"].map(mislabelled),
  bad("no signature and a provider's name", "token_algorithm", () => unsignedToken(acmeClaims())),
  bad("a provider's signature under the alg none", "token_algorithm", (world) =>
    acmes(world, { header: { alg: "none" } }),
  ),
  ...[384, 512].map((bits) =>
    bad(`our secret with HS${bits}`, "token_algorithm", async (world) =>
      ours(world, { header: { alg: `HS${bits}` }, signer: await hmacSigner(SECRET, bits) }),
    ),
  ),
  bad("a provider's public key as a secret, as PEM", "token_algorithm", confused(pem)),
  bad(
    "a provider's public key as a secret, as PEM without the last newline",
    "token_algorithm",
    confused(async (world) => (await pem(world)).trimEnd()),
  ),
  bad("a provider's public key as a secret, as DER", "token_algorithm", confused(der)),
  bad(
    "a provider's public key as a secret, as JWK",
    "token_algorithm",
    confused(async (world) => JSON.stringify(await jwk(world))),
  ),
  bad(
    "a provider's public key as a secret, as its published JWK",
    "token_algorithm",
    confused(async ({ published }) => JSON.stringify(published[ACME_KEYS]?.keys[0])),
  ),
  bad("a secret that a provider published", "token_algorithm", async () => {
    const signer = await hmacSigner(SHARED_SECRET);
    return compact({ alg: "HS256", kid: "globex-oct", typ: "JWT" }, globexClaims(), signer);
  }),
  bad("our secret and a provider's name", "token_algorithm", (w) => ours(w, { claims: acmeClaims() })),
  bad("a provider's key and RSA-PSS", "token_algorithm", async (world) =>
    acmes(world, { signer: await misused(world.acme.rsa, "PS256") }),
  ),
  bad("a provider's key and a longer hash", "token_algorithm", async (world) =>
    acmes(world, { signer: await misused(world.acme.rsa, "RS512") }),
  ),
  bad("a provider's key under its alg's other name", "token_algorithm", (world) =>
    acmes(world, { signer: world.acme.ed, header: { alg: "Ed25519" } }),
  ),
  bad("a longer curve", "token_algorithm", (world) => acmes(world, { signer: world.stranger.ec384 })),
  bad("an algorithm that its provider may not use", "token_algorithm", ({ globex }) =>
    issue(globex.ec, globexClaims()),
  ),
  bad("a stranger's key and no issuer", "token_algorithm", ({ stranger }) =>
    issue(stranger.rsa, claimsOf({}, AT_S)),
  ),
];

/** Signed by the stranger with a header that brings the key along. */
function broughtAlong(what: string, code: ErrorCode, header: (world: World) => Promise<object> | object) {
  return bad(`a stranger's key and ${what}`, code, async (world) =>
    acmes(world, { signer: world.stranger.rsa, header: { ...(await header(world)) } }),
  );
}

const THEIRS = "https://stranger.example/keys";

function foreignKid(what: string, kid: unknown): Hostile {
  return bad(`a kid that is ${what}`, "token_key", (w) =>
    acmes(w, { signer: w.stranger.rsa, header: { kid } }),
  );
}

export const KEYS: readonly Hostile[] = [
  foreignKid("nobody's", "stranger"),
  foreignKid("a path", "../../../../dev/null"),
  foreignKid("an address", "https://stranger.example/keys#1"),
  foreignKid("a query", "acme-rsa' UNION SELECT 'key' --"),
  foreignKid("a command", "acme-rsa; curl stranger.example"),
  foreignKid("very long", "k".repeat(4_000)),
  foreignKid("empty", ""),
  foreignKid("a known one with a NUL", "acme-rsa\u0000"),
  foreignKid("a known one in capitals", "ACME-RSA"),
  foreignKid("a list", ["acme-rsa"]),
  foreignKid("an object", { kid: "acme-rsa" }),
  foreignKid("a number", 0),
  foreignKid("null", null),
  foreignKid("a boolean", true),
  foreignKid("__proto__", "__proto__"),
  foreignKid("constructor", "constructor"),
  bad("the kid of a key of another kind", "token_key", (world) =>
    acmes(world, { signer: world.acme.ec, header: { kid: "acme-rsa" } }),
  ),
  bad("the kid of another provider's key", "token_key", (world) =>
    acmes(world, { signer: world.globex.rsa }),
  ),
  broughtAlong("an address of keys", "token_key", () => ({ jku: THEIRS })),
  broughtAlong("an address of certificates", "token_key", () => ({ x5u: THEIRS })),
  broughtAlong("an address of keys, its kid stolen", "token_signature", () => ({
    jku: THEIRS,
    kid: "acme-rsa",
  })),
  broughtAlong("that key in the header", "token_signature", async ({ stranger }) => ({
    jwk: await exportJWK(stranger.rsa.pair.publicKey),
    kid: undefined,
  })),
  broughtAlong("a certificate in the header", "token_signature", async ({ stranger }) => ({
    x5c: [(await exportSPKI(stranger.rsa.pair.publicKey)).replaceAll(/-----.*-----|\n/g, "")],
    kid: undefined,
  })),
  bad("a secret in the header", "token_signature", async (world) =>
    ours(world, {
      signer: await hmacSigner("stranger"),
      header: { jwk: { kty: "oct", k: base64url.encode("stranger") } },
    }),
  ),
  bad("an empty file for a secret", "token_signature", async (world) =>
    ours(world, { signer: await hmacSigner("\u0000"), header: { kid: "../../../../dev/null" } }),
  ),
];

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

export const SIGNATURES: readonly Hostile[] = [
  bad("a signature by another secret", "token_signature", async (world) =>
    ours(world, { signer: await hmacSigner(`${SECRET}!`) }),
  ),
  bad("a signature by half of the secret", "token_signature", async (world) =>
    ours(world, { signer: await hmacSigner(SECRET.slice(0, 32)) }),
  ),
  bad("a provider's public key for our secret", "token_signature", async (world) =>
    ours(world, { signer: await hmacSigner(await pem(world)) }),
  ),
  bad(
    "no signature",
    "token_signature",
    rewritten(([h, c]) => `${h}.${c}.`),
  ),
  bad(
    "a signature one byte shorter",
    "token_signature",
    rewritten(([h, c, s]) => `${h}.${c}.${cut(s)}`),
  ),
  bad(
    "a signature three bytes longer",
    "token_signature",
    rewritten((p) => `${p.join(".")}AAAA`),
  ),
  bad(
    "a signature of zeros",
    "token_signature",
    rewritten(([h, c]) => `${h}.${c}.${zeros(32)}`),
  ),
  bad(
    "other claims under it",
    "token_signature",
    rewritten(([h, , s]) => `${h}.${encoded(claimsOf({ sub: "bob" }, AT_S))}.${s}`),
  ),
  bad(
    "another header over it",
    "token_signature",
    rewritten(([, c, s]) => `${encoded({ ...GOOD_HEADER, a: 1 })}.${c}.${s}`),
  ),
  bad("a signature over claims that are not encoded", "token_signature", async ({ ours }) => {
    const header = encoded({ ...GOOD_HEADER, b64: false });
    const signature = await ours.sign(`${header}.${CLAIMS_TEXT}`);
    return `${header}.${encoded(CLAIMS_TEXT)}.${base64url.encode(signature)}`;
  }),
  bad("an HMAC for an RSA signature", "token_signature", (world) =>
    acmes(world, { signer: { ...world.ours, alg: "RS256", kid: "acme-rsa" } }),
  ),
  bad(
    "RSA: zeros",
    "token_signature",
    resigned(rsa, () => new Uint8Array(256)),
  ),
  bad(
    "RSA: a byte shorter",
    "token_signature",
    resigned(rsa, (signature) => signature.slice(0, -1)),
  ),
  bad(
    "RSA: a zero before it",
    "token_signature",
    resigned(rsa, (s) => Uint8Array.of(0, ...s)),
  ),
  bad(
    "RSA: a zero behind it",
    "token_signature",
    resigned(rsa, (s) => Uint8Array.of(...s, 0)),
  ),
  bad(
    "RSA: nothing",
    "token_signature",
    resigned(rsa, () => new Uint8Array(0)),
  ),
  stolenKid("RSA", "rsa"),
  bad(
    "ES256: zeros",
    "token_signature",
    resigned(ec, () => new Uint8Array(64)),
  ),
  bad(
    "ES256: r = 0",
    "token_signature",
    resigned(ec, (s) => Uint8Array.of(...zero(32), ...s.slice(32))),
  ),
  bad(
    "ES256: s = 0",
    "token_signature",
    resigned(ec, (s) => Uint8Array.of(...s.slice(0, 32), ...zero(32))),
  ),
  bad(
    "ES256: r = s = 1",
    "token_signature",
    resigned(ec, () => pairOf(1n, 1n)),
  ),
  bad(
    "ES256: r = s = the order",
    "token_signature",
    resigned(ec, () => pairOf(P256_ORDER, P256_ORDER)),
  ),
  bad(
    "ES256: ones",
    "token_signature",
    resigned(ec, () => new Uint8Array(64).fill(255)),
  ),
  bad("ES256: as DER", "token_signature", resigned(ec, derOf)),
  bad(
    "ES256: a byte shorter",
    "token_signature",
    resigned(ec, (signature) => signature.slice(0, -1)),
  ),
  bad(
    "ES256: a byte longer",
    "token_signature",
    resigned(ec, (s) => Uint8Array.of(...s, 0)),
  ),
  bad(
    "ES256: half of it",
    "token_signature",
    resigned(ec, (signature) => signature.slice(0, 32)),
  ),
  stolenKid("ES256", "ec"),
  bad(
    "EdDSA: zeros",
    "token_signature",
    resigned(ed, () => new Uint8Array(64)),
  ),
  bad(
    "EdDSA: the neutral point",
    "token_signature",
    resigned(ed, () => Uint8Array.of(1, ...zero(63))),
  ),
  bad("EdDSA: S plus the order", "token_signature", resigned(ed, plusOrder)),
  bad(
    "EdDSA: a byte shorter",
    "token_signature",
    resigned(ed, (signature) => signature.slice(0, -1)),
  ),
  stolenKid("EdDSA", "ed"),
];

function stolenKid(what: string, kind: "rsa" | "ec" | "ed"): Hostile {
  return bad(`${what}: a stranger's under a known kid`, "token_signature", (world) =>
    acmes(world, { signer: world.stranger[kind], header: { kid: world.acme[kind].kid } }),
  );
}

function cut(signature: string): string {
  return base64url.encode(base64url.decode(signature).slice(0, -1));
}

function zeros(length: number): string {
  return base64url.encode(new Uint8Array(length));
}

function zero(length: number): Uint8Array {
  return new Uint8Array(length);
}

/** RFC 7518 §3.4: both numbers in 32 bytes. */
function pairOf(r: bigint, s: bigint): Uint8Array {
  const hex = [r, s].map((value) => value.toString(16).padStart(64, "0")).join("");
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** As X.509 has it, which other libraries sign with by default. */
function derOf(signature: Uint8Array): Uint8Array {
  const integers = [signature.slice(0, 32), signature.slice(32)].flatMap((number) => {
    const from = number.findIndex((byte) => byte !== 0);
    const bytes = [...((number[from] ?? 0) > 127 ? [0] : []), ...number.slice(from)];
    return [2, bytes.length, ...bytes];
  });
  return Uint8Array.of(0x30, integers.length, ...integers);
}

/** RFC 8032 §5.1.7 wants S below the order; the equation holds above it as well. */
function plusOrder(signature: Uint8Array): Uint8Array {
  const low = [...signature.slice(32)].reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const high = (low + ED25519_ORDER).toString(16).padStart(64, "0");
  const bytes = (high.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).reverse();
  return Uint8Array.of(...signature.slice(0, 32), ...bytes);
}

function lie(what: string, code: ErrorCode, claims: TestClaims, more: Partial<Hostile> = {}): Hostile {
  return bad(what, code, (world) => ours(world, { claims }), more);
}

function providersLie(what: string, code: ErrorCode, claims: TestClaims, field?: string): Hostile {
  const named = field === undefined ? {} : { field };
  return bad(`a provider's token with ${what}`, code, (world) => acmes(world, { claims }), named);
}

export const TIMES: readonly Hostile[] = [
  lie("expired for 30 s", "token_expired", { exp: AT_S - 30 }),
  lie("expired in 1970", "token_expired", { exp: 0 }),
  lie("expired before time began", "token_expired", { exp: -1e300 }),
  lie("valid from 31 s on", "token_not_yet_valid", { nbf: AT_S + 31 }, { field: "nbf" }),
  lie("issued in 31 s", "token_not_yet_valid", { iat: AT_S + 31 }, { field: "iat" }),
  lie("issued in milliseconds", "token_not_yet_valid", { iat: AT_S * 1000 }, { field: "iat" }),
  providersLie("an end 30 s ago", "token_expired", { exp: AT_S - 30 }),
  providersLie("a beginning in 31 s", "token_not_yet_valid", { nbf: AT_S + 31 }, "nbf"),
  providersLie("an iat in 31 s", "token_not_yet_valid", { iat: AT_S + 31 }, "iat"),
];

const OURS = { JWT_ISSUER: "https://us.example", JWT_AUDIENCE: "us" };
const FOR_US = { iss: "https://us.example", aud: "us" };

export const EXPECTED: readonly Hostile[] = [
  lie("another issuer", "token_issuer", { ...FOR_US, iss: "https://us.example/" }, { variables: OURS }),
  lie("no issuer", "token_issuer", { ...FOR_US, iss: undefined }, { variables: OURS }),
  lie("an issuer in a list", "token_issuer", { ...FOR_US, iss: [FOR_US.iss] }, { variables: OURS }),
  lie("another audience", "token_audience", { ...FOR_US, aud: "them" }, { variables: OURS }),
  lie("no audience", "token_audience", { ...FOR_US, aud: undefined }, { variables: OURS }),
  lie("an audience that begins like ours", "token_audience", { ...FOR_US, aud: "us2" }, { variables: OURS }),
  lie("an object for an audience", "token_audience", { ...FOR_US, aud: { us: 1 } }, { variables: OURS }),
];

function wrong(what: string, field: string, claims: TestClaims): Hostile {
  return bad(what, "token_claims", (world) => ours(world, { claims }), { field });
}

export const CLAIMS: readonly Hostile[] = [
  wrong("no sub", "sub", { sub: undefined }),
  wrong("a sub of 256 characters", "sub", { sub: "x".repeat(256) }),
  wrong("an empty sub", "sub", { sub: "" }),
  ...[7, null, true, ["alice"], { alice: 1 }].map((sub) =>
    wrong(`a sub of ${JSON.stringify(sub)}`, "sub", { sub }),
  ),
  bad(
    "a sub only in the prototype",
    "token_claims",
    exactly(GOOD_HEADER, `{"__proto__":{"sub":"alice"},"iat":${AT_S},"exp":${AT_S + 60}}`),
    { field: "sub" },
  ),
  wrong("no exp", "exp", { exp: undefined }),
  ...["9999999999", null, true, [9_999_999_999]].map((exp) =>
    wrong(`an exp of ${JSON.stringify(exp)}`, "exp", { exp }),
  ),
  bad("an exp of 1e309", "token_claims", exactly(GOOD_HEADER, `{"sub":"a","iat":${AT_S},"exp":1e309}`), {
    field: "exp",
  }),
  wrong("an exp that no clock reaches", "exp", { exp: 1e300 }),
  wrong("no iat", "iat", { iat: undefined }),
  wrong("an iat that is a text", "iat", { iat: "now" }),
  bad(
    "an iat of -1e309",
    "token_claims",
    exactly(GOOD_HEADER, `{"sub":"a","iat":-1e309,"exp":${AT_S + 9}}`),
    {
      field: "iat",
    },
  ),
  wrong("an nbf that is a text", "nbf", { nbf: "now" }),
  wrong("an nbf of null", "nbf", { nbf: null }),
  wrong("an auth_time that is a text", "auth_time", { auth_time: "now" }),
  wrong("an aud that is a number", "aud", { aud: 7 }),
  wrong("an azp that is a list", "azp", { azp: ["web"] }),
  wrong("a realm that is a number", "realm", { realm: 7 }),
  wrong("a realm in a list", "realm", { realm: ["local"] }),
  wrong("a realm that this service does not have", "realm", { realm: "initech" }),
  wrong("a realm in capitals", "realm", { realm: "ACME" }),
  wrong("a realm of the prototype's", "realm", { realm: "constructor" }),
  wrong("permissions in a text", "permissions", { permissions: "admin" }),
  wrong("permissions in an object", "permissions", { permissions: { admin: true } }),
  wrong("permissions that are not all texts", "permissions", { permissions: ["chat", ["admin"]] }),
  wrong("a plan nobody sells", "plan", { plan: "unlimited" }),
  wrong("a plan of the prototype's", "plan", { plan: "__proto__" }),
  wrong("a plan in a list", "plan", { plan: ["pro"] }),
  bad(
    "an exchanged token of a realm that was removed",
    "token_claims",
    () => mintToken({ ...EXCHANGED, realm: "initech" }, settings(), now),
    { field: "realm" },
  ),
];

const EXCHANGED = {
  realm: "acme",
  sub: "alice",
  exp: AT_S + 60,
  permissions: ["chat"],
  plan: "free",
} as const;

const FOREIGN_TYPES = [
  "logout+jwt",
  "dpop+jwt",
  "secevent+jwt",
  "kb+jwt",
  "id_token+jwt",
  "application/logout+jwt",
  "JWE",
  "",
  7,
  null,
  ["JWT"],
];

/** What a provider says to those whose users have signed out (OpenID Connect Back-Channel Logout §2.4). */
const LOGOUT = { "http://schemas.openid.net/event/backchannel-logout": {} };

export const TYPES: readonly Hostile[] = [
  ...FOREIGN_TYPES.map((typ) =>
    bad(`the typ ${JSON.stringify(typ)}`, "token_claims", (w) => ours(w, { header: { typ } }), {
      field: "typ",
    }),
  ),
  ...[LOGOUT, {}, null, "logout"].map((events) =>
    providersLie(`events of ${JSON.stringify(events)}`, "token_claims", { events }, "events"),
  ),
  lie("a logout token of ours", "token_claims", { events: LOGOUT }, { field: "events" }),
  bad(
    "a provider's logout token without a typ",
    "token_claims",
    (w) => acmes(w, { header: { typ: undefined }, claims: { events: LOGOUT, jti: "1", sid: "2" } }),
    { field: "events" },
  ),
  ...["logout+jwt", "dpop+jwt", "secevent+jwt"].map((typ) =>
    bad(`a provider's ${typ}`, "token_claims", (w) => acmes(w, { header: { typ } }), { field: "typ" }),
  ),
];

export const PROVIDERS: readonly Hostile[] = [
  providersLie("another audience", "token_audience", { aud: "another-client" }, "aud"),
  providersLie("no audience", "token_audience", { aud: undefined }, "aud"),
  providersLie("a list without our audience", "token_audience", { aud: ["a", "b"], azp: "web" }, "aud"),
  providersLie("the other provider's audience", "token_audience", { aud: "chat-api" }, "aud"),
  providersLie("our audience in an object", "token_audience", { aud: { chat: 1 } }, "aud"),
  providersLie("another party's azp", "token_claims", { azp: "another-client" }, "azp"),
  providersLie("an azp that is a list", "token_claims", { azp: ["web"] }, "azp"),
  providersLie("several audiences and no azp", "token_claims", { aud: ["chat", "b"], azp: undefined }, "azp"),
  providersLie("neither azp nor client_id", "token_claims", { azp: undefined }, "azp"),
  providersLie("another party's client_id", "token_claims", { azp: undefined, client_id: "b" }, "azp"),
  providersLie("a client_id in a list", "token_claims", { azp: undefined, client_id: ["web"] }, "azp"),
  providersLie(
    "a client_id of ours and a foreign azp",
    "token_claims",
    { azp: "b", client_id: "web" },
    "azp",
  ),
  providersLie("an empty azp and a client_id of ours", "token_claims", { azp: "", client_id: "web" }, "azp"),
  providersLie(
    "several audiences and a foreign azp",
    "token_claims",
    { aud: ["chat", "b"], azp: "b" },
    "azp",
  ),
  providersLie("the realm of another provider", "token_claims", { realm: "globex" }, "realm"),
  providersLie("the realm that is ours", "token_claims", { realm: "local" }, "realm"),
  providersLie("a realm of nobody", "token_claims", { realm: "initech" }, "realm"),
  providersLie("a key to be proven", "token_claims", { cnf: { jkt: "a" } }, "cnf"),
  providersLie("a certificate to be proven", "token_claims", { cnf: { "x5t#S256": "a" } }, "cnf"),
  lie("a token of ours with a key to be proven", "token_claims", { cnf: { jkt: "a" } }, { field: "cnf" }),
  bad("the other provider's name and one's own kid", "token_key", ({ acme }) =>
    issue(acme.rsa, globexClaims()),
  ),
  bad("the other provider's name and kid", "token_signature", ({ acme }) =>
    issue({ ...acme.rsa, kid: "globex-rsa" }, globexClaims()),
  ),
  bad("the other provider's name and no kid", "token_signature", ({ acme: { rsa } }) =>
    compact({ alg: "RS256", typ: "JWT" }, globexClaims(), rsa),
  ),
  ...[`${ACME}/`, ACME.toUpperCase(), ` ${ACME}`, [ACME], { iss: ACME }, null].map((iss) =>
    bad(`a provider's token with the iss ${JSON.stringify(iss)}`, "token_algorithm", (world) =>
      acmes(world, { claims: { iss } }),
    ),
  ),
];

const WHO: Omit<Principal, "user_id"> = {
  realm: "local",
  sub: "alice",
  permissions: ["chat"],
  plan: "free",
  iat: AT_S,
  exp: AT_S + 3600,
};

async function ticket(at_ms = AT_S * 1000): Promise<string> {
  const who = { ...WHO, user_id: await userId(WHO.realm, WHO.sub) };
  return mintTicket(who, "ticket-of-sixteen-or-more", settings(), () => at_ms);
}

/** Claims of a ticket as `mintTicket` writes them, but for the lie. */
function forgedTicket(lie: TestClaims, header: object = {}, signer?: Promise<Signer>) {
  return async (world: World) => {
    const { realm, permissions, plan, iat, exp } = WHO;
    const claims = { sub: "alice", aud: "throughline-upgrade", jti: "ticket-of-sixteen-or-more" };
    return compact(
      { alg: "HS256", typ: "throughline-ticket+jwt", ...header },
      { ...claims, exp: AT_S + 30, who: { realm, permissions, plan, iat, exp }, ...lie },
      (await signer) ?? world.ours,
    );
  };
}

const TICKET = { kind: "ticket" } as const;

export const goodTicket = forgedTicket({});

export const TICKETS: readonly Hostile[] = [
  bad("a ticket for a token", "token_claims", () => ticket()),
  bad("a ticket with all that a token has", "token_claims", forgedTicket({ iat: AT_S }), { field: "typ" }),
  bad("a token for a ticket", "token_claims", (world) => ours(world), { ...TICKET, field: "typ" }),
  bad("a token that has all a ticket has", "token_claims", forgedTicket({}, { typ: "JWT" }), {
    ...TICKET,
    field: "typ",
  }),
  bad("a provider's token for a ticket", "token_algorithm", (world) => acmes(world), TICKET),
  bad("an exchanged token for a ticket", "token_claims", () => mintToken(EXCHANGED, settings(), now), TICKET),
  bad("a ticket for something else", "token_audience", forgedTicket({ aud: "them" }), TICKET),
  bad("a ticket without an audience", "token_audience", forgedTicket({ aud: undefined }), TICKET),
  bad("a ticket of half a minute ago", "token_expired", () => ticket((AT_S - 30) * 1000), TICKET),
  bad("a ticket without an end", "token_claims", forgedTicket({ exp: undefined }), TICKET),
  bad("a ticket without a name", "token_claims", forgedTicket({ jti: undefined }), TICKET),
  bad("a ticket with a short name", "token_claims", forgedTicket({ jti: "1" }), TICKET),
  bad("a ticket for nobody", "token_claims", forgedTicket({ who: undefined }), TICKET),
  bad(
    "a ticket with a role nobody has",
    "token_claims",
    forgedTicket({ who: { ...WHO, plan: "all" } }),
    TICKET,
  ),
  bad("a ticket without a signature", "token_algorithm", forgedTicket({}, { alg: "none" }), TICKET),
  bad(
    "a ticket by another secret",
    "token_signature",
    forgedTicket({}, {}, hmacSigner(`${SECRET}!`)),
    TICKET,
  ),
  bad("a ticket with a newline", "token_malformed", async () => `${await ticket()}\n`, TICKET),
];

export const ALL: readonly Hostile[] = [
  ...SPELLING,
  ...SYNTAX,
  ...ALGORITHMS,
  ...KEYS,
  ...SIGNATURES,
  ...TIMES,
  ...EXPECTED,
  ...CLAIMS,
  ...TYPES,
  ...PROVIDERS,
  ...TICKETS,
];
