/** Amounts of money in a text, before anyone asks what they are for. */
import { parseNumber, SPACED_NUMBER, SUFFIX } from "./numbers.ts";
import type { Span } from "./sentences.ts";

export interface Money extends Span {
  readonly low: number;
  readonly high: number;
  /** ISO code; `undefined` for a bare number, which only its context can make money. */
  readonly currency: string | undefined;
  readonly said: string;
  /** The first of "from $50k to $30k", which is a change, not a range. */
  readonly leads_to_next: boolean;
}

const SYMBOLS: Readonly<Record<string, string>> = {
  $: "USD",
  US$: "USD",
  "€": "EUR",
  "£": "GBP",
  "¥": "JPY",
  "₹": "INR",
  DOLLAR: "USD",
  EURO: "EUR",
  YEN: "JPY",
  RUPEE: "INR",
};

const MARK = String.raw`(?:US)?\$|[€£¥₹]|(?:USD|EUR|GBP|CHF|JPY|INR|CAD|AUD|dollars?|euros?|yen|rupees?)\b`;

const MONEY = new RegExp(
  `(?<![\\w.,])(?:(${MARK}) ?)?(${SPACED_NUMBER})(?: ?(${SUFFIX})(?![a-z]))?(?: ?(?:d['’]|de )?(${MARK}))?(?![\\w%])`,
  "gi",
);

interface Figure extends Money {
  readonly digits: string;
  readonly suffix: string;
}

export function readMoney(text: string): readonly Money[] {
  const read: Figure[] = [];
  for (const match of text.matchAll(MONEY)) {
    const [said, before, digits = "", suffix = "", after] = match;
    const value = parseNumber(digits, suffix);
    if (value === undefined) continue;
    const span = { start: match.index, end: match.index + said.length };
    const figure = {
      ...span,
      low: value,
      high: value,
      currency: currencyOf(before ?? after),
      said,
      digits,
      suffix,
      leads_to_next: false,
    };
    const last = read.pop();
    read.push(...(last === undefined ? [figure] : joined(text, last, figure)));
  }
  return read;
}

export function currencyOf(mark = ""): string | undefined {
  const upper = mark.trim().toUpperCase();
  return SYMBOLS[upper] ?? SYMBOLS[upper.replace(/S$/, "")] ?? (upper || undefined);
}

/** "$40-60k" is one amount; "from $50k to $30k" is two, and a change. */
function joined(text: string, first: Figure, second: Figure): readonly Figure[] {
  const joint = text.slice(first.end, second.start);
  const lead = text.slice(Math.max(0, first.start - 20), first.start);
  const both = /^ ?and ?$/i.test(joint) ? /\bbetween\W*$/i.test(lead) : /^ ?(?:[-–—]|to) ?$/i.test(joint);
  if (!both) return [first, second];
  // "40-60k" means forty thousand to sixty thousand.
  const borrowed = first.suffix === "" ? parseNumber(first.digits, second.suffix) : undefined;
  const low = borrowed !== undefined && borrowed < second.high ? borrowed : first.low;
  if (/\bfrom\W*(?:\w+ )?$/i.test(lead) || low > second.high)
    return [{ ...first, leads_to_next: true }, second];
  const said = text.slice(first.start, second.end);
  return [{ ...second, start: first.start, low, currency: first.currency ?? second.currency, said }];
}
