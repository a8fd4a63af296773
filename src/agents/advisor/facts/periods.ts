/** Periods a figure may be "per", and what turns it into a monthly one. */

export type Period = "hour" | "day" | "week" | "month" | "quarter" | "year";

export const HOURS_PER_MONTH = 730;
export const DAYS_PER_MONTH = 365 / 12;

/** How many of the period are in a month. */
export const PER_MONTH: Readonly<Record<Period, number>> = {
  hour: HOURS_PER_MONTH,
  day: DAYS_PER_MONTH,
  week: 52 / 12,
  month: 1,
  quarter: 1 / 3,
  year: 1 / 12,
};

/** English, German, French, Spanish. */
const UNIT =
  "hours?|hrs?|h|days?|d|weeks?|wk|months?|mo|mth|quarters?|qtr|years?|yr|y|annum|Tag|Woche|Monat|Quartal|Jahr|jour|semaine|mois|an|année|d[ií]a|semana|mes|año";

const PERIODS = ["hour", "day", "week", "month", "quarter", "year"] as const;

/** One group: the unit, or the adverb. */
export const PERIOD = String.raw`(?:(?:\/|\b(?:per|an?|each|every|this|last|pro|im|par|al|por)\s)\s*(?:single\s)?(${UNIT})\b|\b(hourly|daily|weekly|monthly|quarterly|yearly|annual(?:ly)?|monatlich|jährlich|mensual|mensuel|anual|annuel))`;

const FIRST = new RegExp(PERIOD, "i");

/** The first period named in `text`. */
export function periodIn(text: string): Period | undefined {
  const match = FIRST.exec(text);
  return periodOf(match?.[1] ?? match?.[2]);
}

export function periodOf(word = ""): Period | undefined {
  const unit = word.toLowerCase();
  if (unit === "") return undefined;
  if (/^(?:t|jo)/.test(unit)) return "day";
  if (/^s/.test(unit)) return "week";
  return PERIODS.find((each) => each.startsWith(unit.charAt(0))) ?? "year";
}
