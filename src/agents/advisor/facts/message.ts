/** Everything one message says in figures. */
import type { Bucket, Scope } from "../buckets.ts";
import type { PriceTable } from "../prices.ts";
import { absentIn } from "./absent.ts";
import { type Amount, readAmounts } from "./amounts.ts";
import { type Change, readChanges } from "./changes.ts";
import { statedFleets } from "./fleets.ts";
import { type Gpus, readHardware } from "./hardware.ts";
import { readModels, standInFor } from "./models.ts";
import { withDigits } from "./numbers.ts";
import { type PercentFacts, readPercents } from "./percents.ts";
import { committedIn, type Purchase } from "./purchase.ts";
import { refusedIn } from "./refused.ts";
import { readTokens, type Tokens } from "./tokens.ts";
import { readTraining, type TrainingFacts } from "./training.ts";

/** Spend per month on one thing. */
export interface Part {
  readonly scope: Scope;
  readonly amount: number;
  readonly transfer?: boolean;
}

export interface Facts {
  /** Spend on everything, per month. */
  readonly total: Amount | undefined;
  readonly parts: readonly Part[];
  /** Spend said to go elsewhere, on top of the parts. */
  readonly rest: number;
  readonly currency: string | undefined;
  readonly currency_stated: boolean;
  /** Said not to be there. */
  readonly absent: readonly Bucket[];
  /** Amounts in a second currency, which is not converted. */
  readonly left_out: readonly string[];
  readonly target: number | undefined;
  readonly gpu_rate: number | undefined;
  /** Per million tokens. */
  readonly token_rate: number | undefined;
  readonly gpus: readonly Gpus[];
  readonly hours: number | undefined;
  readonly committed: boolean;
  /** Of the GPUs, where some are and some are not. */
  readonly committed_part: number;
  /** GPUs by type, each with its own load and cost, where an inventory tells them apart. */
  readonly fleets: ReadonlyArray<FleetFacts & { readonly cost: number }>;
  readonly percents: PercentFacts;
  readonly models: readonly string[];
  /** Priced like it where none is named. */
  readonly stand_in: string | undefined;
  readonly tokens: Tokens | undefined;
  readonly training: TrainingFacts;
  /** Amounts that can be no spend: negative ones, and ones beyond reason. */
  readonly refused: readonly string[];
  /** Figures beside words about paying that count nowhere, and loads above 100 %. */
  readonly unused: readonly string[];
  /** "What if GPU hours were halved": by what the spend on something is multiplied. */
  readonly changes: readonly Change[];
}

/** What is known of some GPUs. */
export interface FleetFacts {
  readonly gpus: readonly Gpus[];
  readonly utilisation: number | undefined;
  readonly committed: boolean;
  readonly committed_part: number;
  readonly purchase?: Purchase | undefined;
}

/** Prose longer than this is not read on: nobody hides their bill there. */
export const MAX_PROSE_CHARS = 8_000;

/** `follows` where amounts were named before, which a bare number may correct. */
export function readMessage(message: string, table?: PriceTable, follows = false): Facts {
  const whole = withDigits(message.slice(0, MAX_PROSE_CHARS).normalize("NFKC"));
  const { absent, rest: text } = absentIn(whole);
  const { refused, rest: sound } = refusedIn(text);
  const { models, rest: withoutModels } = readModels(sound, table);
  const { changes, rest: unchanged } = readChanges(withoutModels);
  const { training, rest: untrained } = readTraining(unchanged);
  const { tokens, rest: withoutTokens } = readTokens(untrained);
  const { rest: withoutHardware, each, ...hardware } = readHardware(withoutTokens);
  const { rest, percents, refused: overfull } = readPercents(withoutHardware, text, table);
  const { amounts, unused } = readAmounts(rest, text, follows);
  const { utilisation = percents.utilisation, ...fleets } = statedFleets(each, committedIn(text), table);
  return {
    ...money(amounts),
    absent,
    ...hardware,
    ...fleets,
    percents: { ...percents, ...(utilisation !== undefined && { utilisation }) },
    models,
    stand_in: standInFor(text),
    tokens,
    training,
    refused,
    unused: [...unused, ...overfull, ...notSpend(amounts)],
    changes,
  };
}

/** Where no spend is named, what the amounts were that are none. */
function notSpend(amounts: readonly Amount[]): readonly string[] {
  const spend = amounts.some(({ role }) => role === "spend" || role === "budget" || role.endsWith("_rate"));
  return spend ? [] : amounts.map(({ said }) => said);
}

type MoneyFacts = Pick<
  Facts,
  | "total"
  | "parts"
  | "rest"
  | "currency"
  | "currency_stated"
  | "left_out"
  | "target"
  | "gpu_rate"
  | "token_rate"
>;

function money(amounts: readonly Amount[]): MoneyFacts {
  const paid = amounts.some(({ role }) => role === "spend") ? "spend" : "budget";
  const spend = amounts.filter(({ role }) => role === paid);
  const main = spend.find(({ scope }) => scope === undefined) ?? spend[0];
  const same = spend.filter(({ currency }) => currency === main?.currency);
  const totals = same.filter(({ scope }) => scope === undefined);
  const parts = partsOf(same);
  const sum = parts.reduce((total, { amount }) => total + amount, 0);
  const total = totals.find(({ general }) => general) ?? totals.toSorted((a, b) => b.high - a.high)[0];
  const first = (fits: (each: Amount) => boolean) => amounts.filter(fits).map(middle)[0];
  const extra = total !== undefined && middle(total) < sum * 0.98;
  return {
    total: extra ? undefined : total,
    parts,
    rest: extra && !total.general ? middle(total) : 0,
    currency: main?.currency,
    currency_stated: main?.currency_stated ?? false,
    left_out: spend.filter(({ currency }) => currency !== main?.currency).map(({ said }) => said),
    target: first(
      ({ role, currency }) =>
        currency === (main?.currency ?? currency) &&
        (role === "target" || (role === "budget" && paid === "spend")),
    ),
    gpu_rate: first(({ role }) => role === "gpu_rate"),
    token_rate: first(({ role }) => role === "token_rate"),
  };
}

export function middle({ low, high }: Amount): number {
  return (low + high) / 2;
}

/** "$50k a month on GPUs, so $600k a year on GPUs" is said twice, not spent twice. */
function partsOf(spend: readonly Amount[]): readonly Part[] {
  return spend.flatMap((each, index) => {
    const again = (earlier: Amount) =>
      earlier.scope === each.scope &&
      earlier.period !== each.period &&
      Math.abs(middle(earlier) / middle(each) - 1) < 0.02;
    const { scope, transfer } = each;
    return scope === undefined || spend.slice(0, index).some(again)
      ? []
      : [{ scope, amount: middle(each), transfer }];
  });
}
