/** Usage data that came with a question: attached, or pasted into the text. */
import type { AgentInput } from "../../agent.ts";
import { mask } from "../facts/mask.ts";
import { currencyOf } from "../facts/money.ts";
import { NUMBER, parseNumber } from "../facts/numbers.ts";
import { columnsOf, looksLikeUsage } from "./columns.ts";
import { delimiterOf, readTable, recordsOf } from "./table.ts";

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
const MONTH = `\\b(?<month>${MONTHS.replace(/...(?=.)/g, "$&|")})[a-z]*`;
const COST = `(?<mark>[$€£¥₹])?(?<digits>${NUMBER})(?<scale>[km])?\\b`;
/** "$10k in January" before "Jan $10k": the other way round, what follows a month is of the next. */
const MONTHLY = [
  new RegExp(`(?<![\\d.,])${COST} ?(?:in |for |\\()${MONTH}`, "gi"),
  new RegExp(`${MONTH}\\W{1,3}?${COST}`, "gi"),
];

/** Fewer make no trend. */
const MIN_MONTHS = 3;

export interface Found {
  /** The arguments of `parse_usage`. */
  readonly data?: { readonly text: string } | { readonly rows: unknown[] };
  /** The text without the data: prices in a bill are not statements about spend. */
  readonly prose: string;
  /** The columns of data that came, and could not be read. */
  readonly unread?: string;
}

/** Lines of prose before a table, and those of them that might be its header: one further down is not looked for. */
const MAX_LINES = 500;
const MAX_HEADERS = 50;

/** Records that tell whether a text is usage: pages may begin empty. */
const SAMPLE = 20;

/** Attached data first, then what the question holds. */
export function findUsage({
  question,
  data,
  now,
}: Pick<AgentInput, "question" | "data"> & Partial<Pick<AgentInput, "now">>): Found {
  const pasted = findPasted(question, now);
  const attached = attachedData(data);
  if (attached !== undefined) return { data: attached, prose: pasted.prose };
  const unread = pasted.data ? undefined : (unreadIn(data) ?? TABLE.exec(question)?.[0]);
  return { ...pasted, ...(unread && { unread: unread.slice(0, MAX_SHOWN_CHARS) }) };
}

/** What may come beside usage: it is no usage itself. */
const PRICES = /^(?:prices|prices_as_of|gpu_rates)$/;
const MAX_SHOWN_CHARS = 120;

function unreadIn(data: unknown): string | undefined {
  const whole = typeof data === "string" ? [data] : data;
  const given = Object.entries(Object(whole)).filter(([key, value]) => !PRICES.test(key) && value !== "");
  if (given.length === 0) return undefined;
  const text = given.map(([, value]) => value).find((value) => typeof value === "string");
  const [cells = {}] = text === undefined ? recordsOf([data].flat()) : readTable(text, 1).records;
  return Object.keys(cells).join(", ") || text?.trim().split("\n", 1)[0] || "none";
}

/** A line of names, and below it two with figures. */
const TABLE = /^[^\d\n;,\t|]*[;,\t|][^\d\n]*$(?=(?:\n[^\n;,\t|]*[;,\t|].*\d.*){2})/m;

function attachedData(data: unknown): Found["data"] {
  const values: unknown[] = typeof data === "string" ? [data] : Object.values(Object(data));
  const text = values.filter((each) => typeof each === "string").find(isUsage);
  if (text !== undefined) return { text };
  const rows: unknown[] = Array.isArray(data) ? data : [data];
  return recordsOf(rows).some((cells) => looksLikeUsage(columnsOf(cells))) ? { rows } : undefined;
}

/** JSON, or lines under a header that names a cost, or "Jan $10k, Feb $12k, Mar $15k". */
export function findPasted(text: string, now = ""): Found {
  for (const block of blocksOf(text)) {
    if (isUsage(block)) return { data: { text: block }, prose: text.replace(block, () => " ") };
  }
  const series = MONTHLY.map((each) => mask(text, each)).find(({ matches }) => matches.length >= MIN_MONTHS);
  return series === undefined
    ? { prose: text }
    : { data: { rows: monthly(series.matches, now) }, prose: series.rest };
}

/** The months up to `now`, the last of them named last. */
function monthly(matches: readonly RegExpExecArray[], now: string): unknown[] {
  const numbers = matches.map(
    ({ groups: { month = "" } = {} }) => MONTHS.indexOf(month.toLowerCase()) / 3 + 1,
  );
  const last = numbers.at(-1) ?? 0;
  const year = Number(now.slice(0, 4)) - (last > Number(now.slice(5, 7)) ? 1 : 0);
  return matches.map(({ groups }, at) => {
    const month = numbers[at] ?? 0;
    const date = `${month > last ? year - 1 : year}-${String(month).padStart(2, "0")}`;
    return {
      date,
      cost: parseNumber(groups?.digits ?? "", groups?.scale),
      currency: currencyOf(groups?.mark),
    };
  });
}

function blocksOf(text: string): readonly string[] {
  const json = text.slice(text.search(/[[{]/), Math.max(text.lastIndexOf("]"), text.lastIndexOf("}")) + 1);
  return [json, ...delimited(text)].filter(Boolean);
}

/** From each line that could be a header, the lines that have a delimiter like it. */
function delimited(text: string): readonly string[] {
  const lines = text.split("\n");
  let tried = 0;
  const start = lines
    .slice(0, MAX_LINES)
    .findIndex((line) => tried < MAX_HEADERS && delimiterOf(line) && ++tried && isHeader(line));
  const mark = delimiterOf(lines[start] ?? "");
  if (mark === undefined) return [];
  const length = lines.slice(start).findIndex((line) => !line.includes(mark));
  return [lines.slice(start, length < 0 ? undefined : start + length).join("\n")];
}

/** Prose has commas too, but does not name columns. */
function isHeader(line: string): boolean {
  const names = line.split(delimiterOf(line) ?? ",").map((name) => [name.replace(/"/g, "").trim(), ""]);
  return names.length > 1 && looksLikeUsage(columnsOf(Object.fromEntries(names)));
}

function isUsage(text: string): boolean {
  return readTable(text, SAMPLE).records.some((cells) => looksLikeUsage(columnsOf(cells)));
}
