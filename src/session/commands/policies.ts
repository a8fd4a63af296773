/** What becomes of a message that is said while its thread is being answered. */
import type { UserMessageCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { DEFAULT_THREAD_ID } from "../../protocol/pure/constants.ts";
import { type Result, refuse } from "../../protocol/result.ts";
import { cancelled } from "../failures.ts";
import type { Question } from "../planning.ts";
import { questionSeq, type Run } from "../run.ts";
import type { Context } from "./context.ts";
import { placeOf, say, type Words } from "./saying.ts";

type Planning = (question: Question, place?: { readonly inPlace: boolean }) => Result<Run>;

/** @param plan a run of its own for the message */
export function sayUnder(
  policy: UserMessageCommand["payload"]["policy"],
  context: Context,
  words: Words,
  plan: Planning,
): Result<Event> {
  const { thread_id = DEFAULT_THREAD_ID } = words;
  const present = context.runs.unfinished().filter((run) => run.thread_id === thread_id);
  switch (policy) {
    case "reject":
      return present.some(isAtWork) ? BUSY : say(context, words, plan);
    case "interrupt":
      return present.length === 0 ? say(context, words, plan) : interrupt(context, words, present, plan);
    case "steer": {
      const joined = present.find((run) => hears(context, words, run));
      return joined === undefined ? say(context, words, plan) : join(context, words, joined);
    }
    case "enqueue":
    case undefined:
      return say(context, words, plan);
  }
}

/** One that is executed elsewhere cannot be told, and what is said on another branch is not about what it does. */
function hears(context: Context, words: Words, run: Run): boolean {
  if (run.state !== "running" || run.feed !== undefined) return false;
  const place = placeOf(context, words);
  return place.ok && context.threads.leadsTo(questionSeq(run), place.value.prev);
}

function join(context: Context, words: Words, joined: Run): Result<Event> {
  const { thread_id } = joined;
  return (
    context.runs.planning.refuseJoining({ thread_id, plan: context.who.plan }) ??
    say(context, words, undefined, joined)
  );
}

/** One that waits for an answer keeps nobody from working. */
function isAtWork({ state }: Run): boolean {
  return state !== "waiting";
}

const BUSY = refuse("conflict", "a run is at work in this thread", { field: "payload.policy" });

/** All that is unfinished in the thread ends, what works last: then its place is free for whoever comes. */
function interrupt(context: Context, words: Words, present: readonly Run[], plan: Planning): Result<Event> {
  // A message that is refused must not have ended anything.
  const place = placeOf(context, words);
  if (!place.ok) return place;
  const { runs, tx, soFar, who } = context;
  const { thread_id } = place.value;
  const full = runs.planning.refuseFull({ thread_id, plan: who.plan }, present);
  if (full !== undefined) return full;
  // Others may have their turn while these end, but not what was promised to this one.
  const inPlace = (question: Question) => plan(question, { inPlace: true });
  const said: Result<Event>[] = [];
  const inOrder = present.toSorted((a, b) => Number(a.state === "running") - Number(b.state === "running"));
  for (const [index, run] of inOrder.entries()) {
    const last = index === inOrder.length - 1;
    const begin = last ? { begin: () => said.push(say(context, words, inPlace)) } : {};
    runs.finish(tx, run, cancelled(soFar(run, tx)), begin);
  }
  const [result] = said;
  // Whether there is room was asked before anything ended.
  if (result?.ok !== true) throw new Error("a run could not be interrupted");
  return result;
}
