/** What the user has said in figures over the whole conversation; what is newer counts. */
import type { PriceTable } from "../prices.ts";
import { type Facts, middle, readMessage } from "./message.ts";
import { PER_MONTH } from "./periods.ts";

/** Older messages than this are about something else. */
export const MAX_USER_MESSAGES = 10;

export interface Understanding {
  readonly facts: Facts;
  /** What the question alone says. */
  readonly now: Facts;
}

export function understand(question: string, earlier: readonly string[], table?: PriceTable): Understanding {
  const read = (text: string, at = 0) => readMessage(text, table, at > 0);
  const before = earlier.map(read);
  const now = read(question, before.length);
  return {
    facts: [...before, now].reduce(combine),
    now,
  };
}

function combine(older: Facts, newer: Facts): Facts {
  // What is said later without naming GPUs is said of all there are.
  const again = newer.gpus.length > 0 ? newer : older;
  const load = again === older ? newer.percents.utilisation : undefined;
  const last = <T>(key: (facts: Facts) => readonly T[]) => (key(newer).length > 0 ? key(newer) : key(older));
  return {
    ...spendOf(older, newer),
    absent: [...older.absent, ...newer.absent].filter(
      (each) => newer.absent.includes(each) || newer.parts.every(({ scope }) => scope !== each),
    ),
    left_out: [...older.left_out, ...newer.left_out],
    target: newer.target ?? older.target,
    gpu_rate: newer.gpu_rate ?? older.gpu_rate,
    token_rate: newer.token_rate ?? older.token_rate,
    gpus: last(({ gpus }) => gpus),
    hours: newer.hours ?? older.hours,
    committed: newer.committed || (newer.gpus.length === 0 && older.committed),
    committed_part: again.committed_part,
    fleets: again.fleets.map((each) => ({ ...each, ...(load !== undefined && { utilisation: load }) })),
    percents: { ...older.percents, ...newer.percents, shares: last(({ percents }) => percents.shares) },
    models: last(({ models }) => models),
    stand_in: newer.stand_in ?? older.stand_in,
    tokens: newer.tokens ?? older.tokens,
    training: { ...older.training, ...newer.training },
    refused: newer.refused,
    unused: newer.unused,
    changes: newer.changes,
  };
}

type SpendFacts = Pick<Facts, "total" | "parts" | "rest" | "currency" | "currency_stated">;

/** A new total keeps the parts it can contain, new parts keep the total they fit in; another currency starts afresh. */
function spendOf(older: SpendFacts, newer: SpendFacts): SpendFacts {
  const { total, parts, rest, ...named } = newer.currency === undefined ? older : newer;
  // "We spend 80k instead" is in the currency named before.
  const same = named.currency_stated || !older.currency;
  const { currency, currency_stated } = same ? named : older;
  // "It's 700k" corrects "600k a year" by the year.
  const period = total?.period === undefined && older.total?.period;
  const factor = period ? PER_MONTH[period] : 1;
  const scaled = period && total && { ...total, period, low: total.low * factor, high: total.high * factor };
  const own = { total: scaled || total, parts, rest, currency, currency_stated };
  if (older.currency !== currency) return own;
  const kept = older.parts.filter(({ scope }) => parts.every((part) => part.scope !== scope));
  const all = { ...own, total: own.total ?? older.total, parts: [...kept, ...parts] };
  const sum = all.parts.reduce((each, { amount }) => each + amount, 0);
  return all.total === undefined || sum <= middle(all.total) ? all : own;
}
