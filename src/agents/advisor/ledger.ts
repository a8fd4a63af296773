/** Keeps the assumptions of one answer: every figure the user did not give has an id, a text and a source. */
import type { Assumption } from "../../protocol/report.ts";
import { PRICES_AS_OF, PRICES_SOURCE } from "./prices.ts";

export const PLANNING = "planning value; replace with yours";
export const LIST_PRICES = `table of ${PRICES_AS_OF}: ${PRICES_SOURCE}`;
export const READING = "reading of your message";

export interface Ledger {
  readonly entries: readonly Assumption[];
  /** The id of the assumption; saying it twice is one assumption. */
  assume(text: string, source: string): string;
}

export function openLedger(): Ledger {
  const entries: Assumption[] = [];
  return {
    entries,
    assume(text, source) {
      const known = entries.find((each) => each.text === text);
      if (known !== undefined) return known.id;
      const id = `A${entries.length + 1}`;
      entries.push({ id, text, source });
      return id;
    },
  };
}
