/**
 * Who a user is, everywhere: `u_` and the base32 of a hash over realm and
 * subject. It is the name of the user's object, so it must never change; the
 * fixtures in test/auth/user-id.test.ts hold it in place.
 */

/** @param realm configured short name of the key set, not the `iss` of the token */
export async function userId(realm: string, sub: string): Promise<string> {
  // JSON keeps ("a", "bc") and ("ab", "c") apart, and escapes lone surrogates, which UTF-8 cannot spell.
  const text = new TextEncoder().encode(JSON.stringify([realm, sub]));
  return `u_${base32(new Uint8Array(await crypto.subtle.digest("SHA-256", text)))}`;
}

/** True for everything `userId` can return: nothing else names an object. */
export function isUserId(text: string): boolean {
  return /^u_[a-z2-7]{52}$/.test(text);
}

/** RFC 4648 §6 in lower case, so that ids are good in URLs and host names. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

function base32(hash: Uint8Array): string {
  let text = "";
  let buffer = 0;
  let bits = 0;
  for (const byte of hash) {
    buffer = (buffer << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((buffer >>> (bits - 5)) & 31);
    buffer &= (1 << bits) - 1;
  }
  // 256 bits are 51 characters and one bit more, which is filled up with zeros.
  return text + ALPHABET.charAt((buffer << (5 - bits)) & 31);
}
