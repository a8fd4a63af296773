/** What a command that asks for an answer needs beyond `chat`, which every connection has. */
import { may, type Principal } from "../../auth/principal.ts";
import { refuse } from "../../protocol/result.ts";
import type { Executor } from "../planning.ts";
import type { Context } from "./context.ts";

/** @param field what asks for it */
export function refuseWithoutAgents(who: Principal, field: string, what = "for an answer") {
  if (may(who, "agents")) return undefined;
  return refuse("forbidden", `the agents permission is needed ${what}`, { field });
}

/** An agent that calls no models costs nothing, and answers whatever was spent. */
export function refuseOverBudget({ tx, who, exceeded }: Context, agent: Executor) {
  if (agent.uses_models !== true) return undefined;
  const found = exceeded(who.plan, tx.now);
  if (found === undefined) return undefined;
  const { message, ...more } = found;
  return refuse("budget_exceeded", message, more);
}
