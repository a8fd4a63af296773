/** Which simulations an allocation calls for. */
import type { Bucket, Spend } from "./buckets.ts";
import { type Basics, dataRun, gpuRun, gpuRuns, trainingRun } from "./compute-runs.ts";
import { llmRuns } from "./llm-runs.ts";
import type { Run } from "./run.ts";

export interface Simulated extends Run {
  readonly bucket: Bucket;
}

const TRAINING = ["spot", "throughput", "waste", "lora"] as const;
const DATA = ["incremental", "tiering", "pruning", "idle", "egress"] as const;

export function simulationsFor(spend: Spend, basics: Basics): readonly Simulated[] {
  const { facts, wants } = basics;
  const on = (bucket: Bucket, runs: (amount: number) => readonly Run[]) => {
    const amount = spend[bucket] ?? 0;
    return amount > 0 ? runs(amount).map((each) => ({ bucket, ...each })) : [];
  };
  const onGpus = wants("rightsize", "commit", "gpu_spot");
  return [
    ...on("llm_api", (amount) => llmRuns(amount, basics)),
    ...on("gpu", (amount) => (onGpus ? gpuRuns(amount, basics) : [])),
    ...on("training", (amount) => [
      ...(wants(...TRAINING) ? [trainingRun(amount, basics)] : []),
      // Idle GPUs are a matter of training only where no other bucket has them; nobody assumes that a run idles.
      ...(spend.gpu === undefined && wants("rightsize") && facts.percents.utilisation !== undefined
        ? [gpuRun(amount, { ...basics, facts: { ...facts, committed: true } })]
        : []),
    ]),
    ...on("data", (amount) => (wants(...DATA) ? [dataRun(amount, basics)] : [])),
  ];
}
