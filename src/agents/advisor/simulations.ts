/** Which simulations an allocation calls for. */
import type { Bucket, Spend } from "./buckets.ts";
import { dataRun, gpuRun, trainingRun } from "./compute-runs.ts";
import type { Facts } from "./facts/message.ts";
import type { Ledger } from "./ledger.ts";
import { llmRuns } from "./llm-runs.ts";
import type { Run } from "./run.ts";

export interface Simulated extends Run {
  readonly bucket: Bucket;
}

export function simulationsFor(spend: Spend, facts: Facts, ledger: Ledger): readonly Simulated[] {
  const on = (bucket: Bucket, runs: (amount: number) => readonly Run[]) => {
    const amount = spend[bucket] ?? 0;
    return amount > 0 ? runs(amount).map((each) => ({ bucket, ...each })) : [];
  };
  return [
    ...on("llm_api", (amount) => llmRuns(amount, facts, ledger)),
    ...on("gpu", (amount) => [gpuRun(amount, facts, ledger)]),
    ...on("training", (amount) => [
      trainingRun(amount, ledger),
      // Idle GPUs are a matter of training only where no other bucket has them.
      ...(spend.gpu === undefined ? [gpuRun(amount, { ...facts, committed: true }, ledger)] : []),
    ]),
    ...on("data", (amount) => [dataRun(amount, ledger)]),
  ];
}
