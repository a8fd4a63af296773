/** What becomes of a message that is said while its thread is being answered. */
import type { UserMessageCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { DEFAULT_THREAD_ID } from "../../protocol/pure/constants.ts";
import { type Result, refuse } from "../../protocol/result.ts";
import { cancelled } from "../failures.ts";
import type { Run } from "../run.ts";
import type { Question } from "../runs.ts";
import type { Context } from "./context.ts";
import { placeOf, say, type Words } from "./saying.ts";

/** @param plan a run of its own for the message */
export function sayUnder(
  policy: UserMessageCommand["payload"]["policy"],
  context: Context,
  words: Words,
  plan: (question: Question) => Result<Run>,
): Result<Event> {
  const { thread_id = DEFAULT_THREAD_ID } = words;
  const present = context.runs.unfinished().filter((run) => run.thread_id === thread_id);
  switch (policy) {
    case "reject":
      return present.some(isAtWork) ? BUSY : say(context, words, plan);
    case "interrupt":
      return present.length === 0 ? say(context, words, plan) : interrupt(context, words, present, plan);
    case "steer": {
      // One that is executed elsewhere cannot be told.
      const joined = present.find((run) => run.state === "running" && run.feed === undefined);
      return joined === undefined ? say(context, words, plan) : say(context, words, undefined, joined);
    }
    case "enqueue":
    case undefined:
      return say(context, words, plan);
  }
}

/** One that waits for an answer keeps nobody from working. */
function isAtWork({ state }: Run): boolean {
  return state !== "waiting";
}

const BUSY = refuse("conflict", "a run is at work in this thread", { field: "payload.policy" });

/** All that is unfinished in the thread ends, what works last: then its place is free for whoever comes. */
function interrupt(
  context: Context,
  words: Words,
  present: readonly Run[],
  plan: (question: Question) => Result<Run>,
): Result<Event> {
  // A message that is refused must not have ended anything.
  const place = placeOf(context, words);
  if (!place.ok) return place;
  const { runs, tx, soFar } = context;
  const said: Result<Event>[] = [];
  const inOrder = present.toSorted((a, b) => Number(a.state === "running") - Number(b.state === "running"));
  for (const [index, run] of inOrder.entries()) {
    const last = index === inOrder.length - 1;
    runs.finish(
      tx,
      run,
      cancelled(soFar(run, tx)),
      last ? () => said.push(say(context, words, plan)) : undefined,
    );
  }
  const [result] = said;
  // The thread has no run left, so nothing can be too many in it.
  if (result?.ok !== true) throw new Error("a run could not be interrupted");
  return result;
}
