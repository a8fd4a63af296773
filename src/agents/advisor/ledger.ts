/** Keeps the assumptions of one answer: every figure the user did not give has an id, a text and a source. */
import type { Assumption } from "../../protocol/report.ts";
import type { PriceTable } from "./prices.ts";

export const PLANNING = "planning value; replace with yours";
export const READING = "reading of your message";

export interface Ledger {
  readonly entries: readonly Assumption[];
  /** What the answer is priced with. */
  readonly prices: PriceTable;
  /** The id of the assumption; saying it twice is one assumption. */
  assume(text: string, source: string): string;
  /** The same for what follows from list prices of models, and of GPUs. */
  listed(text: string): string;
  rated(text: string): string;
}

export function openLedger(prices: PriceTable): Ledger {
  const entries: Assumption[] = [];
  const assume = (text: string, source: string) => {
    const known = entries.find((each) => each.text === text);
    if (known !== undefined) return known.id;
    const id = `A${entries.length + 1}`;
    entries.push({ id, text, source });
    return id;
  };
  return {
    entries,
    prices,
    assume,
    listed: (text) => assume(text, `list prices of ${prices.as_of}: ${prices.source}`),
    rated: (text) => assume(text, `GPU ${prices.gpu_source}`),
  };
}
