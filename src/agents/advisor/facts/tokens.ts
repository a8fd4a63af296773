/** Token volumes: "200M tokens/day", "200M input and 40M output tokens per day", "2M calls of 6,000/300 tokens". */
import { mask } from "./mask.ts";
import { NUMBER, parseNumber, SUFFIX } from "./numbers.ts";
import { PER_MONTH, PERIOD, type Period, periodIn, periodOf } from "./periods.ts";

/** Tokens per month. */
export interface Tokens {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly total: number;
  /** False where the text named no period, so "per month" is a guess. */
  readonly period_stated: boolean;
  readonly said: string;
}

const AMOUNT = `(?<![$€£\\d.,])(${NUMBER}) ?(${SUFFIX})?`;
const ITEM =
  "(?:document|doc|call|request|prompt|message|query|chat|conversation|ticket|e-?mail|page|record)";

const VOLUME = new RegExp(
  `${AMOUNT}(?: +(input|prompt|output|completion)(?: tokens?)?|[ -]+tokens?(?: (?:system |shared )?(prompt|prefix))?)\\b( ?(?:\\/|per|an?|each|every) ?${ITEM}\\b)?(?: ?${PERIOD})?`,
  "gi",
);

/** "6,000/300 tokens", "6k in, 300 out". */
const PAIR = new RegExp(
  `${AMOUNT}(?: (?:tokens )?in)?(?: ?\\/ ?|(?<=\\bin),? (?:and )?)(${NUMBER}) ?(${SUFFIX})? (?:(?:input ?\\/ ?output )?tokens|(?:tokens )?out)\\b(?: ?${PERIOD})?`,
  "gi",
);

/** What tokens are spent on one by one. */
const ITEMS = new RegExp(
  `${AMOUNT} +(?!tokens?\\b)(?:[a-z-]+ )?(?:queries|${ITEM}s)\\b(?: ?${PERIOD})?`,
  "gi",
);
const EACH = new RegExp(
  `\\beach\\b(?! (?:day|week|month))|\\bapiece\\b|\\bon average\\b|(?:\\/|\\b(?:per|an?|every)) ?${ITEM}\\b|s of (?:about |around |~)?\\d`,
  "i",
);

/** No model takes more at once; so many calls with fewer tokens than this each there are not. */
const MAX_EACH = 2e6;
const MIN_EACH = 10;

/** Fewer, without a period, are those of one call. */
const MIN_VOLUME = 1e5;

/** "Per 1M tokens" is what a price is for, not how many there are. */
const UNIT = new RegExp(
  `(?:\\bper|\\/) ?${NUMBER} ?(?:${SUFFIX})?(?: ?(?:input|output|cached))? tokens?\\b`,
  "gi",
);

interface Volume {
  readonly count: number;
  readonly direction: string;
  readonly period: Period | undefined;
  /** Said to be of one call. */
  readonly single: boolean;
  readonly said: string;
}

export function readTokens(text: string): { readonly tokens: Tokens | undefined; readonly rest: string } {
  const pairs = mask(text, PAIR);
  const { matches, rest } = mask(mask(pairs.rest, UNIT).rest, VOLUME);
  const items = mask(rest, ITEMS);
  const volumes = [
    ...pairs.matches.flatMap(([said, into = "", k, out = "", m, ...period]) => [
      ...volume(into, k, { said, direction: "input", period }),
      ...volume(out, m, { said: "", direction: "output", period }),
    ]),
    ...matches.flatMap(([said, digits = "", suffix, direction, prefix, single, ...period]) =>
      volume(digits, suffix, { said, direction: direction ?? prefix ?? "", single, period }),
    ),
  ];
  const [found] = items.matches.flatMap((match) => itemsOf(match, text));
  if (found !== undefined && isProduct(found.count, volumes, text))
    return { tokens: multiplied(inTotal(volumes), found), rest: items.rest };
  const whole = volumes.filter(({ single }) => !single);
  const tokens = whole.length > 0 ? inTotal(whole) : undefined;
  const few = tokens?.period_stated === false && tokens.total < MIN_VOLUME;
  return { tokens: few ? undefined : tokens, rest };
}

interface Said {
  readonly said: string;
  readonly direction: string;
  readonly single?: string | undefined;
  readonly period: readonly unknown[];
}

function volume(
  digits: string,
  suffix: string | undefined,
  { said, direction, single, period }: Said,
): readonly Volume[] {
  const count = parseNumber(digits, suffix);
  const [unit] = period.filter((each) => typeof each === "string");
  return count === undefined
    ? []
    : [
        {
          count,
          direction: direction.toLowerCase(),
          period: periodOf(unit),
          single: single !== undefined,
          said: said.trim(),
        },
      ];
}

interface Items {
  readonly count: number;
  readonly period: Period | undefined;
  readonly said: string;
}

/** "50k documents a day", "every day 50k documents". */
function itemsOf([said, digits = "", suffix, unit, adverb]: RegExpExecArray, text: string): readonly Items[] {
  const count = parseNumber(digits, suffix);
  const at = text.indexOf(said);
  const period = periodOf(unit ?? adverb) ?? periodIn(text.slice(Math.max(0, at - 30), at));
  return count === undefined ? [] : [{ count, period, said: said.trim() }];
}

/** Tokens with a period of their own are all there are; so are more than one call can take. */
function isProduct(items: number, volumes: readonly Volume[], text: string): boolean {
  const most = Math.max(0, ...volumes.map(({ count }) => count));
  const own = volumes.some(({ period, single }) => period !== undefined && !single);
  return most > 0 && most <= MAX_EACH && !own && (EACH.test(text) || most < items * MIN_EACH);
}

function multiplied({ input, output, total, said }: Tokens, items: Items): Tokens {
  const each = items.count * PER_MONTH[items.period ?? "month"];
  return {
    input: input && input * each,
    output: output && output * each,
    total: total * each,
    period_stated: items.period !== undefined,
    said: `${items.said} × ${said}`,
  };
}

/** The last period stands for all: "200M input and 40M output tokens per day". */
function inTotal(volumes: readonly Volume[]): Tokens {
  const period = volumes.findLast((each) => each.period !== undefined)?.period;
  const of = (words: RegExp) => {
    const found = volumes.find(({ direction }) => words.test(direction));
    return found && found.count * PER_MONTH[found.period ?? period ?? "month"];
  };
  const [input, output] = [of(/^[ip]/), of(/^[oc]/)];
  return {
    input,
    output,
    total: of(/^$/) ?? (input ?? 0) + (output ?? 0),
    period_stated: period !== undefined,
    said: volumes.flatMap(({ said }) => said || []).join(" and "),
  };
}
