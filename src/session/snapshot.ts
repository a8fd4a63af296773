/** Rows → snapshot: the state as of the head, from which the next event goes on. */
import { MAX_SNAPSHOT_BYTES, SNAPSHOT_MESSAGES } from "../protocol/limits.ts";
import {
  EMPTY_CONVERSATION,
  type Message,
  type Run as RunView,
  type Wait,
} from "../protocol/pure/conversation.ts";
import { fold } from "../protocol/pure/fold.ts";
import type { PartialResult, StateSnapshot } from "../protocol/stream.ts";
import { Budget, sizeOf } from "./budget.ts";
import { seqOf } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";
import type { SharedState } from "./shared-state.ts";
import { readEvent, readEvents, type StoredEvent } from "./stored-event.ts";
import { messageView, type Threads, threadView } from "./threads.ts";

/** More are listed by `GET /v1/threads`. */
const SNAPSHOT_THREADS = 100;

/** Less what the shared state takes, so that no message is crowded out; who has more of them reads on with `GET /v1/events`. */
const MAX_NOTIFICATIONS_BYTES = MAX_SNAPSHOT_BYTES / 2;

/** What threads with the longest of titles leave to notifications, they must not take from the newest message. */
const ROOM_FOR_MESSAGES = 64 * 1024;

/** What the newest message is cut to if it does not fit whole, UTF-16 code units: safe in JSON whatever it holds. */
const CUT_CHARS = 8 * 1024;

/** Of a run that does not fit: its newest steps, as many as an agent of the server may take. */
const CUT_STEPS = 20;

/** The same for the thoughts of a run that does not fit, for what is said of its waits, and for its text where even that is too much. */
const CUT_RUN_CHARS = 500;

/** What one long run must leave to each that comes after it, so that what a person is asked by those is seen. */
const ROOM_FOR_RUN = 1024;

export interface Source {
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
  readonly shared: SharedState;
  /** The text so far of every answer being written. */
  readonly streams: readonly PartialResult[];
}

/** @param now decides which notifications have expired */
export function snapshot({ log, threads, runs, shared, streams }: Source, now: number): StateSnapshot {
  const known = threads.newest(SNAPSHOT_THREADS);
  const budget = new Budget(MAX_SNAPSHOT_BYTES);
  const { version, document } = shared.read();
  const head = { as_of_seq: log.head, threads: known.map(threadView) };
  const state = { version, shared: document };
  budget.spend({ ...head, ...state });
  const unfinished = runs.unfinished();
  const others = ROOM_FOR_MESSAGES + unfinished.length * ROOM_FOR_RUN;
  const room = Math.min(MAX_NOTIFICATIONS_BYTES - sizeOf(document), budget.left - others);
  const unread = newestNotifications(log, log.time(now), room);
  budget.spend(unread);
  const [newest, ...older] = messagesOf(log, threads.history(known[0]?.head, SNAPSHOT_MESSAGES));
  const last = newest === undefined ? [] : [budget.takeFirst(newest, [cutShort])];
  const inProgress = fittingRuns(log, unfinished, streams, budget);
  const rest = budget.takeWhile(older);
  return {
    type: "state_snapshot",
    payload: { ...head, ...unread, ...state, ...inProgress, messages: [...last, ...rest].reverse() },
  };
}

/** Those of `rows`, newest first, that are messages; answers carry the report of their run. */
export function messagesOf(log: Log, rows: readonly StoredEvent[]): Message[] {
  const ratings = log.ratingsAfter(rows.at(-1)?.seq);
  return rows.flatMap((row) => {
    const message = messageView(row);
    if (message === undefined) return [];
    const rating = ratings.get(message.message_id);
    return [{ ...withReport(log, message), ...(rating === undefined ? {} : { rating }) }];
  });
}

function withReport(log: Log, message: Message): Message {
  const start = seqOf(message.run_id, ["r"]);
  if (message.role !== "assistant" || message.run_id === undefined || start === undefined) return message;
  const stored = log.reportOf(message.run_id, start, message.seq);
  const event = readEvent(stored);
  return event?.type === "final_report" ? { ...message, report: event.payload.report } : message;
}

