/** Simulations of GPUs, training and data processing: the user's fleet where given, labelled assumptions elsewhere. */
import type { Facts, FleetFacts } from "./facts/message.ts";
import { type Ledger, PLANNING } from "./ledger.ts";
import { gpuRate } from "./prices.ts";
import { factorRun, type Run, run, type Wants } from "./run.ts";
import { dataPipelineAudit } from "./tools/data-pipeline-audit.ts";
import { gpuRightsizing } from "./tools/gpu-rightsizing.ts";
import { clamp, percent, type Range } from "./tools/savings.ts";
import { spotPlan } from "./tools/spot.ts";
import { mfuOf, speedSaving, trainingEfficiency } from "./tools/training-efficiency.ts";

/** What simulations are made from, besides the spend. */
export interface Basics {
  readonly facts: Facts;
  readonly ledger: Ledger;
  readonly wants: Wants;
}

/** What most fleets pay most for. */
const USUAL_GPU = "H100";

/** Dense bf16 (T4: fp16) FLOP/s by the makers' data sheets. */
const PEAK_FLOPS: Readonly<Record<string, number>> = {
  B200: 2.25e15,
  H200: 9.89e14,
  H100: 9.89e14,
  A100: 3.12e14,
  L40S: 3.62e14,
  A10G: 7e13,
  L4: 1.21e14,
  T4: 6.5e13,
};

/** GPUs used less than this are released, not reserved. */
const WORTH_COMMITTING = 0.3;

/** A tuned run reaches this much of the peak. */
const GOOD_MFU = 0.4;

/** Three minutes to save, a day between interruptions, a quarter of an hour to be back. */
export const SPOT = { discount: 0.6, checkpoint_hours: 0.05, mtbf_hours: 24, restart_hours: 0.25 };

/** Each type of GPU by itself: busy ones do not make up for idle ones of another kind. */
export function gpuRuns(spend: number, basics: Basics): readonly Run[] {
  const { fleets, ...facts } = basics.facts;
  const cost = fleets.reduce((sum, each) => sum + each.cost, 0);
  if (fleets.length < 2 || cost === 0) return [gpuRun(spend, basics)];
  const names = fleets.map(nameOf);
  return fleets.map(({ utilisation, cost: own, ...fleet }, at) => {
    const { utilisation: _, ...percents } = facts.percents;
    const known = utilisation === undefined ? percents : { ...percents, utilisation };
    // Nobody commits to what should be switched off.
    const committed = fleet.committed || (utilisation ?? 1) < WORTH_COMMITTING;
    const before = names.slice(0, at).filter((name) => name === names[at]).length;
    // By its name each is ranked for itself.
    const what = `${names[at]}${before > 0 ? ` (${before + 1})` : ""}`;
    const part = { what, spend: spend * (own / cost) };
    return {
      ...gpuRun(part.spend, {
        ...basics,
        facts: { ...facts, ...fleet, fleets: [], committed, percents: known },
      }),
      part,
    };
  });
}

function nameOf({ gpus, committed, purchase }: FleetFacts): string {
  const terms = purchase === "spot" ? " on spot" : committed ? " reserved" : "";
  return `${gpus.map(({ count, type }) => `${count} × ${type}`).join()}${terms}`;
}

