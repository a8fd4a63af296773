/** How a history says that something that was promised does not hold. */

/** A promise the product breaks. The message says which. */
export class Broken extends Error {
  override readonly name = "Broken";
}

/**
 * Promises broken inside the session, where an exception would be taken for a
 * fault of an agent or a socket. Looked at after each step.
 */
const blamed: string[] = [];

export function blame(promise: string, facts: unknown): void {
  blamed.push(`${promise} ${JSON.stringify(facts)}`);
}

export function insistOnNoBlame(): void {
  const [first] = blamed.splice(0);
  if (first !== undefined) throw new Broken(first);
}

/** A history begins: what an earlier one left does not count. */
export function forgetBlame(): void {
  blamed.length = 0;
}

export function insist(isSo: boolean, promise: string, facts: unknown = ""): asserts isSo {
  if (!isSo) throw new Broken(`${promise} ${facts === "" ? "" : JSON.stringify(facts)}`);
}

/** The same content, whatever the order of keys. */
export function insistSame(shown: unknown, expected: unknown, promise: string): void {
  const [one, other] = [sorted(shown), sorted(expected)];
  if (one !== other) throw new Broken(`${promise} ${one} instead of ${other}`);
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
