/** `run_cancel`: ends a run that waits or works; the text it has streamed so far is kept. */
import type { RunCancelCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { cancelled } from "../failures.ts";
import { seqOf } from "../ids.ts";
import { runAskedBy } from "../run.ts";
import { readEvent } from "../stored-event.ts";
import type { Context } from "./context.ts";

export function runCancel(context: Context, command: RunCancelCommand): Result<Event> {
  const { run_id } = command.payload;
  const run = context.runs.get(run_id);
  if (run === undefined) return refuseUnknown(context, run_id);
  const first = context.tx.events.length;
  context.runs.finish(context.tx, run, cancelled(context.soFar(run, context.tx)));
  const ended = context.tx.events
    .slice(first)
    .find((event) => event.type === "agent_completed" && event.payload.run_id === run_id);
  if (ended === undefined) throw new Error("a finished run has no terminal event");
  return ok(ended);
}

/** A run that has ended is a conflict, so that a Stop which came too late is not mistaken for a wrong id. */
function refuseUnknown({ log }: Context, run_id: string): Result<never> {
  if (runAskedBy(readEvent(log.at(seqOf(run_id, ["r"]) ?? 0))) === run_id)
    return refuse("conflict", "the run has already ended", { field: "payload.run_id" });
  return refuse("not_found", "no such run", { field: "payload.run_id" });
}
