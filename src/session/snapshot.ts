/** Rows → snapshot: the state as of the head, from which the next event goes on. */
import { MAX_SNAPSHOT_BYTES, SNAPSHOT_MESSAGES } from "../protocol/limits.ts";
import { utf8Length } from "../protocol/primitives.ts";
import { EMPTY_CONVERSATION, type Message, type Run as RunView } from "../protocol/pure/conversation.ts";
import { fold } from "../protocol/pure/fold.ts";
import type { StateSnapshot } from "../protocol/stream.ts";
import { type Log, readEvent, type StoredEvent } from "./log.ts";
import type { Run, Runs } from "./runs.ts";
import { messageView, type Threads, threadView } from "./threads.ts";

/** More are listed by `GET /v1/threads`. */
const SNAPSHOT_THREADS = 100;

export function snapshot(log: Log, threads: Threads, runs: Runs): StateSnapshot {
  const known = threads.all();
  const head: Omit<StateSnapshot["payload"], "messages"> = {
    as_of_seq: log.head,
    threads: known.slice(0, SNAPSHOT_THREADS).map(threadView),
    runs: runs.unfinished().flatMap((run) => runView(log, run)),
    notifications: log.notificationsAfter(log.acked).flatMap(notificationView),
    version: 0,
    shared: {},
  };
  const budget = MAX_SNAPSHOT_BYTES - utf8Length(JSON.stringify(head));
  const newest = messagesOf(log, threads, known[0]?.head, SNAPSHOT_MESSAGES);
  return { type: "state_snapshot", payload: { ...head, messages: fitting(newest, budget).reverse() } };
}

/** Newest first; answers carry the report of their run. */
export function messagesOf(log: Log, threads: Threads, head: number | undefined, limit: number): Message[] {
  return threads.history(head, limit).flatMap((row) => {
    const message = messageView(row);
    return message === undefined ? [] : [withReport(log, message)];
  });
}

function withReport(log: Log, message: Message): Message {
  const start = Number(/^r_(\d{1,15})_/.exec(message.run_id ?? "")?.[1]);
  if (message.role !== "assistant" || message.run_id === undefined || Number.isNaN(start)) return message;
  const stored = log.ofRun(message.run_id, start).findLast(({ type }) => type === "final_report");
  const event = stored === undefined ? undefined : readEvent(stored);
  return event?.type === "final_report" ? { ...message, report: event.payload.report } : message;
}

/** The same fold the client uses, so that a snapshot shows exactly what the events would have. */
function runView(log: Log, run: Run): RunView[] {
  const question = log.at(run.start_seq);
  const rows = [...(question === undefined ? [] : [question]), ...log.ofRun(run.run_id, run.start_seq)];
  const view = rows.map(readEvent).reduce(fold, EMPTY_CONVERSATION);
  return view.runs.filter(({ run_id }) => run_id === run.run_id);
}

function notificationView(row: StoredEvent) {
  const event = readEvent(row);
  return event.type === "notification" ? [{ seq: event.seq, ...event.payload }] : [];
}

function fitting(messages: readonly Message[], budget: number): Message[] {
  let left = budget;
  const first = messages.findIndex((message) => {
    left -= utf8Length(JSON.stringify(message)) + 1;
    return left < 0;
  });
  return messages.slice(0, first === -1 ? messages.length : first);
}
