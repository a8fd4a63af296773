/** What idle GPUs cost, and what fewer, committed or interruptible ones would save. */
import * as z from "zod/mini";
import {
  amount,
  cents,
  percent,
  percents,
  type Range,
  savingOf,
  share,
  shares,
  simulator,
} from "./savings.ts";
import { spotNote, spotPlan } from "./spot.ts";

const input = z.object({
  /** Monthly spend on the fleet: GPUs × hours × rate. */
  spend: amount,
  /** GPUs in the fleet, where known: savings then come in whole GPUs. */
  gpus: z.optional(amount),
  utilisation: shares,
  target: shares,
  /** Hourly rates; only their ratio counts. */
  on_demand_rate: amount,
  committed_rate: amount,
  /** Part of the fleet that always runs; 0 where it is committed already. */
  steady: shares,
  /** Part of the work that may be interrupted, and on what terms; absent where none may. */
  spot: z.optional(
    z.object({
      part: shares,
      discount: share,
      checkpoint_hours: amount,
      mtbf_hours: amount,
      restart_hours: amount,
    }),
  ),
});

export const gpuRightsizing = simulator(
  "gpu_rightsizing",
  input,
  ({ spend, gpus, utilisation, target, on_demand_rate, committed_rate, steady, spot }) => {
    const freed: Range = [
      freedShare(utilisation[1], target[0], gpus),
      freedShare(utilisation[0], target[1], gpus),
    ];
    const ratio = on_demand_rate > 0 ? Math.min(1, committed_rate / on_demand_rate) : 1;
    const off = 1 - ratio;
    const idle: Range = [cents((1 - utilisation[1]) * spend), cents((1 - utilisation[0]) * spend)];
    const fewer = `1 − ${percents(utilisation)} used ÷ ${percents(target)} target${gpus ? `, in whole GPUs of ${gpus}` : ""}`;
    const plan = spot && spotPlan(spot);
    const levers = [
      savingOf("rightsize", spend, freed, fewer),
      savingOf(
        "commit",
        spend,
        [steady[0] * off, steady[1] * off],
        `${percents(steady)} always on × ${percent(off)} off`,
      ),
    ];
    return {
      levers: [
        ...levers,
        ...(spot && plan
          ? [
              savingOf(
                "spot",
                spend,
                [spot.part[0] * plan.saving, spot.part[1] * plan.saving],
                `${percents(spot.part)} interruptible × (1 − ${percent(1 - spot.discount)} price × ${percent(1 + plan.overhead)} work)`,
              ),
            ]
          : []),
      ],
      idle_cost: idle,
      notes: [
        {
          lever: "commit",
          text: `A committed GPU pays off when it runs more than ${percent(ratio)} of the hours`,
        },
        ...(plan ? [spotNote(plan)] : []),
      ],
    };
  },
);

/** A fleet never shrinks to nothing, and never grows on our advice. */
function freedShare(utilisation: number, target: number, gpus?: number): number {
  const kept = Math.min(1, utilisation / Math.max(target, 0.01));
  // The epsilon forgives 16 × 0.35 ÷ 0.7 for being a little more than 8.
  return gpus ? 1 - Math.max(1, Math.ceil(gpus * kept - 1e-9)) / Math.max(1, gpus) : 1 - kept;
}
