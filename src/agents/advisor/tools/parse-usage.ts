/** Billing and usage exports as rows with known columns; daily rows come back as monthly sums, totals cover everything. */
import * as z from "zod/mini";
import type { Tool } from "../../tool.ts";
import { type PriceTable, withOwnPrices } from "../prices.ts";
import { columnsOf, looksLikeUsage } from "../usage/columns.ts";
import { type Fleets, fleetOf } from "../usage/fleets.ts";
import { type Measures, measuresOf } from "../usage/measures.ts";
import { type Row, readRow } from "../usage/row.ts";
import { type Series, seriesOf } from "../usage/series.ts";
import { readTable, recordsOf, type Table } from "../usage/table.ts";
import { amount, cents, ours } from "./savings.ts";

const input = z.object({
  text: z.optional(z.string()),
  rows: z.optional(z.array(z.unknown())),
  /** Prices that take the place of the bundled ones, for rows without a cost. */
  prices: z.optional(z.unknown()),
});

export const usageRow = z.object({
  period: z.string(),
  provider: z.string(),
  service: z.string(),
  category: z.string(),
  model: z.string(),
  quantity: amount,
  unit: z.string(),
  cost: amount,
  currency: z.string(),
});

export interface Usage {
  /** Largest first; what does not fit is summed up as "(other)". */
  readonly rows: UsageRow[];
  readonly accepted: number;
  readonly rejected: ReadonlyArray<{ readonly reason: string; readonly count: number }>;
  /** Never added together, the most frequent first. Empty code: not stated. */
  readonly currencies: ReadonlyArray<{
    readonly currency: string;
    readonly rows: number;
    readonly cost: number;
  }>;
  /** Days from the first to the last, where rows are daily; 0 otherwise. */
  readonly days: number;
  /** Days in between without a row. */
  readonly gaps: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Rows without a cost, priced at list prices. */
  readonly priced_rows: number;
  /** What unit costs follow from, per currency. */
  readonly measures: readonly Measures[];
  /** Cost per day of the main currency, where rows are daily: in total, and of the largest services. */
  readonly series: readonly Series[];
  /** GPUs of an inventory. */
  readonly fleet: Fleets;
}

type Args = z.infer<typeof input>;
export type UsageRow = z.infer<typeof usageRow>;

/** Keeps the result a few kilobytes. */
const MAX_ROWS = 24;

const DAY_MS = 86_400_000;

export const parseUsage: Tool<Args, Usage> = {
  name: "parse_usage",
  description: "Reads billing data.",
  input,
  output: ours<Usage>(),
  idempotent: true,
  execute({ text = "", rows, prices }) {
    const table = rows ? { records: recordsOf(rows), broken: [] } : readTable(text);
    const read = dated(rowsOf(table, withOwnPrices(prices)));
    const good = read.filter((each) => typeof each !== "string");
    const reasons = [...table.broken, ...read.filter((each) => typeof each === "string")];
    const currencies = [...Map.groupBy(good, ({ labels }) => labels.currency)]
      .map(([currency, own]) => ({ currency, rows: own.length, cost: cents(sum(own, "cost")) }))
      .toSorted((a, b) => b.rows - a.rows);
    const main = good.filter(({ labels }) => labels.currency === currencies[0]?.currency);
    const days = daysOf(main);
    const daily = days > 0 ? seriesOf(main) : [];
    return {
      rows: bounded(good),
      accepted: good.length,
      rejected: [...Map.groupBy(reasons, String)].map(([reason, { length: count }]) => ({ reason, count })),
      currencies,
      days,
      gaps: days > 0 ? days - daysIn(main).length : 0,
      input_tokens: sum(good, "input"),
      output_tokens: sum(good, "output"),
      priced_rows: good.filter(({ priced }) => priced).length,
      measures: currencies.map(({ currency }) =>
        measuresOf(
          currency,
          good.filter(({ labels }) => labels.currency === currency),
        ),
      ),
      series: daily,
      fleet: fleetOf(main),
    };
  },
};

/** Records need not have the same columns, but usually do: they are mapped once per shape. */
function rowsOf({ records }: Table, prices: PriceTable): ReadonlyArray<Row | string> {
  const shapes = new Map<string, ReturnType<typeof columnsOf>>();
  return records.map((cells) => {
    const shape = Object.keys(cells).join("\n");
    const columns = shapes.get(shape) ?? columnsOf(cells);
    shapes.set(shape, columns);
    return looksLikeUsage(columns) ? readRow(cells, columns, prices) : "no cost column";
  });
}

/** Rows that differ only in the day are one; small ones beyond the limit are one per month, category and currency. */
function bounded(rows: readonly Row[]): UsageRow[] {
  const sums = merged(rows);
  const small = sums.slice(MAX_ROWS).map((row) => ({
    ...row,
    labels: { ...row.labels, provider: "", service: "(other)", model: "", unit: "" },
  }));
  return [...sums.slice(0, MAX_ROWS), ...merged(small)].map(({ labels, quantity, cost }) => ({
    ...labels,
    quantity,
    cost,
  }));
}

type Sum = Pick<Row, "labels" | "quantity" | "cost">;

function merged(rows: readonly Sum[]): Sum[] {
  return [...Map.groupBy(rows, ({ labels }) => JSON.stringify(labels)).values()]
    .flatMap((members) =>
      members.slice(0, 1).map(({ labels }) => ({
        labels,
        quantity: sum(members, "quantity"),
        cost: cents(sum(members, "cost")),
      })),
    )
    .toSorted((a, b) => b.cost - a.cost);
}

/** A row that cannot be dated would be added to days it does not belong to: sums, say, under the rows. */
function dated(rows: ReadonlyArray<Row | string>): ReadonlyArray<Row | string> {
  const some = rows.some((row) => typeof row !== "string" && row.day !== "");
  return rows.map((row) =>
    some && typeof row !== "string" && row.day === "" && !row.fleet ? "no date that can be read" : row,
  );
}

function daysIn(rows: readonly Row[]): readonly string[] {
  return [...new Set(rows.map(({ day }) => day).filter((day) => day.length > 7))].toSorted();
}

/** Only data with more days than months is daily. */
function daysOf(rows: readonly Row[]): number {
  const days = daysIn(rows);
  const months = new Set(days.map((day) => day.slice(0, 7))).size;
  const span = Date.parse(days.at(-1) ?? "") - Date.parse(days[0] ?? "");
  return days.length > months && span > 0 ? Math.round(span / DAY_MS) + 1 : 0;
}

function sum<Key extends string>(rows: ReadonlyArray<{ readonly [key in Key]: number }>, key: Key): number {
  return rows.reduce((total, row) => total + row[key], 0);
}
