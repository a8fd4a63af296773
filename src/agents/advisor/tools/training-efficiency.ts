/** What cheaper capacity, faster steps and fewer wasted runs save in model training. */
import { factorSimulator } from "./factors.ts";
import { clamp } from "./savings.ts";

export const trainingEfficiency = factorSimulator("training_efficiency");

/** Cheaper by the discount, dearer by the work that interruptions repeat. */
export function spotSaving(discount: number, repeated: number): number {
  return clamp(1 - (1 - discount) * (1 + repeated));
}

export function speedSaving(speedup: number): number {
  return clamp(1 - 1 / speedup);
}
