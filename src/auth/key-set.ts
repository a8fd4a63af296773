/** The keys of a provider, and which of them may have signed a token. */
import {
  type CryptoKey,
  createLocalJWKSet,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from "jose";
import { JWKSMultipleMatchingKeys, JWKSNoMatchingKey } from "jose/errors";

/** RFC 7518 §3.3; jose throws for less, and blames us. */
const MIN_RSA_BITS = 2048;

export class KeySet {
  readonly #keys: ReturnType<typeof createLocalJWKSet>;
  readonly #broken: () => void;
  #reported = false;

  /** @param broken called once, when a token comes for a key that cannot be used */
  constructor(keys: JSONWebKeySet, broken: () => void) {
    this.#keys = createLocalJWKSet(keys);
    this.#broken = broken;
  }

  /** One, unless the token does not name its key. A key that cannot be used is absent: anybody can name it. */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<readonly CryptoKey[]> {
    const found = await this.#imported(header, token);
    const usable = found.filter(isLongEnough);
    if (usable.length < found.length) this.#report();
    return usable;
  }

  async #imported(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<readonly CryptoKey[]> {
    try {
      return [await this.#keys(header, token)];
    } catch (cause) {
      // Among several, jose leaves out those that cannot be imported.
      if (cause instanceof JWKSMultipleMatchingKeys) return await all(cause);
      if (!(cause instanceof JWKSNoMatchingKey)) this.#report();
      return [];
    }
  }

  #report(): void {
    if (!this.#reported) this.#broken();
    this.#reported = true;
  }
}

function isLongEnough({ algorithm }: CryptoKey): boolean {
  return !("modulusLength" in algorithm) || Number(algorithm.modulusLength) >= MIN_RSA_BITS;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
