/** Amounts nobody pays: nothing, negative ones, powers of ten, and digits without end. Blanked, so that no part of them is read. */
import { mask } from "./mask.ts";

const MARK = String.raw`(?:[$€£¥₹]|\b(?:USD|EUR|GBP) ?)`;

const NONSENSE = new RegExp(
  [
    String.raw`(?<!\d ?[kmb]? ?)[-−]${MARK} ?\d[\d.,]*(?: ?[kmb]\b)?`,
    String.raw`${MARK} ?[-−]\d[\d.,]*(?: ?[kmb]\b)?`,
    String.raw`${MARK}? ?\b\d[\d.,]*e[+-]?\d+\b`,
    String.raw`${MARK} ?0+(?:[.,]0+)?(?![.,]?\d)`,
    `${MARK} ?(?:NaN|Infinity|∞)`,
    String.raw`${MARK} ?\d[\d,. ]{17,}`,
  ].join("|"),
  "gi",
);

/** Enough to show what is meant. */
const MAX_SHOWN = 3;
const MAX_SHOWN_CHARS = 24;

export function refusedIn(text: string): { readonly refused: readonly string[]; readonly rest: string } {
  const { matches, rest } = mask(text, NONSENSE);
  return {
    refused: matches.slice(0, MAX_SHOWN).map(([said]) => said.trim().slice(0, MAX_SHOWN_CHARS)),
    rest,
  };
}
