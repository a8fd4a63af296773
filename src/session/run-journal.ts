/**
 * The journal of one run, for whoever wants to step its agent through it again
 * (docs/replay.md): what the agent was given, and what came of each of its effects.
 */
import * as z from "zod/mini";
import { DEFAULT_LIMITS, MAX_PAGE_BYTES } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { Budget } from "./budget.ts";
import { seqOf } from "./ids.ts";
import { journalEntries, LEFT_OUT } from "./journal-entry.ts";
import type { Log } from "./log.ts";
import type { Recorded } from "./log-reader.ts";
import type { JournaledRun, RunJournal } from "./rpc.ts";
import { attemptsOf, questionAskedBy, type Run, runAskedBy } from "./run.ts";
import { runInput } from "./run-input.ts";
import type { Runs } from "./runs.ts";
import { readEvent } from "./stored-event.ts";
import type { Threads } from "./threads.ts";

interface Parts {
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
}

/** Where a run is in the log; its own events lie after `start_seq`. */
interface Found {
  readonly run: JournaledRun;
  readonly start_seq: number;
  /** Seq of its last event; absent while it is unfinished. */
  readonly end?: number;
}

export function runJournal(parts: Parts, run_id: string): Result<RunJournal> {
  const found = unfinished(parts, run_id) ?? ended(parts, run_id);
  if (found === undefined) return refuse("not_found", "no such run");
  const { run, start_seq, end } = found;
  const { log, threads } = parts;
  const budget = new Budget(MAX_PAGE_BYTES);
  const asked = { ...run, start_seq, accepted_at: Date.parse(run.accepted_at) };
  // Of a run that has ended nobody knows the plan any more.
  const whole = runInput(asked, log, threads, DEFAULT_LIMITS.run_steps);
  budget.spend([run, { ...whole, history: [] }]);
  const { rows, complete } = fitting(log.recordOf(run_id, start_seq, end), budget);
  // What was said last matters most.
  const history = budget.takeWhile(whole.history.toReversed()).reverse();
  return ok({
    run: { ...run, ...versionIn(rows[0]) },
    input: { ...whole, history },
    events: rows.map(({ frame }) => frame),
    models: rows.flatMap(({ journal }) => (journal === undefined ? [] : journalEntries(journal))),
    complete: complete && history.length === whole.history.length,
  });
}

function unfinished({ runs }: Parts, run_id: string): Found | undefined {
  const run = runs.get(run_id);
  return run && { run: factsOf(run), start_seq: run.start_seq };
}

function factsOf(run: Run): JournaledRun {
  const { run_id, thread_id, agent_name, agent_version, question_id, message_id, state } = run;
  return {
    ...{ run_id, thread_id, agent_name, agent_version, question_id, message_id, state },
    attempts: attemptsOf(run),
    accepted_at: new Date(run.accepted_at).toISOString(),
  };
}

/** Of a run that has ended there is no row: what asked for it and how it ended say who it was. */
function ended({ log }: Parts, run_id: string): Found | undefined {
  const start_seq = seqOf(run_id, ["r"]) ?? 0;
  const asked = readEvent(log.at(start_seq));
  const question_id = asked && questionAskedBy(asked);
  if (asked === undefined || question_id === undefined || runAskedBy(asked) !== run_id) return undefined;
  const completed = readEvent(log.answerOf(start_seq));
  if (completed?.type !== "agent_completed" || completed.payload.run_id !== run_id) return undefined;
  const { thread_id, agent_name, message_id, status, attempts } = completed.payload;
  const { timestamp } = asked.payload;
  const run = { run_id, thread_id, agent_name, question_id, message_id, status, attempts };
  return { run: { ...run, state: "ended", accepted_at: timestamp }, start_seq, end: completed.seq };
}

const place = z.object({
  payload: z.object({
    run_seq: z.number(),
    step: z.optional(z.number()),
    agent_version: z.optional(z.string()),
  }),
});

function placeOf({ frame }: Recorded) {
  return place.parse(JSON.parse(frame)).payload;
}

/** As many of the first steps as there is room for: half a step would look like something else. */
function fitting(record: Iterable<Recorded>, budget: Budget) {
  const rows: Recorded[] = [];
  let complete = true;
  for (const row of record) {
    const { run_seq, step } = placeOf(row);
    if (!budget.take([row.frame, row.journal])) {
      return { rows: step === undefined ? rows : before(step, rows), complete: false };
    }
    complete &&= run_seq === rows.length && row.journal !== LEFT_OUT;
    rows.push(row);
  }
  return { rows, complete };
}

function before(step: number, rows: readonly Recorded[]): readonly Recorded[] {
  const last = rows.findLastIndex((row) => placeOf(row).step !== step);
  return rows.slice(0, last + 1);
}

function versionIn(first: Recorded | undefined): Pick<JournaledRun, "agent_version"> {
  const { agent_version } = first === undefined ? {} : placeOf(first);
  return agent_version === undefined ? {} : { agent_version };
}
