/** Turning text or JSON of any of the usual shapes into records: column name → value. */

import { isRecord } from "../../../protocol/pure/json.ts";

export type Cells = Readonly<Record<string, unknown>>;

export interface Table {
  readonly records: readonly Cells[];
  /** Why lines could not be taken apart, one entry per line. */
  readonly broken: readonly string[];
}

/** More rows than this would not fit in a message anyway. */
const MAX_RECORDS = 20_000;

/** Where APIs put their rows. */
const LISTS = /^(?:data|rows|results|items|records|usage|resourceSpans|scopeSpans|spans|instances|gpus)$/i;

/** The first `most` records, or a few more. */
export function readTable(text: string, most = MAX_RECORDS): Table {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  const lines = trimmed.split("\n", most + 1);
  if (!/^[[{]/.test(trimmed)) return readDelimited(most < MAX_RECORDS ? lines.join("\n") : trimmed);
  const whole = parseJson(trimmed);
  if (whole !== undefined) return { records: recordsOf(whole), broken: [] };
  const parsed = lines.filter((line) => line.trim() !== "").map(parseJson);
  const good = parsed.filter((each) => each !== undefined);
  return {
    records: recordsOf(good),
    broken: parsed.slice(good.length).map(() => "not JSON"),
  };
}

/** The rows of `[…]`, `{data: […]}`, or pages of `{…, results: […]}`, nested objects flattened. */
export function recordsOf(value: unknown): readonly Cells[] {
  if (Array.isArray(value)) return value.flatMap((each: unknown) => recordsOf(each)).slice(0, MAX_RECORDS);
  if (typeof value !== "object" || value === null) return [];
  const entries: Array<[string, unknown]> = Object.entries(value);
  const list = entries.find(([key, inner]) => LISTS.test(key) && Array.isArray(inner));
  const own = flat(entries.filter((entry) => entry !== list));
  return list === undefined ? [own] : recordsOf(list[1]).map((cells) => ({ ...own, ...cells }));
}

/** What is tagged, not by what, is of interest. */
const TAGS = /^(?:tags|labels|request_tags)$/i;

/** `{amount: {value: 3}}` has the column "amount value", one level deep. */
function flat(entries: ReadonlyArray<[string, unknown]>): Cells {
  return Object.fromEntries(
    entries.flatMap(([key, inner]) => {
      if (typeof inner !== "object" || inner === null) return [[key, inner]];
      if (TAGS.test(key)) return [[key, JSON.stringify(inner)]];
      if (Array.isArray(inner)) return inner.flatMap(attribute);
      return Object.entries(inner).map(([name, leaf]) => [`${key} ${name}`, leaf]);
    }),
  );
}

/** OTLP: `{key: "gen_ai.request.model", value: {stringValue: "gpt-5"}}`. */
function attribute(each: unknown): Array<[string, unknown]> {
  if (!isRecord(each) || typeof each.key !== "string" || !isRecord(each.value)) return [];
  return [[each.key, Object.values(each.value)[0]]];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readDelimited(text: string): Table {
  const delimiter = delimiterOf(text);
  const [header = [], ...lines] = delimiter === undefined ? [] : splitRows(text, delimiter);
  const filled = lines.filter((cells) => cells.join("") !== "");
  const whole = filled.filter((cells) => cells.length === header.length);
  return {
    records: whole.map((cells) => Object.fromEntries(header.map((name, at) => [name, cells[at]]))),
    broken: filled.slice(whole.length).map(() => "wrong number of columns"),
  };
}

/** The one that divides the first line into most columns. */
export function delimiterOf(text: string): string | undefined {
  const [line = ""] = text.split("\n", 1);
  const count = (mark: string) => line.split(mark).length;
  const best = ["\t", ",", ";", "|"].reduce((a, b) => (count(b) > count(a) ? b : a));
  return count(best) > 1 ? best : undefined;
}

/** RFC 4180: quoted cells may hold delimiters, line breaks and doubled quotes; one never closed runs to the end. */
function splitRows(text: string, delimiter: string): readonly string[][] {
  const cell = new RegExp(
    `(?:"([^"]*(?:""[^"]*)*)(?:"|$))?([^${delimiter}\n]*)(?:(\n|$)|[${delimiter}])`,
    "gy",
  );
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of text.matchAll(cell)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain.trim());
    if (end === "" || rows.length > MAX_RECORDS) break;
    if (end !== undefined) rows.push([]);
  }
  return rows;
}
