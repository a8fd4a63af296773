/** What came out: one row for each line, for people as a table, for machines as JSON. */
import { barText, type Verdict, verdictOf } from "./bars.ts";
import type { Outcome } from "./runner.ts";
import type { Line, Scenario } from "./scenario.ts";

export interface Row {
  readonly line: string;
  readonly unit: Line["unit"];
  readonly against: Scenario["against"] | null;
  readonly bare: number | null;
  readonly product: number | null;
  /** The product's value to the bare one's. */
  readonly ratio: number | null;
  readonly bar: string;
  readonly verdict: Verdict;
}

export function rowsOf({ lines, against }: Scenario, outcome: Outcome): Row[] {
  return lines.map(({ what, finding, unit, bar }) => {
    const [bare, product] = [outcome.bare[finding], outcome.product[finding]];
    const ratio = bare === undefined || product === undefined || bare === 0 ? undefined : product / bare;
    return {
      line: what,
      unit,
      against: against ?? null,
      bare: bare ?? null,
      product: product ?? null,
      ratio: ratio ?? null,
      bar: barText(bar),
      verdict: verdictOf(bar, product, ratio),
    };
  });
}

const HEAD = ["line", "bare", "product", "ratio", "bar", "verdict"];

/** As Markdown has it, so that it can be pasted into a page. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.line,
    row.bare === null ? "–" : `${row.against} ${number(row.bare, row.unit)}`,
    number(row.product, row.unit),
    row.ratio === null ? "–" : row.ratio.toFixed(2),
    row.bar,
    row.verdict,
  ]);
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const text = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [text(HEAD), text(widths.map((width) => "-".repeat(width))), ...cells.map(text)].join("\n");
}

/** What could not be measured here is not available, and says so. */
function number(value: number | null, unit: Line["unit"]): string {
  if (value === null) return "n/a";
  const digits = unit === "ms" || unit === "KiB" ? (value < 100 ? 2 : 0) : 0;
  return `${value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`;
}
