/**
 * Simulations that are products of factors: part of the spend × part that can
 * change × how much cheaper that gets. The factors come with their names, so
 * that the arithmetic can be read in the arguments and in the result.
 */
import * as z from "zod/mini";
import { amount, percents, type Range, savingOf, shares, simulator } from "./savings.ts";

const input = z.object({
  spend: amount,
  /** Per lever its factors by name, each as a range. */
  levers: z.record(z.string(), z.record(z.string(), shares)),
});

export type Factors = z.infer<typeof input>["levers"];

export function factorSimulator(name: string, description: string) {
  return simulator(name, description, input, ({ spend, levers }) => ({
    levers: Object.entries(levers).map(([lever, factors]) => {
      const product = Object.values(factors).reduce<Range>(
        ([a, b], [low, high]) => [a * low, b * high],
        [1, 1],
      );
      return savingOf(lever, spend, product, described(factors));
    }),
  }));
}

/** "25–40 % can wait × 50 % discount": also the words of the assumption. */
export function described(factors: Factors[string]): string {
  return Object.entries(factors)
    .map(([name, range]) => `${percents(range)} ${name}`)
    .join(" × ");
}
