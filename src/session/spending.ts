/**
 * What models have cost the user, by UTC day and model, and whether a plan's
 * budget of the day is used up. What a run has cost counts on the day on which it
 * begins to wait or ends, in the transaction of that; nobody else's rows are touched.
 */
import { costOf, dollars } from "../agents/models/cost.ts";
import type { Usage } from "../agents/models/model.ts";
import type { Limits } from "../protocol/limits.ts";
import type { Prices } from "../protocol/prices.ts";
import { integer, optionalInteger, text } from "./rows.ts";
import type { DayUsage, Spent, UsageOverview, UsageReport } from "./rpc.ts";
import type { Storage } from "./storage.ts";
import type { Transaction } from "./transaction.ts";
import { totals } from "./usage.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Longer than a year, so that a bill can be compared with that of a year ago. */
const KEPT_MS = 400 * DAY_MS;

/** What is shown, today included. */
const SHOWN_DAYS = 30;

/** A budget that is used up. */
export interface Exceeded {
  readonly message: string;
  readonly limit: number;
  /** When the next day begins. */
  readonly retry_after_ms: number;
}

export class Spending {
  readonly #storage: Storage;
  readonly #prices: Prices;

  constructor(storage: Storage, prices: Prices) {
    this.#storage = storage;
    this.#prices = prices;
  }

  /** With what it costs today; a cost that is known already stays, whatever the prices are now. */
  readonly priced = (usage: Usage): Usage => {
    const cost_usd = usage.cost_usd ?? costOf(usage, this.#prices);
    return cost_usd === undefined ? usage : { ...usage, cost_usd };
  };

  /** What a run has cost that waits or ends here: one row for each model. @param usages one for each call */
  record(tx: Transaction, usages: readonly Usage[]): void {
    if (usages.length === 0) return;
    this.#storage.need("usage");
    for (const sum of totals(usages.map(this.priced))) {
      const { provider, model, cost_usd } = sum;
      const calls = usages.filter((one) => one.provider === provider && one.model === model).length;
      this.#storage.write(
        UPSERT,
        dayOf(tx.now),
        provider,
        model,
        calls,
        whole(sum.input_tokens),
        whole(sum.output_tokens),
        whole(sum.cached_input_tokens),
        whole(sum.reasoning_tokens),
        cost_usd ?? null,
      );
    }
  }

  /** Why nothing more may be spent today. @param besides what is in no row yet, looked up only if it matters */
  exceeded(limits: Limits, now: number, besides: () => readonly Usage[] = () => []): Exceeded | undefined {
    const { tokens_per_day: tokens, cost_usd_per_day: cost } = limits;
    if (tokens === undefined && cost === undefined) return undefined;
    const spent = sum([...this.#since(dayOf(now)), ...besides().map((one) => ({ ...one, calls: 1 }))]);
    const retry_after_ms = nextDay(now) - now;
    if (tokens !== undefined && spent.input_tokens + spent.output_tokens >= tokens) {
      const message = `the budget of ${tokens} tokens a day is used up`;
      return { message, limit: tokens, retry_after_ms };
    }
    if (cost === undefined || (spent.cost_usd ?? 0) < cost) return undefined;
    return { message: `the budget of ${cost} US dollars a day is used up`, limit: cost, retry_after_ms };
  }

  /** Everything there is, oldest first. */
  all(): DayUsage[] {
    return this.#since("");
  }

  overview(now: number): UsageOverview {
    const day = dayOf(now);
    const days = this.#since(dayOf(now - (SHOWN_DAYS - 1) * DAY_MS));
    const today = sum(days.filter((one) => one.day === day));
    return { day, today, last_30_days: sum(days), days: days.reverse() };
  }

  /** The same with what the plan allows. */
  report(limits: Limits, now: number): UsageReport {
    const overview = this.overview(now);
    const { tokens_per_day: tokens, cost_usd_per_day: cost } = limits;
    const { input_tokens, output_tokens, cost_usd = 0 } = overview.today;
    return {
      ...overview,
      budget: {
        ...(tokens !== undefined && { tokens_per_day: tokens }),
        ...(cost !== undefined && { cost_usd_per_day: cost }),
      },
      left: {
        ...(tokens !== undefined && { tokens: Math.max(0, tokens - input_tokens - output_tokens) }),
        ...(cost !== undefined && { cost_usd: Math.max(0, dollars(cost - cost_usd)) }),
      },
      resets_at: new Date(nextDay(now)).toISOString(),
    };
  }

  /** When the oldest day may go, milliseconds since the epoch. */
  goesAt(): number | undefined {
    if (!this.#exists()) return undefined;
    const [row] = this.#storage.read("SELECT day FROM usage ORDER BY day LIMIT 1");
    return row === undefined ? undefined : Date.parse(text(row, "day")) + KEPT_MS + DAY_MS;
  }

  /** Days are deleted that are kept long enough. Only inside a transaction. */
  trim(now: number): void {
    if (this.#exists()) this.#storage.write("DELETE FROM usage WHERE day < ?", dayOf(now - KEPT_MS));
  }

  #since(day: string): DayUsage[] {
    if (!this.#exists()) return [];
    return this.#storage
      .read("SELECT * FROM usage WHERE day >= ? ORDER BY day, provider, model", day)
      .map((row) => {
        const cost_usd = optionalInteger(row, "cost_usd");
        return {
          day: text(row, "day"),
          provider: text(row, "provider"),
          model: text(row, "model"),
          calls: integer(row, "calls"),
          input_tokens: integer(row, "input_tokens"),
          output_tokens: integer(row, "output_tokens"),
          cached_input_tokens: integer(row, "cached"),
          reasoning_tokens: integer(row, "reasoning"),
          ...(cost_usd !== undefined && { cost_usd: dollars(cost_usd) }),
        };
      });
  }

  /** Asked each time: a table that a transaction makes is gone again if that fails. */
  #exists(): boolean {
    return this.#storage.read("SELECT 1 FROM sqlite_master WHERE name = 'usage'").length > 0;
  }
}

/** A cost that is not known does not change what is known of the others. */
const UPSERT = `INSERT INTO usage (day, provider, model, calls, input_tokens, output_tokens, cached, reasoning, cost_usd)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day, provider, model) DO UPDATE SET calls = calls + excluded.calls,
  input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,
  cached = cached + excluded.cached, reasoning = reasoning + excluded.reasoning,
  cost_usd = CASE WHEN excluded.cost_usd IS NULL THEN cost_usd ELSE COALESCE(cost_usd, 0) + excluded.cost_usd END`;

type Counted = Pick<Usage, "input_tokens" | "output_tokens" | "cost_usd"> & { readonly calls: number };

function sum(usages: readonly Counted[]): Spent {
  const add = (count: (one: Counted) => number) => usages.reduce((total, one) => total + count(one), 0);
  const priced = usages.some(({ cost_usd }) => cost_usd !== undefined);
  return {
    calls: add(({ calls }) => calls),
    input_tokens: add(({ input_tokens }) => input_tokens),
    output_tokens: add(({ output_tokens }) => output_tokens),
    ...(priced && { cost_usd: dollars(add(({ cost_usd = 0 }) => cost_usd)) }),
  };
}

/** UTC, ISO 8601. */
function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

function nextDay(now: number): number {
  return (Math.floor(now / DAY_MS) + 1) * DAY_MS;
}

/** A feeder may say anything that is a number. */
function whole(count = 0): number {
  return Math.min(Math.round(count), Number.MAX_SAFE_INTEGER);
}
