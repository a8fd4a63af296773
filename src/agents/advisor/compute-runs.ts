/** Simulations of GPUs, training and data processing: the user's fleet where given, labelled assumptions elsewhere. */
import type { Facts } from "./facts/message.ts";
import { type Ledger, LIST_PRICES, PLANNING } from "./ledger.ts";
import { gpuRate } from "./prices.ts";
import { factorRun, type Run, run } from "./run.ts";
import { dataPipelineAudit } from "./tools/data-pipeline-audit.ts";
import { gpuRightsizing } from "./tools/gpu-rightsizing.ts";
import { percent, type Range } from "./tools/savings.ts";
import { speedSaving, spotSaving, trainingEfficiency } from "./tools/training-efficiency.ts";

/** What most fleets pay most for. */
const USUAL_GPU = "H100";

export function gpuRun(spend: number, { gpus, percents, committed }: Facts, ledger: Ledger): Run {
  const count = gpus.reduce((sum, each) => sum + each.count, 0);
  const { utilisation: used } = percents;
  const type = gpus.find(({ type: name }) => gpuRate(name))?.type ?? USUAL_GPU;
  const { on_demand, committed: committed_rate } = gpuRate(type) ?? { on_demand: 1, committed: 1 };
  const off = percent(1 - committed_rate / on_demand);
  const load = `${used === undefined ? "GPUs are 40–50 % used and" : "GPUs"} can run at 60–65 %`;
  const target_id = ledger.assume(load, PLANNING);
  const commit = committed
    ? []
    : [
        ledger.assume("40–60 % of GPUs always run", PLANNING),
        ledger.assume(`A one-year commitment takes ${off} off (${type})`, LIST_PRICES),
      ];
  const utilisation: Range = [used ?? 0.4, used ?? 0.5];
  const target: Range = [0.6, 0.65];
  const steady: Range = committed ? [0, 0] : [0.4, 0.6];
  const args = { spend, utilisation, target, on_demand_rate: on_demand, committed_rate, steady };
  return run(gpuRightsizing, count > 0 ? { ...args, gpus: count } : args, (lever) =>
    lever === "commit" ? commit : [target_id],
  );
}

export function trainingRun(spend: number, ledger: Ledger): Run {
  const cheaper = spotSaving(0.6, 0.1);
  return factorRun(trainingEfficiency, ledger, {
    spend,
    levers: {
      spot: {
        "of training on spot": [0.2, 0.4],
        "cheaper, repeats included": [cheaper, cheaper],
      },
      throughput: { "less time": [speedSaving(1.1), speedSaving(1.3)] },
      waste: { "in failed runs": [0.1, 0.2], avoidable: [0.5, 0.5] },
    },
  });
}

export function dataRun(spend: number, ledger: Ledger): Run {
  return factorRun(dataPipelineAudit, ledger, {
    spend,
    levers: {
      incremental: { "is compute": [0.45, 0.45], "of it unchanged": [0.15, 0.3] },
      tiering: { "is storage": [0.3, 0.3], "of it cold": [0.4, 0.6], "cheaper tier": [0.5, 0.5] },
      pruning: { "is queries": [0.2, 0.2], "can be skipped": [0.3, 0.5] },
    },
  });
}
