/** How much is spent on what: from the user's figures as far as they go, from labelled assumptions beyond. */
import { BUCKETS, type Bucket, LABELS, type Scope, type Spend, totalOf } from "./buckets.ts";
import type { Change } from "./facts/changes.ts";
import type { Understanding } from "./facts/facts.ts";
import { hourlyRate } from "./facts/fleets.ts";
import { type Facts, middle } from "./facts/message.ts";
import { HOURS_PER_MONTH } from "./facts/periods.ts";
import type { Intent } from "./intent.ts";
import { type Ledger, PLANNING, READING } from "./ledger.ts";
import { money } from "./money-text.ts";
import { percent } from "./tools/savings.ts";

/** Where the total comes from. */
export type Basis = "measured" | "stated" | "your rates" | "list prices" | "illustration";

export interface Allocation {
  readonly basis: Basis;
  readonly currency: string;
  readonly total: number;
  readonly spend: Spend;
  /** Other splits worth comparing; empty where the split is known. */
  readonly alternatives: ReadonlyArray<{ readonly name: string; readonly spend: Spend }>;
  /** Buckets whose amount is assumed, not stated, with the id of the assumption. */
  readonly assumed: Assumed;
  /** Assumptions the split rests on. */
  readonly ids: readonly string[];
  /** What was supposed, and what it alone makes of the total. */
  readonly changed?: Changed;
}

export interface Changed {
  readonly said: string;
  readonly what: string;
  readonly before: number;
  readonly after: number;
  readonly total_before: number;
  /** How busy the GPUs are then, if the work stays the same; above 1 it does not fit. */
  readonly utilisation?: number;
}

export type Assumed = Readonly<Partial<Record<Bucket, string>>>;

/** What a bill of unknown make-up is taken to consist of. */
const SPLIT: Spend = { llm_api: 0.5, gpu: 0.35, platform: 0.15 };
const FULL_SPLIT: Spend = { llm_api: 0.4, gpu: 0.25, training: 0.15, data: 0.12, platform: 0.08 };
const CLOUD_SPLIT: Spend = { gpu: 0.65, data: 0.2, platform: 0.15 };
const ALTERNATIVES: ReadonlyArray<readonly [string, Spend]> = [
  ["mostly LLM APIs (75/10/15)", { llm_api: 0.75, gpu: 0.1, platform: 0.15 }],
  ["mostly GPUs (20/65/15)", { llm_api: 0.2, gpu: 0.65, platform: 0.15 }],
];

/** Round, and nobody takes it for their own bill. */
const ILLUSTRATION = 10_000;

/** Of GPUs nobody has measured. */
const USUAL_UTILISATION = 0.45;

export interface Setting extends Understanding {
  readonly intent: Intent;
  readonly ledger: Ledger;
  readonly measured: boolean;
  /** What the tokens that were named cost at list prices. */
  readonly tokenCost: number;
}

export function allocate(setting: Setting): Allocation {
  return setting.now.changes.reduce((each, change) => supposed(each, change, setting), asIs(setting));
}

/** "If we cut GPU hours by half": the spend on it is less, and so is the total. */
function supposed(
  allocation: Allocation,
  { scope, factor, said }: Change,
  { facts, ledger }: Setting,
): Allocation {
  const { spend, total } = allocation;
  const found = BUCKETS.filter((bucket) => bucket === scope && spend[bucket]);
  // What is trained on is GPUs too, where nothing else is.
  const meant = found.length > 0 ? found : scope === "gpu" && spend.training ? (["training"] as const) : [];
  if (meant.length === 0 && scope !== undefined && scope !== "cloud") return allocation;
  const hit = (bucket: Bucket) => meant.length === 0 || meant.some((each) => each === bucket);
  const changed = Object.fromEntries(
    BUCKETS.flatMap((bucket) =>
      spend[bucket] ? [[bucket, spend[bucket] * (hit(bucket) ? factor : 1)]] : [],
    ),
  );
  const [before, after] =
    meant.length === 0 ? [total, total * factor] : [sumOf(spend, meant), sumOf(spend, meant) * factor];
  const what = meant.length === 0 ? "the bill" : meant.map((bucket) => LABELS[bucket]).join(" and ");
  const { utilisation: now } = facts.percents;
  const used = scope === "gpu" && factor > 0 && factor < 1 ? (now ?? USUAL_UTILISATION) / factor : undefined;
  const load =
    used !== undefined && now === undefined
      ? [ledger.assume(`GPUs are ${percent(USUAL_UTILISATION)} used now`, PLANNING)]
      : [];
  const id = ledger.assume(`“${said}” is read as ${what} × ${Math.round(factor * 100) / 100}`, READING);
  return {
    ...allocation,
    spend: changed,
    total: total - before + after,
    alternatives: [],
    ids: [...allocation.ids, ...load, id],
    changed: {
      said,
      what,
      before,
      after,
      total_before: allocation.changed?.total_before ?? total,
      ...(used !== undefined && { utilisation: used }),
    },
  };
}

