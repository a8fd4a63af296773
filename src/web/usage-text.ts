/** What an answer has cost, in one line. */
import { cost } from "./format.ts";
import type { Usage } from "./run-notes.ts";

/** Empty if nothing is known of tokens; without an amount where a price is not known. */
export function usageText(usage: readonly Usage[] = []): string {
  const tokens = sum(usage, "total_tokens");
  if (tokens === undefined) return "";
  const amount = usage.every(({ cost_usd }) => typeof cost_usd === "number")
    ? sum(usage, "cost_usd")
    : undefined;
  const about = usage.some(({ estimated }) => estimated === true) ? "about " : "";
  const counted = `${about}${tokens.toLocaleString("en-US")} tokens`;
  return amount === undefined ? counted : `${counted} · ${cost(amount)}`;
}

function sum(usage: readonly Usage[], field: string): number | undefined {
  const known = usage.flatMap((one) => (typeof one[field] === "number" ? [one[field]] : []));
  return known.length === 0 ? undefined : known.reduce((total, count) => total + count, 0);
}
