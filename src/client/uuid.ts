/** Ids made by the client: UUID version 7 (RFC 9562 §5.7), so that they sort by the time they were made. */

export function uuidv7(): string {
  // Not crypto.randomUUID: browsers offer that only in secure contexts, and only version 4.
  const random = crypto.getRandomValues(new Uint8Array(9));
  const digits = random.reduce((all, byte) => all + hex(0x100 + byte), hex(2 ** 48 + Date.now()));
  // 7 is the version; 8 the variant, whose other two bits are not missed beside 72 random ones.
  return digits.replace(/(.{8})(.{4})(.{3})(.{3})/, "$1-$2-7$3-8$4-");
}

/** Without the leading 1, which keeps the zeros behind it. */
function hex(value: number): string {
  return value.toString(16).slice(1);
}
