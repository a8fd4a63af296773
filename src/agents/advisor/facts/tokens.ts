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

/** "6,000/300 tokens". */
const PAIR = new RegExp(`${AMOUNT} ?\\/ ?(${NUMBER}) ?(${SUFFIX})? (?:input ?\\/ ?output )?tokens\\b`, "gi");

/** What tokens are spent on one by one. */
const ITEMS = new RegExp(
  `${AMOUNT} +(?!tokens?\\b)(?:[a-z-]+ )?(?:queries|${ITEM}s)\\b(?: ?${PERIOD})?`,
  "gi",
);
const EACH = new RegExp(
  `\\beach\\b(?! (?:day|week|month))|(?:\\/|\\b(?:per|an?|every)) ?${ITEM}\\b|s of (?:about |around |~)?\\d`,
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
  readonly single: string | undefined;
  readonly said: string;
}

export function readTokens(text: string): { readonly tokens: Tokens | undefined; readonly rest: string } {
  const read = (from: string) => mask(mask(from, UNIT).rest, VOLUME);
  const volumes = read(text.replace(PAIR, "$1$2 input $3$4 output tokens")).matches.flatMap(
    ([said, digits = "", suffix, direction = "", prefix = direction, single, unit, adverb]) => {
      const count = parseNumber(digits, suffix);
      const period = periodOf(unit ?? adverb);
      return count ? [{ count, direction: prefix.toLowerCase(), period, single, said: said.trim() }] : [];
    },
  );
  const { matches, rest } = mask(read(mask(text, PAIR).rest).rest, ITEMS);
  const [item] = matches;
  const tokens = item && multiplied(volumes, item, text);
  const whole = inTotal(volumes.filter(({ single }) => !single));
  const few = !whole.period_stated && whole.total < MIN_VOLUME;
  return { tokens: tokens ?? (few || whole.total === 0 ? undefined : whole), rest };
}

/** Tokens with a period of their own are all there are; so are more than one call can take. */
function multiplied(volumes: readonly Volume[], item: RegExpExecArray, text: string): Tokens | undefined {
  const [said, digits = "", suffix, unit, adverb] = item;
  const count = parseNumber(digits, suffix) ?? 0;
  const most = Math.max(0, ...volumes.map((each) => each.count));
  const own = volumes.some(({ period, single }) => period && !single);
  if (most === 0 || most > MAX_EACH || own || !(EACH.test(text) || most < count * MIN_EACH)) return undefined;
  // "Every day 50k documents."
  const period = periodOf(unit ?? adverb) ?? periodIn(text.slice(Math.max(0, item.index - 30), item.index));
  const times = (tokens = 0) => tokens * count * PER_MONTH[period ?? "month"] || undefined;
  const { input, output, total, said: each } = inTotal(volumes);
  return {
    input: times(input),
    output: times(output),
    total: times(total) ?? 0,
    period_stated: period !== undefined,
    said: `${said.trim()} × ${each}`,
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
    said: volumes.map(({ said }) => said).join(" and "),
  };
}
