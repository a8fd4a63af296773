/** Everything one message says in figures. */
import type { Bucket, Scope } from "../buckets.ts";
import type { PriceTable } from "../prices.ts";
import { absentIn } from "./absent.ts";
import { type Amount, readAmounts } from "./amounts.ts";
import { type Change, readChanges } from "./changes.ts";
import { type Fleet, hourlyRate } from "./fleets.ts";
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
  readonly committed_part?: number;
  /** GPUs by type, each with its own load and cost, where an inventory tells them apart. */
  readonly fleets?: ReadonlyArray<FleetFacts & { readonly cost: number }>;
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
  const { utilisation = percents.utilisation, ...fleets } = fleetFacts(each, committedIn(text), table);
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

/** Apart where loads or terms differ. Spot capacity is taken to be committed: there is nothing to commit to. */
function fleetFacts(each: readonly Fleet[], committed: boolean, table?: PriceTable) {
  const sum = (of: (fleet: Fleet) => number) => each.reduce((all, fleet) => all + of(fleet), 0);
  const seen = sum(({ count, utilisation }) => (utilisation === undefined ? 0 : count));
  const busy = sum(({ count, utilisation = 0 }) => count * utilisation);
  const told = each.some(({ purchase }) => purchase !== undefined);
  const all = told ? each.every(bound) : committed;
  return {
    ...(seen > 0 && { utilisation: busy / seen }),
    committed: all,
    committed_part: told ? sum((fleet) => (bound(fleet) ? fleet.count : 0)) / sum(({ count }) => count) : 0,
    fleets:
      told || (seen > 0 && each.length > 1)
        ? each.map(({ utilisation, purchase, ...gpus }) => ({
            gpus: [gpus],
            utilisation,
            purchase,
            committed: told ? bound({ ...gpus, purchase }) : committed,
            committed_part: 0,
            cost: gpus.count * hourlyRate({ ...gpus, purchase }, table),
          }))
        : [],
  };
}

function bound({ purchase }: Fleet): boolean {
  return purchase === "reserved" || purchase === "spot";
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
        currency === main?.currency && (role === "target" || (role === "budget" && paid === "spend")),
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
    const { scope } = each;
    return scope === undefined || spend.slice(0, index).some(again) ? [] : [{ scope, amount: middle(each) }];
  });
}
