/** `message_regenerate`: the user wants another answer to the same question. */
import type { MessageRegenerateCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { type Result, refuse } from "../../protocol/result.ts";
import type { Question } from "../planning.ts";
import { askAgain, runAnswering } from "./asking-again.ts";
import type { Context } from "./context.ts";
import { refuseOverBudget, refuseWithoutAgents } from "./permissions.ts";

export function messageRegenerate(context: Context, { payload }: MessageRegenerateCommand): Result<Event> {
  const { tx, runs, agent, who } = context;
  const refused = refuseWithoutAgents(who, "payload.message_id");
  if (refused !== undefined) return refused;
  const { message_id } = payload;
  if (runAnswering(context, message_id) !== undefined) {
    return refuse("conflict", "this message is being answered", { field: "payload.message_id" });
  }
  const plan = (question: Question) => runs.planning.plan(tx, { ...question, plan: who.plan }, agent);
  return refuseOverBudget(context, agent) ?? askAgain(context, message_id, plan);
}