/** Each as long as it can be; where not even the shortest fits, the ones that began first are there, and how many are missing is said. */
function fittingRuns(log: Log, runs: readonly Run[], streams: readonly PartialResult[], budget: Budget) {
  const shown = runs.flatMap((run, index) => {
    const view = runView(log, run, streams);
    if (view === undefined) return [];
    const room = budget.left - (runs.length - index - 1) * ROOM_FOR_RUN;
    const streaming = streams.some(({ payload }) => payload.run_id === run.run_id);
    return budget.takeWithin(room, shorterAndShorter(view, streaming));
  });
  const missing = runs.length - shown.length;
  return { runs: shown, ...(missing > 0 && { runs_omitted: missing }) };
}

/** The same fold the client uses, so that a snapshot shows exactly what the events would have. */
function runView(log: Log, run: Run, streams: readonly PartialResult[]): RunView | undefined {
  const { run_id, start_seq, state, counted_to, waits = [] } = run;
  // Nothing has come after it began to wait but answers to some of its waits, which its row has.
  const end = state === "waiting" ? counted_to : undefined;
  const asked = readEvent(log.at(start_seq));
  const events = [asked, ...readEvents(log.ofRun(run_id, start_seq, end))].filter(
    (event) => event !== undefined,
  );
  const text = streams.filter(({ payload }) => payload.run_id === run_id);
  const view = [...events, ...text]
    .reduce(fold, EMPTY_CONVERSATION)
    .runs.find((one) => one.run_id === run_id);
  if (end === undefined || view?.waits === undefined) return view;
  const open = view.waits.filter((wait) => waits.some(({ wait_id }) => wait_id === wait.wait_id));
  return { ...view, waits: open };
}

/** Oldest first; of more than fit the oldest are left out, and where they begin is said. */
function newestNotifications(log: Log, now: number, bytes: number) {
  const unread = readEvents(log.notificationsAfter(log.acked, now)).flatMap(notificationView);
  const shown = new Budget(bytes).takeWhile(unread.toReversed()).reverse();
  const [first] = unread;
  const count = unread.length - shown.length;
  const omitted =
    first === undefined || count === 0 ? {} : { notifications_omitted: { count, from: first.seq } };
  return { notifications: shown, ...omitted };
}

function notificationView(event: ReturnType<typeof readEvents>[number]) {
  return event.type === "notification" ? [{ seq: event.seq, ...event.payload }] : [];
}

/** @param streaming its text is about to come, so that none of it need be here */
function shorterAndShorter(view: RunView, streaming: boolean): RunView[] {
  const [some, few] = streaming ? [] : [CUT_CHARS, CUT_RUN_CHARS];
  return [view, withoutData(view, some), { ...withoutData(view, few), steps: [] }];
}

/**
 * A run that does not fit shows its steps and waits without arguments and results.
 * @param chars of its text; absent: none
 */
function withoutData(run: RunView, chars: number | undefined): RunView {
  const steps = run.steps.slice(-CUT_STEPS).map((step) => {
    if (step.kind === "thinking") return { ...step, thought: start(step.thought, CUT_RUN_CHARS) };
    const { result: _result, ...rest } = step;
    return { ...rest, args: null };
  });
  const { report: _report, waits, ...rest } = run;
  const known = chars === undefined ? { attempt: 0, text: "" } : { text: start(run.text, chars) };
  return { ...rest, steps, ...(waits && { waits: waits.map(withoutArgs) }), ...known, truncated: true };
}

function withoutArgs({ args, reason, ...wait }: Wait): Wait {
  return {
    ...wait,
    ...(args !== undefined && { args_omitted: true as const }),
    ...(reason !== undefined && { reason: start(reason, CUT_RUN_CHARS) }),
  };
}

function cutShort(message: Message): Message {
  const { report: _report, ...rest } = message;
  return { ...rest, content: start(message.content, CUT_CHARS), truncated: true };
}

/** Never half of a character. */
function start(text: string, chars: number): string {
  return text.slice(0, chars).toWellFormed();
}
