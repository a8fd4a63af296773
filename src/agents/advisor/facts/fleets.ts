/** GPUs of which something is said that is not said of others, as prose and inventories have it. */
import { gpuRate, type PriceTable } from "../prices.ts";
import { clamp } from "../tools/savings.ts";
import type { FleetFacts } from "./message.ts";
import type { Purchase } from "./purchase.ts";

export interface Fleet {
  readonly count: number;
  /** "GPU" where the text names no type. */
  readonly type: string;
  readonly utilisation?: number | undefined;
  readonly purchase?: Purchase | undefined;
}

/** GPUs of one kind, and how many of them are committed. */
export interface Kind {
  readonly type: string;
  readonly gpus: number;
  readonly committed: number;
  readonly utilisation?: number | undefined;
}

/** All of them together: loads are weighted by GPUs. */
export function factsOf(fleet: readonly Kind[]): FleetFacts {
  const counts = (of: (each: Kind) => number) => fleet.reduce((sum, each) => sum + of(each), 0);
  const seen = counts(({ gpus, utilisation }) => (utilisation === undefined ? 0 : gpus));
  const committed_part = clamp(counts(({ committed }) => committed) / (counts(({ gpus }) => gpus) || 1));
  return {
    gpus: fleet.map(({ type, gpus: count }) => ({ type, count })),
    utilisation:
      seen > 0 ? clamp(counts(({ gpus, utilisation = 0 }) => gpus * utilisation) / seen) : undefined,
    committed: committed_part === 1,
    committed_part,
  };
}

/** Apart where loads or terms differ; what is said of all is of those nothing else is said of. */
export function statedFleets(each: readonly Fleet[], committed: boolean, table?: PriceTable) {
  const told = each.some(({ purchase }) => purchase !== undefined);
  const kinds = each.map(({ count, type, utilisation, purchase }) => ({
    type,
    gpus: count,
    // There is nothing to commit to on spot.
    committed: (told ? purchase && purchase !== "on demand" : committed) ? count : 0,
    utilisation,
    purchase,
    cost: count * hourlyRate({ type, purchase }, table),
  }));
  const { gpus: _, ...all } = factsOf(kinds);
  const apart = told || (each.length > 1 && all.utilisation !== undefined);
  return {
    ...all,
    committed: kinds.length > 0 ? all.committed : committed,
    fleets: apart ? kinds.map(({ purchase, cost, ...kind }) => ({ ...factsOf([kind]), purchase, cost })) : [],
  };
}

/** $ per GPU-hour where the type is not known. */
const ANY_GPU_RATE = { on_demand: 2.5, committed: 2.5 };

/** What spot costs, of the rate on demand. */
const SPOT_RATE = 0.4;

export function hourlyRate({ type, purchase }: Pick<Fleet, "type" | "purchase">, table?: PriceTable): number {
  const { on_demand, committed } = gpuRate(type, table) ?? ANY_GPU_RATE;
  return purchase === "spot" ? on_demand * SPOT_RATE : purchase === "reserved" ? committed : on_demand;
}