function sumOf(spend: Spend, buckets: readonly Bucket[]): number {
  return buckets.reduce((sum, bucket) => sum + (spend[bucket] ?? 0), 0);
}

function asIs(setting: Setting): Allocation {
  const { facts, intent, ledger, measured } = setting;
  const { currency = "USD" } = facts;
  const { spend: known, assumed } = knownSpend(setting);
  const sum = totalOf(known);
  const total = Math.max(facts.total ? middle(facts.total) : sum + facts.rest, sum) || ILLUSTRATION;
  const own = (facts.gpu_rate ?? facts.token_rate) !== undefined && setting.tokenCost === 0;
  const worked = sum > 0 ? (own ? "your rates" : "list prices") : "illustration";
  const stated = facts.currency === undefined ? worked : "stated";
  const basis = measured ? "measured" : stated;
  noteReading(facts, ledger);
  if (basis === "illustration")
    ledger.assume(`${money(total, currency)} a month is an illustration, not your bill`, PLANNING);
  // Data that fits no bucket stays outside, where some does: nothing is assumed about it.
  const rest = measured && sum > 0 ? { split: {}, assumed: {} } : restSplit(setting, known, total - sum);
  const compared =
    basis === "stated" && sum === 0 && facts.absent.length === 0 && intent === "overview" ? ALTERNATIVES : [];
  return {
    basis,
    currency,
    total,
    spend: plus(known, rest.split, total - sum),
    alternatives: compared.map(([name, parts]) => ({ name, spend: plus({}, parts, total) })),
    assumed: { ...assumed, ...rest.assumed },
    ids: ledger.entries.map(({ id }) => id),
  };
}

/** How what is not known is divided. */
function restSplit({ facts, now, intent, ledger }: Setting, known: Spend, rest: number) {
  // A total given with a question about one thing is the cost of that thing, unless it was said to be for all.
  const own = totalOf(known) === 0 && (facts.total === undefined || now.total?.general === false);
  const without = Object.fromEntries(facts.absent.map((bucket) => [bucket, 1]));
  const about = own ? bucketOf(intent) : undefined;
  const focus = about && facts.absent.includes(about) ? undefined : about;
  const split = focus === undefined ? openSplit({ ...known, ...without }, intent) : { [focus]: 1 };
  const open = rest > 1 && (focus === undefined || facts.total !== undefined);
  return { split, assumed: open ? assumeSplit(split, rest, facts, ledger) : {} };
}

function assumeSplit(split: Spend, amount: number, { currency = "USD" }: Facts, ledger: Ledger): Assumed {
  const id = ledger.assume(splitText(split, amount, currency), PLANNING);
  return Object.fromEntries(Object.keys(split).map((bucket) => [bucket, id]));
}

export function bucketOf(intent: Intent): Bucket | undefined {
  return BUCKETS.find((bucket) => bucket === intent);
}

