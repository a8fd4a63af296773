/** One simulation to run. */
import type { Tool } from "../tool.ts";
import { type Ledger, PLANNING } from "./ledger.ts";
import { LEVERS } from "./levers.ts";
import { described, type Factors } from "./tools/factors.ts";
import type { Simulation } from "./tools/savings.ts";

/** A tool with its arguments. Their type is checked where they are paired, and forgotten so that one list holds all. */
export interface Run {
  readonly tool: Tool<unknown, Simulation>;
  readonly args: unknown;
  /** The part of the bucket it is about, where others do the rest. */
  readonly part?: Part;
  /** Assumptions that the saving of one of its levers rests on. */
  readonly ids: (lever: string) => readonly string[];
}

export interface Part {
  readonly what: string;
  readonly spend: number;
}

/** Whether a lever is asked for; runs nobody asked for would leave their assumptions in the answer. */
export type Wants = (...levers: readonly string[]) => boolean;

export function run<Args>(tool: Tool<Args, Simulation>, args: Args, ids: Run["ids"]): Run {
  return { tool, args, ids };
}

interface FactorArgs {
  readonly spend: number;
  readonly levers: Factors;
}

/** The factors are the assumption, one per lever; levers nobody asked for are left out. */
export function factorRun<Args extends FactorArgs>(
  tool: Tool<Args, Simulation>,
  { ledger, wants }: { readonly ledger: Ledger; readonly wants: Wants },
  args: Args,
): Run {
  const wanted = Object.entries(args.levers).filter(([lever]) => wants(lever));
  const ids = new Map(
    wanted.map(([lever, factors]) => [
      lever,
      ledger.assume(`“${LEVERS[lever]?.title ?? lever}”: ${described(factors)}`, PLANNING),
    ]),
  );
  return run(tool, { ...args, levers: Object.fromEntries(wanted) }, (lever) => [ids.get(lever) ?? []].flat());
}