export function gpuRun(spend: number, { facts, ledger, wants }: Basics): Run {
  const { gpus, percents, committed } = facts;
  const count = gpus.reduce((sum, each) => sum + each.count, 0);
  const { utilisation: used } = percents;
  const type = gpus.find(({ type: name }) => gpuRate(name, ledger.prices))?.type ?? USUAL_GPU;
  const { on_demand, committed: committed_rate } = gpuRate(type, ledger.prices) ?? {
    on_demand: 1,
    committed: 1,
  };
  const off = percent(1 - committed_rate / on_demand);
  const load = `${used === undefined ? "GPUs are 40–50 % used and" : "GPUs"} can run at 60–65 %`;
  const target_id = wants("rightsize") ? [ledger.assume(load, PLANNING)] : [];
  const commit =
    committed || !wants("commit")
      ? []
      : [
          ledger.assume(
            facts.committed_part
              ? `40–60 % of the GPUs not committed yet (${percent(1 - facts.committed_part)}) always run`
              : "40–60 % of GPUs always run",
            PLANNING,
          ),
          ledger.rated(`A one-year commitment takes ${off} off (${type})`),
        ];
  const utilisation: Range = [used ?? 0.4, used ?? 0.5];
  const target: Range = [0.6, 0.65];
  const open = 1 - (facts.committed_part ?? 0);
  const steady: Range = committed ? [0, 0] : [0.4 * open, 0.6 * open];
  const args = { spend, utilisation, target, on_demand_rate: on_demand, committed_rate, steady };
  // Serving is rarely interruptible; whoever asks about spot has something that is.
  const spot = wants("gpu_spot") ? { spot: { part: [0.2, 0.4] as Range, ...SPOT } } : {};
  const spot_id = "spot" in spot ? [spotId(ledger)] : [];
  const fleet = count > 0 ? { gpus: count } : {};
  return run(gpuRightsizing, { ...args, ...fleet, ...spot }, (lever) =>
    lever === "commit" ? commit : lever === "spot" ? spot_id : target_id,
  );
}

function spotId(ledger: Ledger): string {
  return ledger.assume(
    "20–40 % of the work may be interrupted; spot is 60 % cheaper, interrupts once a day, saving takes 3 minutes and a restart 15",
    PLANNING,
  );
}

export function trainingRun(spend: number, { facts, ledger, wants }: Basics): Run {
  const { percents } = facts;
  const plan = spotPlan(SPOT);
  const cheaper = clamp(plan.saving);
  const size = runOf(facts);
  const mfu = size && mfuOf(size);
  // Known poor use of the hardware can be mended by as much as it is poor; otherwise 10–30 % faster is modest.
  const most = mfu ? Math.min(3, Math.max(1, GOOD_MFU / mfu)) : 1.3;
  const faster: Range = [speedSaving(mfu ? 1 + (most - 1) / 3 : 1.1), speedSaving(most)];
  const failed: Range = percents.failed === undefined ? [0.1, 0.2] : [percents.failed, percents.failed];
  return factorRun(
    trainingEfficiency,
    { ledger, wants },
    {
      spend,
      levers: {
        spot: { "of training on spot": [0.2, 0.4], "cheaper, repeats included": [cheaper, cheaper] },
        ...(most > 1 && { throughput: { "less time (precision, data stalls)": faster } }),
        waste: { "in failed runs": failed, "avoidable by stopping early": [0.5, 0.5] },
        ...(wants("lora") && {
          lora: { "is fine-tuning": [0.3, 0.6], "less GPU time with LoRA": [0.3, 0.6] },
        }),
      },
      ...(wants("spot") && { checkpoint: SPOT }),
      ...(size && { run: size }),
    },
  );
}

/** One run, where the message gives its whole size. */
function runOf({ training: { params, tokens, seconds }, gpus }: Facts) {
  const count = gpus.reduce((sum, each) => sum + each.count, 0);
  const peak = PEAK_FLOPS[gpus[0]?.type ?? ""];
  if (!params || !tokens || !seconds || !peak || count === 0) return undefined;
  return { params, tokens, seconds, gpus: count, peak_flops: peak };
}

export function dataRun(spend: number, { facts, ledger, wants }: Basics): Run {
  // Transfer that was named leaves less for the rest, in its usual proportions.
  const named = facts.parts.reduce((sum, { amount, transfer }) => sum + (transfer ? amount : 0), 0);
  const moved = named > 0 ? clamp(named / spend) : 0.1;
  const left = (1 - moved) / 0.9;
  const of = (part: number): Range => [part * left, part * left];
  return factorRun(
    dataPipelineAudit,
    { ledger, wants },
    {
      spend,
      levers: {
        incremental: { "is compute": of(0.4), "of it unchanged": [0.15, 0.3] },
        tiering: { "is storage": of(0.25), "of it cold": [0.4, 0.6], "cheaper tier": [0.5, 0.5] },
        pruning: { "is queries": of(0.2), "can be skipped": [0.3, 0.5] },
        idle: { "is compute": of(0.4), "of it idle or too frequent": [0.1, 0.25] },
        egress: { "is transfer": [moved, moved], "of it avoidable": [0.2, 0.5] },
      },
    },
  );
}
