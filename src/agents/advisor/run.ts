/** One simulation to run. */
import type { Tool } from "../tool.ts";
import { type Ledger, PLANNING } from "./ledger.ts";
import type { Factors } from "./tools/factors.ts";
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

/** Each step tells its own; to list them again would be to say everything twice. */
export const SHARES = "Shares in the steps are usual ones, where you named none";

/** The factors are the assumption; levers nobody asked for are left out. */
export function factorRun<Args extends FactorArgs>(
  tool: Tool<Args, Simulation>,
  { ledger, wants }: { readonly ledger: Ledger; readonly wants: Wants },
  args: Args,
): Run {
  const wanted = Object.entries(args.levers).filter(([lever]) => wants(lever));
  const ids = wanted.length > 0 ? [ledger.assume(SHARES, PLANNING)] : [];
  return run(tool, { ...args, levers: Object.fromEntries(wanted) }, () => ids);
}
