/** "What if": "cut the GPU hours by half", "traffic doubles", "30 % fewer tokens". */
import { type Scope, scopeOf } from "../buckets.ts";
import { mask } from "./mask.ts";

export interface Change {
  /** Everything where nothing is named. */
  readonly scope: Scope | undefined;
  /** What the spend on it is multiplied by. */
  readonly factor: number;
  readonly said: string;
}

/** Only a question that supposes something changes anything; "cut costs by half" is a wish. */
const SUPPOSED = /\b(?:if|suppose|assum\w+|imagine|say)\b[^.?!\n]{0,160}/gi;

const UNITS: Readonly<Record<string, number>> = { half: 0.5, third: 1 / 3, quarter: 0.25 };

const BY = String.raw`\b(?:by|to|with|only|use[ds]?|run(?:ning)?)? ?(?:an? |one )?`;
const FRACTION = new RegExp(`${BY}(half|third|quarter)\\b`, "i");
const PERCENT = /(\d{1,3}(?:\.\d+)?) ?(?:%|percent\b)(?! (?:utili|used|busy|idle|cache|hit))/i;
const TIMES = /\b(?:(\d{1,2}(?:\.\d+)?) ?(?:x\b|times\b)|(doubl|twice|tripl)\w*|(halv)\w*)/i;
const DOWN =
  /\b(?:cut|reduc|halv|drop|lower|shrink|fewer|less|fell|falls?|sav|remov|turn(?:ed)? off|decreas)/i;
const UP = /\b(?:gr[eo]w|rise|rose|increas|more|up|doubl|tripl|add)/i;

/** What people say instead of the thing that is paid for. */
const TRAFFIC = /\b(?:traffic|requests?|calls?|users?|usage|volume)\b/i;

export function readChanges(text: string): { readonly changes: readonly Change[]; readonly rest: string } {
  const { matches } = mask(text, SUPPOSED);
  const changes = matches.flatMap(([said]) => {
    const factor = factorOf(said);
    const scope = scopeOf(said) ?? (TRAFFIC.test(said) ? "llm_api" : undefined);
    return factor === undefined ? [] : [{ scope, factor, said: said.replace(/^\w+ /, "").trim() }];
  });
  // Their percentages are no utilisation and no share.
  const used = matches.filter(([said]) => factorOf(said) !== undefined);
  const rest = used.reduce((left, [said]) => left.replace(said, " ".repeat(said.length)), text);
  return { changes: changes.slice(0, 3), rest };
}

function factorOf(said: string): number | undefined {
  const [, times, twice, halved] = TIMES.exec(said) ?? [];
  if (halved) return 0.5;
  if (twice) return /tripl/i.test(twice) ? 3 : 2;
  if (times) return within(DOWN.test(said) ? 1 / Number(times) : Number(times));
  const part = UNITS[FRACTION.exec(said)?.[1]?.toLowerCase() ?? ""] ?? fraction(PERCENT.exec(said)?.[1]);
  if (part === undefined) return undefined;
  if (DOWN.test(said)) return within(1 - part);
  return UP.test(said) ? within(1 + part) : undefined;
}

function fraction(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits) / 100;
}

/** Nothing shrinks below zero, and a hundredfold is no plan. */
function within(factor: number): number | undefined {
  return Number.isFinite(factor) && factor >= 0 && factor <= 100 ? factor : undefined;
}
