/** Lets tools work out what each lever saves of each part of the spend, and says what else came of it. */
import { type Effect, tools } from "../effects.ts";
import type { Spend } from "./buckets.ts";
import type { Basics } from "./compute-runs.ts";
import type { Line } from "./data-lines.ts";
import { LEVERS, type Lever } from "./levers.ts";
import { type Candidate, candidate, ruleCandidates } from "./recommend.ts";
import { simulationsFor } from "./simulations.ts";

type Steps<T> = Generator<Effect, T, unknown>;

interface Simulated {
  readonly candidates: Candidate[];
  readonly failed: string[];
  readonly asides: Line[];
  /** Assumptions behind the asides. */
  readonly ids: readonly string[];
}

/** A simulation that fails takes its levers with it, not the answer. */
export function* simulate(spend: Spend, basics: Basics, asked: readonly string[]): Steps<Simulated> {
  const runs = simulationsFor(spend, basics);
  const calls = runs.map((run) => [run.tool, run.args] as const);
  const outcomes = calls.length > 0 ? yield* tools(calls) : [];
  const found = runs.map((run, index) => ({ ...run, outcome: outcomes[index] }));
  const failed = found.filter(({ outcome }) => outcome?.status !== "ok").map(({ tool: { name } }) => name);
  const mfu: Line[] = [];
  const levers = found.flatMap(({ bucket, ids, part, outcome }) => {
    if (outcome?.status !== "ok") return [];
    const { levers: saved, notes = [] } = outcome.result;
    mfu.push(...notes.flatMap(({ lever, text }) => (lever === "MFU" ? [[lever, text] as const] : [])));
    return saved
      .filter(({ lever }) => basics.wants(lever, ...(lever === "spot" ? ["gpu_spot"] : [])))
      .map((each) => {
        const note = notes.find(({ lever }) => lever === each.lever)?.text;
        return { ...each, bucket, part, note, ids: ids(each.lever) };
      });
  });
  // A rule of thumb for a bucket goes for each of its parts.
  const rules = ruleCandidates(spend, basics).flatMap((rule) => {
    const own = found.filter(({ bucket, part }) => part && bucket === rule.bucket);
    return own.length > 0 ? own.map(({ part }) => ({ ...rule, part })) : [rule];
  });
  const parts = Map.groupBy(levers, ({ bucket, lever }) => `${bucket} ${lever}`).values();
  const asides = [...parts].flatMap((own) => asideOf(own, asked));
  return {
    candidates: [...levers.flatMap(candidate), ...rules],
    failed: [...new Set(failed)],
    asides: [...mfu, ...asides],
    ids: asides.length > 0 ? levers.flatMap(({ ids }) => ids) : [],
  };
}

/** What was asked about is answered, also where it saves nothing. */
function asideOf(
  parts: ReadonlyArray<Omit<Candidate, keyof Lever>>,
  asked: readonly string[],
): readonly Line[] {
  return parts.slice(0, 1).flatMap(({ lever, note }): readonly Line[] => {
    const title = LEVERS[lever]?.title ?? lever;
    const pays = parts.some(({ share }) => share[1] > 0);
    const how = parts.map(({ part, how: why }) => (part ? `${part.what}: ${why}` : why)).join("; ");
    if (lever === "selfhost")
      return [[title, `${pays ? "can pay" : "does not pay on these figures"}: ${how}. ${note}`]];
    return pays || !asked.includes(lever) ? [] : [[title, `nothing to gain: ${how}`]];
  });
}
