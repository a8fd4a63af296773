/**
 * The text of a token before anything is verified. A token has exactly one
 * spelling here: decoders forgive padding, foreign alphabets, spare bits and
 * members that occur twice, and each of those is a second token with the first
 * one's signature, or a header that two readers understand differently.
 */

/** RFC 7515 §7.1: three parts in base64url without padding; false for every other spelling of them. */
export function isCompact(token: string): boolean {
  const parts = token.split(".");
  const [header, claims, signature] = parts;
  if (parts.length !== 3 || header === undefined || claims === undefined || signature === undefined)
    return false;
  // An unsigned token is one, too: what is wrong with it is its algorithm.
  if (signature !== "" && !isCanonical(signature)) return false;
  return [header, claims].every((part) => isCanonical(part) && hasUniqueMembers(part));
}

/** What the claims say before they are verified: only good for choosing the key to verify them with. */
export function claimedIssuer(token: string): unknown {
  const claims = decoded(token.split(".")[1] ?? "");
  return typeof claims === "object" && claims !== null && "iss" in claims ? claims.iss : undefined;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** RFC 4648 §3.5: the bits of the last character that carry nothing are zero. */
function isCanonical(part: string): boolean {
  if (!/^[A-Za-z0-9_-]+$/.test(part)) return false;
  const last = ALPHABET.indexOf(part.at(-1) ?? "");
  const unused = [0, undefined, 15, 3][part.length % 4];
  return unused !== undefined && (last & unused) === 0;
}

/** RFC 7515 §4, RFC 7519 §4: names must be unique. False as well for what is no JSON. */
function hasUniqueMembers(part: string): boolean {
  const text = textOf(part);
  if (text === undefined || parsed(text) === undefined) return false;
  const open: (Set<unknown> | undefined)[] = [];
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === "{" || token === "[") open.push(token === "{" ? new Set() : undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (name !== undefined && !isNew(open.at(-1), parsed(name))) return false;
  }
  return true;
}

function isNew(names: Set<unknown> | undefined, name: unknown): boolean {
  if (names === undefined || names.has(name)) return false;
  names.add(name);
  return true;
}

function decoded(part: string): unknown {
  const text = textOf(part);
  return text === undefined ? undefined : parsed(text);
}

function textOf(part: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) =>
      c.charCodeAt(0),
    );
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
