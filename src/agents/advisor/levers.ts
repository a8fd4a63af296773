/** What can be done about costs: what to do, how sure and how much work it is, what can go wrong. */
import type { Recommendation } from "../../protocol/report.ts";

type Level = Recommendation["effort"];

export interface Lever {
  readonly title: string;
  readonly steps: readonly string[];
  readonly risk: string;
  readonly confidence: Level;
  readonly effort: Level;
}

/** Sure and easy; the others take work, or hold a surprise. */
const EASY = { confidence: "high", effort: "low" } as const;
const LIKELY = { confidence: "medium", effort: "medium" } as const;
const SMALL = { confidence: "medium", effort: "low" } as const;

export const LEVERS: Readonly<Record<string, Lever>> = {
  route: lever(LIKELY, "Route easy calls to a smaller model", "Worse answers where misrouted.", [
    "Grade both on 500 calls.",
    "Route what passes; watch escalations.",
  ]),
  cache: lever(EASY, "Cache repeated prompt prefixes", "Less if calls are far apart.", [
    "Put what repeats first.",
    "Switch caching on.",
  ]),
  batch: lever(EASY, "Batch work that can wait", "Results take up to a day.", [
    "List jobs nobody waits for.",
    "Send them in batches.",
  ]),
  rightsize: lever(LIKELY, "Right-size GPUs and scale with load", "Queues at peak.", [
    "Measure utilisation for two weeks.",
    "Release idle GPUs.",
  ]),
  commit: lever(LIKELY, "Commit to GPUs that always run", "Paid even if demand falls.", [
    "Right-size; take the 60-day minimum.",
    "Commit to that for a year.",
  ]),
  quantise: lever(LIKELY, "Quantise self-hosted models", "Slight loss of quality.", [
    "Serve in 8-bit.",
    "Drop replicas.",
  ]),
  spot: lever(LIKELY, "Train on spot capacity", "Interruptions delay runs.", [
    "Checkpoint every 15–30 minutes.",
    "Move runs to spot.",
  ]),
  throughput: lever(LIKELY, "Make training steps faster", "Instability.", [
    "Profile one run.",
    "Use bf16 or fp8; prefetch input.",
  ]),
  waste: lever(EASY, "Stop runs that will not pay off", "Slow starters stop early.", [
    "Stop runs that plateau or diverge.",
    "Try ideas on a sample first.",
  ]),
  incremental: lever(LIKELY, "Process only what has changed", "Late data needs a back-fill.", [
    "Find jobs that recompute all.",
    "Make them incremental.",
  ]),
  tiering: lever(EASY, "Move cold data to a cheaper tier", "Cold reads cost extra.", [
    "Set lifecycle rules by last access.",
    "Delete duplicates.",
  ]),
  pruning: lever(LIKELY, "Partition and prune scans", "Queries have to filter.", [
    "List the 20 dearest queries.",
    "Partition their tables.",
  ]),
  retention: lever(SMALL, "Shorten retention of logs and data", "Less history.", [
    "Keep logs 14 days.",
    "Delete unused indexes.",
  ]),
};

type Odds = Pick<Lever, "confidence" | "effort">;

function lever(odds: Odds, title: string, risk: string, steps: readonly string[]): Lever {
  return { ...odds, title, risk, steps };
}
