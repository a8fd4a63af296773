/** Addresses in settings, to which secrets are sent or from which keys come. */

/** Encrypted, unless it stays on this machine; a secret in it would end up in logs. */
export function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, hash, username, password } = new URL(value);
  if ([hash, username, password].some((part) => part !== "")) return false;
  const local = hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
  return protocol === "https:" || (protocol === "http:" && local);
}
