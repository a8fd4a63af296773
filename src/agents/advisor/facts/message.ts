/** Everything one message says in figures. */
import type { Scope } from "../buckets.ts";
import { type Amount, readAmounts } from "./amounts.ts";
import { type Gpus, readHardware } from "./hardware.ts";
import { readModels } from "./models.ts";
import { type PercentFacts, readPercents } from "./percents.ts";
import type { Role } from "./roles.ts";
import { readTokens, type Tokens } from "./tokens.ts";

/** Spend per month on one thing. */
export interface Part {
  readonly scope: Scope;
  readonly amount: number;
}

export interface Facts {
  /** Spend on everything, per month. */
  readonly total: Amount | undefined;
  readonly parts: readonly Part[];
  /** Spend said to go elsewhere, on top of the parts. */
  readonly rest: number;
  readonly currency: string | undefined;
  readonly currency_stated: boolean;
  /** Amounts in a second currency, which is not converted. */
  readonly left_out: readonly string[];
  readonly target: number | undefined;
  /** Monthly saving wished for. */
  readonly goal: number | undefined;
  readonly gpu_rate: number | undefined;
  readonly gpus: readonly Gpus[];
  readonly hours: number | undefined;
  readonly committed: boolean;
  readonly percents: PercentFacts;
  readonly models: readonly string[];
  readonly unpriced: readonly string[];
  readonly tokens: Tokens | undefined;
}

/** Prose longer than this is not read on: nobody hides their bill there. */
const MAX_PROSE_CHARS = 8_000;

const NUMBER_WORDS: Readonly<Record<string, number>> = {
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  twelve: 12,
  fifteen: 15,
  sixteen: 16,
  twenty: 20,
  thirty: 30,
  forty: 40,
  fifty: 50,
  sixty: 60,
  eighty: 80,
  hundred: 100,
};

export function readMessage(message: string): Facts {
  const text = inDigits(message.slice(0, MAX_PROSE_CHARS).normalize("NFKC"));
  const { models, unpriced, rest: withoutModels } = readModels(text);
  const { tokens, rest: withoutTokens } = readTokens(withoutModels);
  const { rest: withoutHardware, ...hardware } = readHardware(withoutTokens);
  const { rest, ...percents } = readPercents(withoutHardware, text);
  const amounts = readAmounts(rest, text);
  const committed =
    /\b(?:reserved|committed|savings plans?|cuds?)\b/i.test(text) &&
    !/\b(?:no|not|un|non)[\s-]?(?:reserved|committed)|on.demand/i.test(text);
  return {
    ...money(amounts),
    ...hardware,
    committed,
    percents,
    models,
    unpriced,
    tokens,
  };
}

function inDigits(text: string): string {
  return text.replace(/\b[a-z]{3,7}\b/gi, (word) => String(NUMBER_WORDS[word.toLowerCase()] ?? word));
}

type MoneyFacts = Pick<
  Facts,
  "total" | "parts" | "rest" | "currency" | "currency_stated" | "left_out" | "target" | "goal" | "gpu_rate"
>;

function money(amounts: readonly Amount[]): MoneyFacts {
  const role = (["spend", "budget", "previous", "projected"] as const).find((each) =>
    amounts.some((a) => a.role === each),
  );
  const spend = amounts.filter((each) => each.role === role);
  const main = spend.find(({ scope }) => scope === undefined) ?? spend[0];
  const same = spend.filter(({ currency }) => currency === main?.currency);
  const totals = same.filter(({ scope }) => scope === undefined);
  const parts = partsOf(same);
  const sum = parts.reduce((total, { amount }) => total + amount, 0);
  const total = totals.find(({ general }) => general) ?? totals.toSorted((a, b) => b.high - a.high)[0];
  const first = (wanted: Role, like?: Amount) => {
    const found = amounts.find(
      (each) => each.role === wanted && (like === undefined || each.currency === like.currency),
    );
    return found && middle(found);
  };
  const extra = total !== undefined && middle(total) < sum * 0.98;
  return {
    total: extra ? undefined : total,
    parts,
    rest: extra && !total.general ? middle(total) : 0,
    currency: main?.currency,
    currency_stated: main?.currency_stated ?? false,
    left_out: spend.filter(({ currency }) => currency !== main?.currency).map(({ said }) => said),
    target: first("target", main) ?? (role === "spend" ? first("budget", main) : undefined),
    goal: first("goal", main),
    gpu_rate: first("gpu_rate"),
  };
}

export function middle({ low, high }: Amount): number {
  return (low + high) / 2;
}

/** "$50k a month on GPUs, so $600k a year on GPUs" is said twice, not spent twice. */
function partsOf(spend: readonly Amount[]): readonly Part[] {
  const scoped = spend.filter(
    (each, index) =>
      !spend
        .slice(0, index)
        .some(
          (earlier) =>
            earlier.scope === each.scope &&
            earlier.period !== each.period &&
            Math.abs(middle(earlier) / middle(each) - 1) < 0.02,
        ),
  );
  return scoped.flatMap((each) =>
    each.scope === undefined ? [] : [{ scope: each.scope, amount: middle(each) }],
  );
}
