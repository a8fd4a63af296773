/** A variable is a text, or a number where the configuration file has one. */
import * as z from "zod/mini";

export function wholeNumber(min: number, max: number) {
  const fits = (value: unknown) => /^\d+$/.test(`${value}`) && Number(value) >= min && Number(value) <= max;
  return z.unknown().check(z.refine(fits, { error: `must be a whole number from ${min} to ${max}` }));
}
