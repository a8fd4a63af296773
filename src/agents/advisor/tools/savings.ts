/** What every simulation answers: how much of a bucket each of its levers saves, and why. */
import * as z from "zod/mini";
import type { Schema } from "../../schema.ts";
import type { Tool } from "../../tool.ts";

/** From the cautious end to the hopeful one. */
export type Range = readonly [number, number];

/** Money, tokens, hours: anything that is not negative. */
export const amount = z.number().check(z.gte(0));

/** A share of something, 0 to 1. */
export const share = amount.check(z.refine((value) => value <= 1));

/** Zod's tuples would weigh half a kilobyte for these two. */
export const shares = z.custom<Range>((value) => isRange(value, 1));
export const amounts = z.custom<Range>((value) => isRange(value, Number.MAX_VALUE));

/**
 * For results of tools that only the advisor's own code makes: between making and
 * reading they have been through JSON, and a run of another version is never replayed.
 */
export function ours<T>() {
  return z.custom<T>((value) => typeof value === "object" && value !== null);
}

export interface Saving {
  readonly lever: string;
  /** Of the bucket's spend, were this lever pulled alone. */
  readonly share: Range;
  /** The same in money. */
  readonly saving: Range;
  /** The arithmetic in words and numbers. */
  readonly how: string;
}

export interface Simulation {
  readonly levers: readonly Saving[];
  /** What else the arithmetic tells: break-even points, sensitivity; keyed by lever. */
  readonly notes?: ReadonlyArray<{ readonly lever: string; readonly text: string }>;
}

export function isRange(value: unknown, most: number): value is Range {
  return Array.isArray(value) && value.length === 2 && value.every((end) => end >= 0 && end <= most);
}

/** A tool that works out levers on one bucket. */
export function simulator<Args>(
  name: string,
  input: Schema<Args>,
  execute: (args: Args) => Simulation,
): Tool<Args, Simulation> {
  const description = "What levers save, and why.";
  return { name, description, input, output: ours<Simulation>(), idempotent: true, execute };
}

/** Shares outside 0 to 1 and swapped ends are put right: a saving is never negative and never more than the spend. */
export function savingOf(lever: string, spend: number, [one, other]: Range, how: string): Saving {
  const low = clamp(Math.min(one, other));
  const high = clamp(Math.max(one, other));
  return {
    lever,
    share: [low, high],
    saving: [cents(low * spend), cents(high * spend)],
    // Of a single factor it would say the same twice.
    how: /[×÷−]/.test(how) ? `${how} = ${percents([low, high])}` : how,
  };
}

/** A share with four decimals, between 0 and 1 whatever comes in. */
export function clamp(value: number): number {
  return Number.isFinite(value) ? Math.min(1, Math.max(0, Math.round(value * 1e4) / 1e4)) : 0;
}

export function cents(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Three significant figures: an estimate does not know more. */
export function rounded(value: number): number {
  const step = 10 ** Math.max(-2, Math.floor(Math.log10(value)) - 2);
  return value > 0 ? cents(Math.round(value / step + 1e-9) * step) : 0;
}

/** A price: cents where there are any, more digits where they count. */
export function dollars(value: number): string {
  return `$${Number.isInteger(value * 100) || value >= 1 ? value.toFixed(2) : value}`;
}

export function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}

export function percents([low, high]: Range): string {
  const from = Math.round(low * 100);
  return from === Math.round(high * 100) ? percent(high) : `${from}–${percent(high)}`;
}
