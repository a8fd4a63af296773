/** One simulation to run. */
import type { Tool } from "../tool.ts";
import { type Ledger, PLANNING } from "./ledger.ts";
import { described, type Factors } from "./tools/factors.ts";
import type { Simulation } from "./tools/savings.ts";

/** A tool with its arguments. Their type is checked where they are paired, and forgotten so that one list holds all. */
export interface Run {
  readonly tool: Tool<unknown, Simulation>;
  readonly args: unknown;
  /** Assumptions that the saving of one of its levers rests on. */
  readonly ids: (lever: string) => readonly string[];
}

export function run<Args>(tool: Tool<Args, Simulation>, args: Args, ids: Run["ids"]): Run {
  return { tool, args, ids };
}

interface FactorArgs {
  readonly spend: number;
  readonly levers: Factors;
}

/** The factors are the assumption. */
export function factorRun(tool: Tool<FactorArgs, Simulation>, ledger: Ledger, args: FactorArgs): Run {
  const text = Object.entries(args.levers).map(([lever, factors]) => `${lever}: ${described(factors)}`);
  const id = ledger.assume(text.join("; "), PLANNING);
  return run(tool, args, () => [id]);
}
