/** What comes over the open network unencrypted may be anybody's, and is read by anybody. */
export function isSecure({ protocol, hostname }: URL): boolean {
  const local = hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
  return protocol === "https:" || (protocol === "http:" && local);
}
