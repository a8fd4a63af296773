/**
 * Simulations that are products of factors: part of the spend × part that can
 * change × how much cheaper that gets. The factors come with their names, so
 * that the arithmetic can be read in the arguments and in the result.
 */
import * as z from "zod/mini";
import { amount, isRange, percents, type Range, type Saving, savingOf, simulator } from "./savings.ts";

/** Per lever its factors by name. */
export type Factors = Readonly<Record<string, Readonly<Record<string, Range>>>>;

export const factorFields = { spend: amount, levers: z.custom<Factors>(isFactors) };

const input = z.object(factorFields);

export function factorSimulator(name: string) {
  return simulator(name, input, (args) => ({ levers: factorSavings(args) }));
}

export function factorSavings({ spend, levers }: z.infer<typeof input>): Saving[] {
  return Object.entries(levers).map(([lever, factors]) => {
    const product = Object.values(factors).reduce<Range>(
      ([a, b], [low, high]) => [a * low, b * high],
      [1, 1],
    );
    return savingOf(lever, spend, product, described(factors));
  });
}

function isFactors(value: unknown): value is Factors {
  return Object.values(Object(value)).every((factors) =>
    Object.values(Object(factors)).every((range) => isRange(range, 1)),
  );
}

/** "25–40 % can wait × 50 % discount": also the words of the assumption. */
export function described(factors: Factors[string]): string {
  return Object.entries(factors)
    .map(([name, range]) => `${percents(range)} ${name}`)
    .join(" × ");
}
