/** Token volumes: "200M tokens/day", "200M input and 40M output tokens per day". */
import { mask } from "./mask.ts";
import { NUMBER, parseNumber, SUFFIX } from "./numbers.ts";
import { PER_MONTH, PERIOD, type Period, periodOf } from "./periods.ts";

/** Tokens per month. */
export interface Tokens {
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly total: number;
  /** False where the text named no period, so "per month" is a guess. */
  readonly period_stated: boolean;
  readonly said: string;
}

const VOLUME = new RegExp(
  `(?<![$€£\\d.,])(${NUMBER}) ?(${SUFFIX})? +(?:(input|prompt|output|completion)(?: tokens?)?|tokens?)\\b(?! ?(?:\\/|per|a|each) ?(?:request|call|query|message))(?: ?${PERIOD})?`,
  "gi",
);

/** "Per 1M tokens" is what a price is for, not how many there are. */
const UNIT = new RegExp(
  `(?:\\bper|\\/) ?${NUMBER} ?(?:${SUFFIX})?(?: ?(?:input|output|cached))? tokens?\\b`,
  "gi",
);

interface Volume {
  readonly count: number;
  readonly direction: string;
  readonly period: Period | undefined;
  readonly said: string;
}

export function readTokens(text: string): { readonly tokens: Tokens | undefined; readonly rest: string } {
  const { matches, rest } = mask(mask(text, UNIT).rest, VOLUME);
  const volumes = matches.flatMap(
    ([said, digits = "", suffix, direction = "", unit, adverb]): readonly Volume[] => {
      const count = parseNumber(digits, suffix);
      const period = periodOf(unit ?? adverb);
      return count === undefined
        ? []
        : [{ count, direction: direction.toLowerCase(), period, said: said.trim() }];
    },
  );
  return { tokens: volumes.length > 0 ? inTotal(volumes) : undefined, rest };
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
