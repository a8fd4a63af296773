/** Chance that can be repeated: the seed is printed, and `SEED=… npx vitest …` plays the same again. */

export interface Chance {
  readonly seed: number;
  /** In [from, to). */
  between(from: number, to: number): number;
  whole(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
}

export function chance(seed = Number(process.env.SEED ?? Date.now() % 1_000_000)): Chance {
  let state = seed;
  // mulberry32: 32 bits of state are plenty for a schedule.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number) => from + next() * (to - from);
  const whole = (from: number, to: number) => Math.floor(between(from, to));
  return {
    seed,
    between,
    whole,
    pick(items) {
      const item = items[whole(0, items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}
