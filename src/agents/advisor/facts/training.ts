/** The size of a training run: "a 7B model on 300B tokens in 12 days". */
import { mask } from "./mask.ts";
import { NUMBER, parseNumber } from "./numbers.ts";

export interface TrainingFacts {
  readonly params?: number;
  /** Tokens the run sees. */
  readonly tokens?: number;
  readonly seconds?: number;
}

const PARAMS = new RegExp(
  `\\b(${NUMBER}) ?([mbt]) ?-?(?:param\\w*|models?\\b|llms?\\b|transformer|(?=on ${NUMBER} ?[bt]\\w* tokens))`,
  "gi",
);
const SEEN = new RegExp(
  `\\b(?:on|over|sees?|with) (${NUMBER}) ?(billion|trillion|[mbt]) tokens\\b(?! ?(?:\\/|per|a|each))`,
  "gi",
);
const TIME = new RegExp(
  `\\b(?:in|takes?|took|for|over) (?:about )?(${NUMBER}) (hours?|days?|weeks?)\\b`,
  "gi",
);

const SECONDS: Readonly<Record<string, number>> = { h: 3_600, d: 86_400, w: 604_800 };

export function readTraining(text: string): { readonly training: TrainingFacts; readonly rest: string } {
  const params = mask(text, PARAMS);
  const [size] = params.matches;
  if (size === undefined) return { training: {}, rest: text };
  const seen = mask(params.rest, SEEN);
  const time = mask(seen.rest, TIME);
  const [, count = "", unit] = size;
  const [, tokens = "", scale] = seen.matches[0] ?? [];
  const [, length = "", period = ""] = time.matches[0] ?? [];
  const [parameters, sample] = [parseNumber(count, unit), parseNumber(tokens, scale)];
  const seconds = (parseNumber(length) ?? 0) * (SECONDS[period.charAt(0).toLowerCase()] ?? 0);
  return {
    training: {
      ...(parameters && { params: parameters }),
      ...(sample && { tokens: sample }),
      ...(seconds > 0 && { seconds }),
    },
    rest: time.rest,
  };
}
