/** How much room there is in what is about to be sent, and what of it fits. */
import { utf8Length } from "../protocol/primitives.ts";

export class Budget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Takes the room for `value`, or nothing if there is not enough. */
  take(value: unknown): boolean {
    const bytes = sizeOf(value);
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Takes the room for `value`, whether there is enough or not. */
  spend(value: unknown): void {
    this.#left -= sizeOf(value);
  }

  get left(): number {
    return this.#left;
  }

  /** `value`, or the first of what is made of it that fits; the last is taken in any case, and leaves less for the rest. */
  takeFirst<T>(value: T, shorter: readonly ((value: T) => T)[]): T {
    const [shorten, ...others] = shorter;
    if (this.take(value)) return value;
    if (shorten !== undefined) return this.takeFirst(shorten(value), others);
    this.spend(value);
    return value;
  }

  /** The first of `values` that fits into `room`, or the last if there is room for it at all; none otherwise. */
  takeWithin<T>(room: number, values: readonly T[]): T[] {
    const found = values.find((value) => sizeOf(value) <= room) ?? values.at(-1);
    return found !== undefined && this.take(found) ? [found] : [];
  }

  /** The first of `values`, as many as there is room for. */
  takeWhile<T>(values: readonly T[]): T[] {
    const index = values.findIndex((value) => !this.take(value));
    return values.slice(0, index === -1 ? values.length : index);
  }
}

/** The first of `values`, as many as fit into `bytes`, and one in any case: whoever reads page by page must get on. */
export function page<T>(bytes: number, values: Iterable<T>): T[] {
  const budget = new Budget(bytes);
  const taken: T[] = [];
  for (const value of values) {
    const fits = budget.take(value);
    if (fits || taken.length === 0) taken.push(value);
    if (!fits) break;
  }
  return taken;
}

/** As JSON, with what separates it from the next, UTF-8 bytes. */
export function sizeOf(value: unknown): number {
  return utf8Length(JSON.stringify(value)) + 1;
}
