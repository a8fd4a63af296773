/** What stands out before anything is changed. */
import type { Finding } from "../../protocol/report.ts";
import type { Allocation } from "./allocation.ts";
import { BUCKETS, LABELS } from "./buckets.ts";
import { money } from "./money-text.ts";
import type { Usage } from "./tools/parse-usage.ts";
import type { Prices } from "./tools/price-lookup.ts";
import { percent } from "./tools/savings.ts";

export interface Evidence {
  readonly usage?: Usage | undefined;
  readonly prices: Prices | undefined;
}

export function findingsFor(
  { spend, total, currency, basis, assumed }: Allocation,
  { usage, prices }: Evidence,
  /** Tools whose levers are missing. */
  failed: readonly string[],
): Finding[] {
  const [largest] = BUCKETS.toSorted((a, b) => (spend[b] ?? 0) - (spend[a] ?? 0));
  const amount = (largest && spend[largest]) ?? 0;
  const found: ReadonlyArray<readonly [string, string | false | undefined]> = [
    [
      "Largest cost",
      largest &&
        `${LABELS[largest]}: ${money(amount, currency)} a month, ${percent(amount / total)} (${assumed[largest] ? `assumed, ${assumed[largest]}` : basis}).`,
    ],
    ["Data quality", usage && qualityOf(usage)],
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
export function qualityOf({ accepted, rejected, currencies: [, ...others] }: Usage): string {
  const reasons = rejected.map(({ reason, count }) => `${count} × ${reason}`).join(", ");
  const left = others.map(
    ({ currency, cost }) => `; left out, not converted: ${money(cost, currency || "unknown ")}`,
  );
  return `${accepted} rows used; ${reasons === "" ? "none rejected" : `rejected: ${reasons}`}${left.join("")}.`;
}
