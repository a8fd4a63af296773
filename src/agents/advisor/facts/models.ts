/** Model names in a text, however they are spelled: gpt-5, GPT 5, claude sonnet 4.6, claude-sonnet-4-6. */
import { BUNDLED, type PriceTable } from "../prices.ts";
import { mask } from "./mask.ts";

export interface ModelFacts {
  /** Names as in the price table, in order of appearance. */
  readonly models: readonly string[];
  readonly rest: string;
}

interface Spelled {
  readonly model: string;
  readonly pattern: RegExp;
}

/** Compiled once per table. */
const SPELLED = new WeakMap<PriceTable, readonly Spelled[]>();

/** Without a price here; their versions are no amounts. */
const OTHER =
  /\b(?:(?:gpt|claude|gemini|llama|mistral|deepseek|qwen|nova|grok)[- ]?(?:[a-z]+[- ])?v?\d[\w.-]*|o[134])\b/gi;

/** What stands in for a model that is named by its family or its maker alone; the first one named counts. */
const FAMILIES: ReadonlyArray<readonly [RegExp, string]> = [
  [/(?:open ?ai (?:for |text )*)?(?:text-)?embed/i, "text-embedding-3-large"],
  [/(?:claude )?opus/i, "claude-opus-4-6"],
  [/(?:claude )?haiku/i, "claude-haiku-4-5"],
  [/claude|sonnet|anthropic/i, "claude-sonnet-4-6"],
  [/gemini|vertex/i, "gemini-2.5-pro"],
  [/open ?ai|gpt/i, "gpt-5"],
];

export function standInFor(text: string): string | undefined {
  const found = FAMILIES.map(([named, model]) => ({ at: text.search(named), model })).filter(
    ({ at }) => at >= 0,
  );
  return found.toSorted((a, b) => a.at - b.at)[0]?.model;
}

export function readModels(text: string, table: PriceTable = BUNDLED): ModelFacts {
  let rest = text;
  const found: Array<{ readonly model: string; readonly at: number }> = [];
  for (const { model, pattern } of spelled(table)) {
    const masked = mask(rest, pattern);
    rest = masked.rest;
    found.push(...masked.matches.map((match) => ({ model, at: match.index })));
  }
  const models = found.toSorted((a, b) => a.at - b.at).map(({ model }) => model);
  return {
    models: [...new Set(models)],
    rest: mask(rest, OTHER).rest,
  };
}

/** The table's name for `name` as it stands in usage data, which may add a provider, a date or a region. */
export function tableName(name: string, table?: PriceTable): string | undefined {
  return readModels(name.replace(/[-@]20\d\d.*$/, ""), table).models[0];
}

/** Longest first, so that "gpt-5-mini" is not read as "gpt-5". */
function spelled(table: PriceTable): readonly Spelled[] {
  const known = SPELLED.get(table);
  if (known !== undefined) return known;
  const made = table.models
    .map(({ model }) => model)
    .toSorted((a, b) => b.length - a.length)
    .map((model) => ({
      model,
      pattern: new RegExp(`\\b${spelling(model)}(?![\\w]|[-.]\\d)`, "gi"),
    }));
  SPELLED.set(table, made);
  return made;
}

function spelling(model: string): string {
  return model
    .replace(/^amazon\.|-preview$/g, "")
    .replace(/[^\w.-]/g, ".")
    .replace(/^claude-/, "(?:claude[- ]?)?")
    .split(/[-.](?![^(]*\))/)
    .join("[-. ]?");
}
