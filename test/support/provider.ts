/** Identity providers that exist for a test: keys made by jose, published as their JWKS would be. */
import {
  base64url,
  CompactSign,
  type CryptoKey,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  importJWK,
} from "jose";
import type { TestClaims } from "./tokens.ts";

/** What a token says before it is encoded: a text or bytes as they are, anything else as JSON. */
export type Part = string | Uint8Array | object;

/** Whoever signs, honest or not. */
export interface Signer {
  readonly alg: string;
  readonly kid?: string;
  readonly sign: (input: string) => Promise<Uint8Array>;
}

export interface SigningKey extends Signer {
  readonly pair: GenerateKeyPairResult;
}

/** How WebCrypto is told what jose does by itself. */
const PARAMETERS: Readonly<Record<string, SubtleCryptoSignAlgorithm>> = {
  RS256: { name: "RSASSA-PKCS1-v1_5" },
  RS512: { name: "RSASSA-PKCS1-v1_5" },
  PS256: { name: "RSA-PSS", saltLength: 32 },
  ES256: { name: "ECDSA", hash: "SHA-256" },
  ES384: { name: "ECDSA", hash: "SHA-384" },
  EdDSA: { name: "Ed25519" },
};

export async function signingKey(alg: string, kid?: string): Promise<SigningKey> {
  const pair = await generateKeyPair(alg, { extractable: true });
  return { alg, pair, ...(kid !== undefined && { kid }), sign: signWith(alg, pair.privateKey) };
}

/** The same key, for another algorithm that it was not made for. */
export async function misused({ pair, kid }: SigningKey, alg: string): Promise<Signer> {
  const { alg: _made_for, ...jwk } = await exportJWK(pair.privateKey);
  const key = await importJWK({ ...jwk, ext: true }, alg);
  if (key instanceof Uint8Array) throw new Error("a private key is not a secret");
  return { alg, ...(kid !== undefined && { kid }), sign: signWith(alg, key) };
}

export async function hmacSigner(secret: string | Uint8Array, bits = 256): Promise<Signer> {
  const hash = { name: "HMAC", hash: `SHA-${bits}` };
  const key = await crypto.subtle.importKey("raw", bytesOf(secret), hash, false, ["sign"]);
  return { alg: `HS${bits}`, sign: async (input) => signBytes(hash, key, input) };
}

export interface Jwks {
  readonly keys: readonly object[];
}

export async function jwksOf(...keys: readonly SigningKey[]): Promise<Jwks> {
  return { keys: await Promise.all(keys.map(published)) };
}

export async function published({ alg, kid, pair }: SigningKey): Promise<object> {
  return { ...(await exportJWK(pair.publicKey)), alg, use: "sig", ...(kid !== undefined && { kid }) };
}

/** As an honest provider signs: with jose. */
export function issue({ alg, kid, pair }: SigningKey, claims: TestClaims): Promise<string> {
  return new CompactSign(bytesOf(JSON.stringify(claims)))
    .setProtectedHeader({ alg, typ: "JWT", ...(kid !== undefined && { kid }) })
    .sign(pair.privateKey);
}

/** Signed whatever it says: jose would not put its name to most of it. */
export async function compact(header: Part, payload: Part, { sign }: Pick<Signer, "sign">): Promise<string> {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${base64url.encode(await sign(input))}`;
}

export function encoded(part: Part): string {
  const raw = typeof part === "string" || part instanceof Uint8Array;
  return base64url.encode(raw ? part : JSON.stringify(part));
}

export function bytesOf(text: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(typeof text === "string" ? new TextEncoder().encode(text) : text);
}

function signWith(alg: string, key: CryptoKey): Signer["sign"] {
  const parameters = PARAMETERS[alg];
  if (parameters === undefined) throw new Error(`nobody here signs with ${alg}`);
  return (input) => signBytes(parameters, key, input);
}

async function signBytes(parameters: SubtleCryptoSignAlgorithm, key: CryptoKey, input: string) {
  return new Uint8Array(await crypto.subtle.sign(parameters, key, bytesOf(input)));
}
