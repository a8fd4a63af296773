/** What stands out before anything is changed. */
import type { Finding } from "../../protocol/report.ts";
import type { Allocation } from "./allocation.ts";
import { BUCKETS, LABELS } from "./buckets.ts";
import { dataLines } from "./data-lines.ts";
import type { Evidence } from "./evidence.ts";
import { money } from "./money-text.ts";
import type { Usage } from "./tools/parse-usage.ts";
import { percent } from "./tools/savings.ts";

export function findingsFor(
  { spend, total, currency, basis, assumed }: Allocation,
  evidence: Evidence,
): Finding[] {
  const { usage, prices, failed } = evidence;
  const [largest] = BUCKETS.toSorted((a, b) => (spend[b] ?? 0) - (spend[a] ?? 0));
  const amount = (largest && spend[largest]) ?? 0;
  const found: ReadonlyArray<readonly [string, string | false | undefined]> = [
    [
      "Largest cost",
      largest &&
        amount > 0 &&
        `${LABELS[largest]}: ${money(amount, currency)} a month, ${percent(amount / total)} (${assumed[largest] ? `assumed, ${assumed[largest]}` : basis}).`,
    ],
    ["Data quality", usage && qualityOf(usage)],
    ...dataLines(evidence, currency).map(([title, detail]) => [title, `${detail}.`] as const),
    ...(prices?.cheaper ?? []).map(
      ({ instead_of, model, saving_share }) =>
        [
          "Cheaper model",
          `${model}: ${percent(saving_share)} below ${instead_of}, same tier; test quality.`,
        ] as const,
    ),
    ["Incomplete", failed.length > 0 && `${failed.join(", ")} failed.`],
  ];
  return found.flatMap(([title, detail]) => (detail ? [{ title, detail }] : []));
}

/** How much of the data could be used. */
export function qualityOf({ accepted, rejected, gaps, currencies: [, ...others] }: Usage): string {
  const reasons = rejected.map(({ reason, count }) => `${count} × ${reason}`).join(", ");
  const left = others.map(
    ({ currency, cost, rows }) => `${money(cost, currency || "no currency,")} in ${counted(rows)}`,
  );
  const apart = left.length > 0 ? ` Left out, because nothing is converted: ${left.join(", ")}.` : "";
  const missing = gaps > 0 ? `; ${gaps} days in between have none` : "";
  return `${counted(accepted)} used; ${reasons === "" ? "none rejected" : `rejected: ${reasons}`}${missing}.${apart}`;
}

export function counted(rows: number): string {
  return `${rows} row${rows === 1 ? "" : "s"}`;
}
