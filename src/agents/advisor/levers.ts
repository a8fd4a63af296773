/** What can be done about costs: what to do, how sure and how much work it is, what can go wrong. */
import type { Recommendation } from "../../protocol/report.ts";

type Level = Recommendation["effort"];

export interface Lever {
  readonly title: string;
  /** The first one is for Monday morning: an hour or two, and nobody's permission. */
  readonly steps: readonly string[];
  readonly risk: string;
  readonly confidence: Level;
  readonly effort: Level;
}

/** Sure and easy; the others take work, or hold a surprise. */
const EASY = { confidence: "high", effort: "low" } as const;
const LIKELY = { confidence: "medium", effort: "medium" } as const;
const SMALL = { confidence: "medium", effort: "low" } as const;
const LARGE = { confidence: "low", effort: "high" } as const;

export const LEVERS: Readonly<Record<string, Lever>> = {
  route: lever(LIKELY, "Route easy calls to a smaller model", "Worse answers where misrouted.", [
    "Sample 500 calls of your busiest endpoint and grade both models' answers blind.",
    "Route what passes, 10 % of traffic first; watch escalations.",
  ]),
  embed: lever(LIKELY, "Use a smaller embedding model", "Search finds a little less.", [
    "Measure recall@10 of both models on 200 real queries.",
    "Re-embed in batches; afterwards only what has changed.",
  ]),
  cache: lever(EASY, "Cache repeated prompt prefixes", "Less if calls are far apart.", [
    "Take your five longest prompts and move what never changes to the front.",
    "Switch caching on; log cached input tokens.",
  ]),
  batch: lever(EASY, "Batch work that can wait", "Results take up to a day.", [
    "List jobs nobody waits for: evaluations, summaries, back-fills.",
    "Send the largest in batches.",
  ]),
  selfhost: lever(LARGE, "Self-host an open model for part of the work", "Quality, on-call, idle GPUs.", [
    "Grade an open model on 500 of your calls before renting anything.",
    "Measure tokens per second on one GPU for a day.",
  ]),
  rightsize: lever(LIKELY, "Right-size GPUs and scale with load", "Queues at peak.", [
    "Sort GPU nodes by idle hours of 14 days.",
    "Release nodes under 20 %; scale the rest on queue length.",
  ]),
  commit: lever(LIKELY, "Commit to GPUs that always run", "Paid even if demand falls.", [
    "Look up the 60-day minimum of running GPUs: the most to commit to.",
    "Right-size, then commit for a year.",
  ]),
  quantise: lever(LIKELY, "Quantise self-hosted models", "Slight loss of quality.", [
    "Serve one model in 8-bit and compare 500 answers.",
    "Drop the replicas this frees.",
  ]),
  spot: lever(LIKELY, "Move interruptible work to spot capacity", "Interruptions delay runs.", [
    "Kill one job and see that it resumes from its checkpoint.",
    "Set the checkpoint interval; move sweeps and evaluations.",
  ]),
  throughput: lever(LIKELY, "Make training steps faster", "Instability.", [
    "Profile 100 steps of the largest run: data stalls, precision, batch size.",
    "Use bf16 or fp8; prefetch input.",
  ]),
  lora: lever(LIKELY, "Fine-tune with LoRA instead of all weights", "Less quality on hard tasks.", [
    "Repeat your last fine-tuning with LoRA and compare.",
    "Make it the default where it is level.",
  ]),
  waste: lever(EASY, "Stop runs that will not pay off", "Slow starters stop early.", [
    "List last month's runs that failed or were thrown away, with GPU-hours.",
    "Stop runs that plateau or diverge.",
  ]),
  incremental: lever(LIKELY, "Process only what has changed", "Late data needs a back-fill.", [
    "List the ten dearest jobs; mark those that recompute everything.",
    "Make the dearest incremental.",
  ]),
  tiering: lever(EASY, "Move cold data to a cheaper tier", "Cold reads cost extra.", [
    "Pull a last-access report per bucket.",
    "Set lifecycle rules after 90 days; delete duplicates.",
  ]),
  pruning: lever(LIKELY, "Partition and prune scans", "Queries have to filter.", [
    "List the 20 queries that scan most.",
    "Partition their tables; compact small files.",
  ]),
  idle: lever(EASY, "Suspend idle warehouses, run jobs less often", "First queries are slower.", [
    "Set auto-suspend to 60 seconds on every warehouse.",
    "Make hourly jobs daily where nobody reads them hourly.",
  ]),
  egress: lever(SMALL, "Keep traffic in one region", "Failover needs a plan.", [
    "Sort last month's transfer cost by pair of regions.",
    "Co-locate the largest pair.",
  ]),
  retention: lever(SMALL, "Shorten retention of logs and data", "Less history.", [
    "Keep logs 14 days, traces 7.",
    "Delete unused indexes.",
  ]),
};

/** How people name a lever when they ask about it alone. */
const NAMED: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bcach/i, "cache"],
  [/\bbatch|\basync/i, "batch"],
  [/\brout(?:e|ing)|smaller model/i, "route"],
  [/self-?host|own gpus|open (?:source|weights?) model/i, "selfhost"],
  [/right-?siz|autoscal|\bidle/i, "rightsize"],
  [/\bcommit|\breserv|savings plan/i, "commit"],
  [/\bspot\b|preempt|checkpoint/i, "spot"],
  [/quanti[sz]/i, "quantise"],
  [/\blora\b/i, "lora"],
  [/\bfail(?:ed|ing)? runs?|early stop/i, "waste"],
  [/mixed precision|\bbf16|\bfp8|faster steps/i, "throughput"],
  [/\bincremental/i, "incremental"],
  [/\btier|lifecycle|cold (?:data|storage)/i, "tiering"],
  [/partition|prun/i, "pruning"],
  [/\bwarehouses?\b.*\bidle|suspend|schedul/i, "idle"],
  [/\begress|data transfer/i, "egress"],
  [/retention/i, "retention"],
];

export function leversNamed(text: string, list = NAMED): readonly string[] {
  return list.flatMap(([words, named]) => (words.test(text) ? [named] : []));
}

/** Only for who asks: each replaces what others build on. */
const ON_REQUEST = ["selfhost", "lora", "gpu_spot", "quantise"];

/** Words about work that make a lever worth naming. */
const CALLED_FOR: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bfine-?tun/i, "lora"],
  [/\b(?:serv(?:e|es|ed|ing)|inference|vllm|self-?host\w*)\b/i, "quantise"],
];

/** Whether a lever is wanted: `only` those, if any; otherwise all but `not` and the ones nobody asked for. */
export function wantsOf(
  text: string,
  only: readonly string[],
  not: readonly string[],
): (...levers: readonly string[]) => boolean {
  const named = [NAMED, CALLED_FOR].flatMap((list) => leversNamed(text, list));
  const asked = (only.length > 0 ? only : named).flatMap((each) =>
    each === "spot" ? [each, "gpu_spot"] : [each],
  );
  return (...levers) =>
    levers.some(
      (each) =>
        !not.includes(each) && (asked.includes(each) || (only.length === 0 && !ON_REQUEST.includes(each))),
    );
}

type Odds = Pick<Lever, "confidence" | "effort">;

function lever(odds: Odds, title: string, risk: string, steps: readonly string[]): Lever {
  return { ...odds, title, risk, steps };
}
