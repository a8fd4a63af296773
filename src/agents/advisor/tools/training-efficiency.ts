/** What cheaper capacity, faster steps and fewer wasted runs save in model training, and how well the hardware is used. */
import * as z from "zod/mini";
import { factorFields, factorSavings } from "./factors.ts";
import { amount, clamp, simulator } from "./savings.ts";
import { spotNote, spotPlan } from "./spot.ts";

const input = z.object({
  ...factorFields,
  /** One run, where its size is known. */
  run: z.optional(
    z.object({ params: amount, tokens: amount, seconds: amount, gpus: amount, peak_flops: amount }),
  ),
  checkpoint: z.optional(
    z.object({ discount: amount, checkpoint_hours: amount, mtbf_hours: amount, restart_hours: amount }),
  ),
});

export const trainingEfficiency = simulator(
  "training_efficiency",
  input,
  ({ run, checkpoint, ...factors }) => {
    const mfu = run && mfuOf(run);
    const plan = checkpoint && spotPlan(checkpoint);
    const notes = [
      ...(mfu === undefined
        ? []
        : [
            {
              lever: "MFU",
              text: `${Math.round(mfu * 1e3) / 10} % of the hardware's peak (6 × parameters × tokens ÷ (seconds × GPUs × peak FLOP/s)); 35–50 % is usual for a tuned run`,
            },
          ]),
      ...(plan ? [spotNote(plan)] : []),
    ];
    return {
      levers: factorSavings(factors),
      ...(mfu !== undefined && { mfu }),
      notes,
    };
  },
);

interface TrainingRun {
  readonly params: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly gpus: number;
  readonly peak_flops: number;
}

/** Model FLOPs utilisation: 6 FLOPs per parameter and token, forward and backward. */
export function mfuOf({ params, tokens, seconds, gpus, peak_flops }: TrainingRun): number {
  return clamp((6 * params * tokens) / (seconds * gpus * peak_flops));
}

/** Cheaper by the discount, dearer by the work that interruptions repeat. */
export function spotSaving(discount: number, repeated: number): number {
  return clamp(1 - (1 - discount) * (1 + repeated));
}

export function speedSaving(speedup: number): number {
  return clamp(1 - 1 / speedup);
}
