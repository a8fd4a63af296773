/** `feed`: what has happened in a run that is executed elsewhere. */
import type { Event } from "../../protocol/events.ts";
import type { Fed, FedEvent, FedText } from "../../protocol/feeding.ts";
import { MAX_FED_RUN_CHARS } from "../../protocol/limits.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import { asRecorded, type Course } from "../course.ts";
import type { Run, RunEventDraft } from "../run.ts";
import { readEvent } from "../stored-event.ts";
import type { Context } from "./context.ts";

/** Not on the wire of the clients: services feed over HTTP. Its events have numbers of their own, so it needs no id. */
export interface FeedCommand {
  readonly type: "feed";
  readonly id?: undefined;
  readonly payload: {
    readonly run_id: string;
    readonly events: readonly Fed[];
    /** From the session itself: nobody else feeds a run of its remote agent, and it feeds no other. */
    readonly remote?: true;
  };
}

/** All of them or none; the newest event of the run is what the reply is made from. */
export function feed(context: Context, { payload }: FeedCommand): Result<Event> {
  const { runs, tx, log } = context;
  const run = runs.get(payload.run_id);
  if (run !== undefined && (run.feed === undefined || run.feed.remote !== payload.remote)) return UNKNOWN_RUN;
  const course = context.courseOf(payload.run_id, run !== undefined, tx);
  const newest = course.newest;
  if (newest === undefined) return UNKNOWN_RUN;
  const fresh = freshOf(course, payload.events, (seq) => readEvent(log.at(seq)));
  if (!fresh.ok) return fresh;
  if (run !== undefined) {
    if (!fits(course, fresh.value)) return TOO_MUCH;
    const before = tx.rows.length;
    for (const event of fresh.value) append(context, run, event);
    course.placed(tx.rows.slice(before).filter(({ run_id }) => run_id === run.run_id));
    listen(context, run, payload.events, fresh.value);
    tx.courses.set(run.run_id, course);
  }
  const event = readEvent(log.at(course.newest ?? newest));
  return event === undefined ? UNKNOWN_RUN : ok(event);
}

/** What its reply says, made from the newest event of the run. */
export function feedFacts({ seq, type, payload }: Event) {
  if (!("run_seq" in payload)) throw new TypeError("a run ends with an event of another kind");
  const ended = type === "agent_completed";
  return { seq, next_run_seq: payload.run_seq + 1, ended, ...(ended && { status: payload.status }) };
}

/** A run is looked at as a whole, again and again. What ends it, or a call of it, always has room. */
function fits(course: Course, fresh: readonly FedEvent[]): boolean {
  const more = fresh.filter(({ type }) => type !== "tool_completed" && type !== "agent_completed");
  if (more.length === 0) return true;
  return more.reduce((sum, event) => sum + JSON.stringify(event).length, course.chars) <= MAX_FED_RUN_CHARS;
}

const TOO_MUCH = refuse("too_large", `the events of a fed run may have ${MAX_FED_RUN_CHARS} characters`, {
  field: "events",
  limit: MAX_FED_RUN_CHARS,
});

function freshOf(
  course: Course,
  fed: readonly Fed[],
  eventAt: (seq: number) => Event | undefined,
): Result<readonly FedEvent[]> {
  const fresh: FedEvent[] = [];
  let known = false;
  for (const [index, one] of fed.entries()) {
    if (fed[index - 1]?.type === "agent_completed") {
      return refuse("invalid_payload", "nothing follows agent_completed", { field: `events.${index}` });
    }
    if (one.type === "partial_result") continue;
    const advanced = course.advance(one, `events.${index}`, eventAt);
    if (!advanced.ok) return advanced;
    if (advanced.value) fresh.push(one);
    else known = true;
  }
  // Who says nothing new about a run that has ended does not know that yet.
  return course.ended && fresh.length === 0 && !known ? course.refuse("the run has ended") : ok(fresh);
}

function append({ runs, tx }: Context, run: Run, event: FedEvent): void {
  if (event.type !== "agent_completed") return runs.append(tx, run, draftOf(event));
  runs.finish(tx, run, { ...asRecorded(event.payload), open_tools: "outcome_unknown" });
}

function draftOf({ type, payload }: Exclude<FedEvent, { type: "agent_completed" }>): RunEventDraft {
  switch (type) {
    case "agent_thinking":
      return (of) => ({ type, payload: { ...of, ...payload } });
    case "tool_executing":
      return (of) => ({ type, payload: { ...of, ...payload, args: payload.args } });
    case "tool_completed":
      return (of) => ({ type, payload: { ...of, ...payload } });
    case "final_report":
      return (of) => ({ type, payload: { ...of, ...payload } });
  }
}

/** Text goes out around the events, not with them; and the feeder has been heard of. */
function listen({ runs, tx }: Context, run: Run, fed: readonly Fed[], fresh: readonly FedEvent[]): void {
  const last = fed.findLastIndex(({ type }) => type !== "partial_result");
  const before = textsOf(fed.slice(0, last + 1));
  const end = fresh.at(-1);
  if (end?.type === "agent_completed") before.push({ whole: asRecorded(end.payload).content });
  tx.fed.push({ run, before, after: textsOf(fed.slice(last + 1)) });
  if (fresh.length > 0 || run.feed === undefined) return;
  const { silent_after_ms, until } = run.feed;
  const wanted = tx.now + silent_after_ms;
  // Rows are billed: a lease that is a little too long is written once, not with every piece of text.
  if (wanted > until) runs.heard(run, { ...run.feed, until: wanted + Math.ceil(silent_after_ms / 4) });
}

function textsOf(fed: readonly Fed[]): (FedText | { whole: string })[] {
  return fed.flatMap((one) => (one.type === "partial_result" ? [one.payload] : []));
}

export const UNKNOWN_RUN = refuse("not_found", "no such run", { field: "run_id" });