/** Parts that were named, shares of the total, and what a fleet or a token volume costs at list prices. */
function knownSpend({ facts, intent, ledger, measured, tokenCost }: Setting) {
  const { percents, total, currency = "USD" } = facts;
  const parts = facts.parts.filter(({ scope }) => facts.absent.every((bucket) => bucket !== scope));
  let spend: Spend = {};
  let assumed: Assumed = {};
  let room = total ? middle(total) : Number.POSITIVE_INFINITY;
  const add = (scope: Scope, wanted: number) => {
    const amount = Math.min(wanted, room);
    const split = scope === "cloud" ? CLOUD_SPLIT : { [scope]: 1 };
    if (scope === "cloud") assumed = assumeSplit(split, amount, facts, ledger);
    spend = plus(spend, split, amount);
    room -= amount;
  };
  for (const { scope, amount } of parts) add(scope, amount);
  for (const { share, scope = "llm_api" } of total ? percents.shares : []) {
    if (parts.every((part) => part.scope !== scope)) add(scope, share * (total ? middle(total) : 0));
  }
  // List prices are in dollars and nothing is converted; parts without a total are the whole bill already.
  if (!measured && currency === "USD" && (parts.length === 0 || total)) {
    if (!spend.llm_api && facts.tokens && facts.token_rate !== undefined)
      add("llm_api", (facts.tokens.total / 1e6) * facts.token_rate);
    if (!spend.llm_api && tokenCost > 0) add("llm_api", tokenCost);
    const fleet = intent === "training" ? intent : "gpu";
    if (!spend.gpu && !spend.training && facts.gpus.length > 0 && !(total && intent === fleet))
      add(fleet, fleetCost(facts, ledger));
  }
  if (percents.rest && total && room > 0 && !(percents.rest in spend)) add(percents.rest, room);
  return { spend, assumed };
}

const NO_GPU = { count: 0, type: "" };

function fleetCost({ gpus, fleets, hours, gpu_rate }: Facts, ledger: Ledger): number {
  if (hours === undefined)
    ledger.assume(`GPUs are paid for all ${HOURS_PER_MONTH} hours of a month`, PLANNING);
  const each = fleets.length > 0 ? fleets : gpus.map((own) => ({ gpus: [own], purchase: undefined }));
  return each.reduce((sum, { gpus: [{ count, type } = NO_GPU], purchase }) => {
    const listed = hourlyRate({ type, purchase }, ledger.prices);
    if (gpu_rate === undefined)
      ledger.rated(`${type} at ${money(listed, "USD")} an hour ${purchase ?? "on demand"}`);
    return sum + count * (hours ?? HOURS_PER_MONTH) * (gpu_rate ?? listed);
  }, 0);
}

function noteReading({ total, tokens, currency, currency_stated, absent }: Facts, ledger: Ledger): void {
  if (absent.length > 0)
    ledger.assume(`${absent.map((each) => LABELS[each]).join(" and ")}: none, as you said`, READING);
  if (currency && !currency_stated)
    ledger.assume("No currency was named; amounts are read as US dollars", READING);
  if (tokens?.period_stated === false) ledger.assume(`${tokens.said} is read as per month`, READING);
  if (total === undefined) return;
  if (total.period === undefined) ledger.assume(`${total.said} is read as per month`, READING);
  if (total.low < total.high) ledger.assume(`${total.said} is taken at its middle`, READING);
  if (total.role !== "spend")
    ledger.assume(`${total.said} (${total.role}) stands for the current spend`, READING);
}

/** The usual split, without what is known already. */
function openSplit(known: Spend, intent: Intent): Spend {
  const usual = /audit|training|data/.test(intent) ? FULL_SPLIT : SPLIT;
  const open = BUCKETS.filter((bucket) => usual[bucket] && !known[bucket]);
  const sum = open.reduce((all, bucket) => all + (usual[bucket] ?? 0), 0);
  return sum > 0
    ? Object.fromEntries(open.map((bucket) => [bucket, (usual[bucket] ?? 0) / sum]))
    : { platform: 1 };
}

function plus(spend: Spend, split: Spend, amount: number): Spend {
  const sums = BUCKETS.map(
    (bucket) => [bucket, (spend[bucket] ?? 0) + amount * (split[bucket] ?? 0)] as const,
  );
  return Object.fromEntries(sums.filter(([, sum]) => sum > 0));
}

function splitText(split: Spend, amount: number, currency: string): string {
  const buckets = BUCKETS.filter((bucket) => split[bucket]);
  const parts = buckets.map((bucket) => `${Math.round((split[bucket] ?? 0) * 100)} % ${LABELS[bucket]}`);
  return `${money(amount, currency)} without a breakdown is ${parts.join(", ")}`;
}
