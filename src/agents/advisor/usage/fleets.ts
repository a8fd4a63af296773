/** The GPUs of an inventory, by type: how many, how busy, how many of them committed. */
import { cents, clamp } from "../tools/savings.ts";
import type { Row } from "./row.ts";

/** GPUs of one type. */
export interface TypeOfGpu {
  readonly type: string;
  readonly gpus: number;
  readonly committed: number;
  /** Weighted by GPUs; absent where the inventory has none. */
  readonly utilisation?: number;
  /** GPUs used less than a tenth of the time. */
  readonly idle: number;
  readonly idle_cost: number;
  readonly monthly_cost: number;
}

export type Fleets = readonly TypeOfGpu[];

/** Used less than this, a GPU might as well be off. */
const IDLE_BELOW = 0.1;

export function fleetOf(rows: readonly Row[]): Fleets {
  const machines = rows.flatMap(({ fleet, cost }) => (fleet ? [{ ...fleet, cost }] : []));
  return [...Map.groupBy(machines, ({ type }) => type)]
    .map(([type, own]) => {
      const gpus = (fits: (each: (typeof own)[number]) => boolean) =>
        own.reduce((sum, each) => sum + (fits(each) ? each.count : 0), 0);
      const off = own.filter(({ utilisation }) => utilisation !== undefined && utilisation < IDLE_BELOW);
      const seen = gpus(({ utilisation }) => utilisation !== undefined);
      const busy = own.reduce((sum, { count, utilisation = 0 }) => sum + count * utilisation, 0);
      return {
        type,
        gpus: gpus(() => true),
        committed: gpus(({ committed }) => committed),
        ...(seen > 0 && { utilisation: clamp(busy / seen) }),
        idle: off.reduce((sum, each) => sum + each.count, 0),
        idle_cost: costOf(off),
        monthly_cost: costOf(own),
      };
    })
    .toSorted((a, b) => b.monthly_cost - a.monthly_cost);
}

function costOf(machines: ReadonlyArray<{ readonly cost: number }>): number {
  return cents(machines.reduce((sum, { cost }) => sum + cost, 0));
}
