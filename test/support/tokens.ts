/** Real tokens, signed with jose: good ones, and every kind of bad one. */
import { base64url, CompactSign, generateKeyPair } from "jose";

/** `JWT_SECRET` of vitest.config.ts. */
export const SECRET = "test-secret-of-more-than-thirty-two-bytes";

export type TestClaims = Readonly<Record<string, unknown>>;

export function nowS(): number {
  return Math.floor(Date.now() / 1000);
}

/** Claims of a good token; `undefined` leaves one out. */
export function claimsOf(claims: TestClaims = {}, at_s = nowS()): TestClaims {
  return { sub: "alice", iat: at_s, exp: at_s + 3600, ...claims };
}

interface Signing {
  readonly alg?: string;
  readonly secret?: string;
  readonly header?: Readonly<Record<string, unknown>>;
}

/** @param payload signed as it is, so that it may be anything */
export function signRaw(payload: unknown, { alg = "HS256", secret = SECRET, header = {} }: Signing = {}) {
  return new CompactSign(bytes(typeof payload === "string" ? payload : JSON.stringify(payload)))
    .setProtectedHeader({ alg, typ: "JWT", ...header })
    .sign(bytes(secret));
}

export function signToken(claims: TestClaims = {}, signing: Signing = {}): Promise<string> {
  return signRaw(claimsOf(claims), signing);
}

/** RFC 7519 §6: no signature at all, and says so. */
export function unsignedToken(claims: TestClaims = {}, alg = "none"): string {
  return `${encode({ alg, typ: "JWT" })}.${encode(claimsOf(claims))}.`;
}

/** A good signature, by a key we do not know and an algorithm we do not accept. */
export async function rs256Token(claims: TestClaims = {}): Promise<string> {
  const { privateKey } = await generateKeyPair("RS256");
  return new CompactSign(bytes(JSON.stringify(claimsOf(claims))))
    .setProtectedHeader({ alg: "RS256", typ: "JWT" })
    .sign(privateKey);
}

/** The token with other claims under its old signature. */
export function tamper(token: string, claims: TestClaims): string {
  const [header, , signature] = token.split(".");
  return `${header}.${encode(claimsOf(claims))}.${signature}`;
}

function encode(value: unknown): string {
  return base64url.encode(JSON.stringify(value));
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
