/** What unit costs follow from: tokens, requests and GPU-hours, each with the cost of the rows that have them. */
import type { Row } from "./row.ts";

export interface Measured {
  readonly quantity: number;
  readonly cost: number;
}

export interface Measures {
  readonly currency: string;
  readonly tokens: Measured;
  readonly requests: Measured;
  readonly gpu_hours: Measured;
  readonly cached_tokens: number;
  readonly input_tokens: number;
  /** Absent where the data has no tags at all. */
  readonly untagged_cost?: number;
}

export function measuresOf(currency: string, rows: readonly Row[]): Measures {
  const over = (quantity: (row: Row) => number) => ({
    quantity: total(rows, quantity),
    cost: total(rows, (row) => (quantity(row) > 0 ? row.cost : 0)),
  });
  const tagged = rows.some((row) => row.tagged !== undefined);
  return {
    currency,
    tokens: over(({ input, output }) => input + output),
    requests: over(({ requests }) => requests),
    gpu_hours: over(({ gpu_hours }) => gpu_hours),
    cached_tokens: total(rows, ({ cached }) => cached),
    input_tokens: total(rows, ({ input }) => input),
    ...(tagged && { untagged_cost: total(rows, (row) => (row.tagged ? 0 : row.cost)) }),
  };
}

function total(rows: readonly Row[], of: (row: Row) => number): number {
  return Math.round(rows.reduce((sum, row) => sum + of(row), 0) * 1e4) / 1e4;
}
