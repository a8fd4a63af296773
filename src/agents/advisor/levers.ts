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
  route: {
    ...LIKELY,
    title: "Route easy calls to a smaller model",
    steps: [
      "Grade both models on 500 sampled calls.",
      "Route the tasks the small model passes; escalate on low confidence and watch the rate weekly.",
    ],
    risk: "Worse answers where the router misjudges a call.",
  },
  cache: {
    ...EASY,
    title: "Cache repeated prompt prefixes",
    steps: [
      "Put system prompt, tools and documents first, what varies last.",
      "Switch caching on and log cached tokens per call.",
    ],
    risk: "Little saved if calls are far apart.",
  },
  batch: {
    ...EASY,
    title: "Move work that can wait to the batch API",
    steps: [
      "List jobs nobody waits for: evaluations, tagging, summaries, back-fills.",
      "Submit them as batches.",
    ],
    risk: "Results may take a day.",
  },
  trim: {
    ...SMALL,
    title: "Trim prompts and cap output",
    steps: ["Send fewer passages and less history.", "Cap output tokens per task; stop retry loops."],
    risk: "Answers may lose context.",
  },
  rightsize: {
    ...LIKELY,
    title: "Right-size the GPU fleet and scale it with load",
    steps: [
      "Measure utilisation per pool for two weeks.",
      "Merge small pools, scale idle ones to zero, release GPUs above the target.",
    ],
    risk: "Queues at peak if headroom is too small.",
  },
  commit: {
    ...LIKELY,
    title: "Commit to the part of the fleet that always runs",
    steps: [
      "Right-size first, then take the lowest level of the last 60 days.",
      "Commit to that for a year; leave the rest on demand.",
    ],
    risk: "Paid for even if demand or prices fall.",
  },
  quantise: {
    ...LIKELY,
    title: "Quantise self-hosted models and batch continuously",
    steps: ["Serve in 8-bit with continuous batching.", "Compare quality, then drop replicas."],
    risk: "Slight loss of quality.",
  },
  spot: {
    ...LIKELY,
    title: "Train on spot capacity with checkpoints",
    steps: [
      "Checkpoint every 15–30 minutes and resume automatically.",
      "Move interruptible runs to spot, falling back on demand.",
    ],
    risk: "Interruptions delay runs.",
  },
  throughput: {
    ...LIKELY,
    title: "Make each step faster: mixed precision, fed GPUs",
    steps: ["Profile one run for data stalls.", "Use bf16 or fp8; prefetch and cache the input."],
    risk: "Numerical instability in a few layers.",
  },
  waste: {
    ...EASY,
    title: "Stop runs that will not pay off",
    steps: ["Stop runs that plateau, diverge or idle.", "Try ideas on a small model or sample first."],
    risk: "A slow starter may be stopped too early.",
  },
  incremental: {
    ...LIKELY,
    title: "Process only what has changed",
    steps: [
      "Find the jobs that recompute whole tables.",
      "Make the five dearest incremental; run them only as often as someone looks.",
    ],
    risk: "Late data needs a back-fill path.",
  },
  tiering: {
    ...EASY,
    title: "Move cold data to a cheaper tier",
    steps: ["Set lifecycle rules by last access.", "Delete duplicates, old versions and temporary output."],
    risk: "Reading cold data costs extra.",
  },
  pruning: {
    ...LIKELY,
    title: "Partition and prune what queries scan",
    steps: ["List the 20 dearest queries.", "Partition, select columns, materialise what dashboards repeat."],
    risk: "Queries have to filter on the partition.",
  },
  retention: {
    ...SMALL,
    title: "Shorten retention of logs, traces and stored data",
    steps: ["Sample traces; keep full logs 14 days.", "Delete unused indexes, buckets and seats."],
    risk: "Less history for investigations.",
  },
};
