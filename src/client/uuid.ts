/** Ids made by the client: UUID version 7 (RFC 9562 §5.7), so that they sort by the time they were made. */

export function uuidv7(): string {
  // Not crypto.randomUUID: browsers offer that only in secure contexts, and only version 4.
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const time = Date.now().toString(16).padStart(12, "0");
  // 7 is the version; 8 the variant, whose other two bits are not missed beside 72 random ones.
  return `${time}${random}`.replace(/^(.{8})(.{4})(.{3})(.{3})(.{12})$/, "$1-$2-7$3-8$4-$5");
}
