/** What an operator may know of one user's session, and what a user may take away: the log as it lies there. */
import type { Connections } from "./connections.ts";
import type { Log } from "./log.ts";
import type { ExportPage, Overview, Rating, StatePage } from "./rpc.ts";
import type { Runs } from "./runs.ts";
import type { Storage } from "./storage.ts";
import { isErased, readEvents } from "./stored-event.ts";
import { type Threads, threadView } from "./threads.ts";

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
  readonly connections: Connections;
}

/** Feedback in one answer, newest first. */
const SHOWN_RATINGS = 50;

/** Undefined if there is no such user. */
export function overview(parts: Parts, now: number): Overview | undefined {
  const { storage, log, runs, connections } = parts;
  if (storage.born === undefined) return undefined;
  const { user_id, epoch } = storage.born;
  const ratings = ratingsOf(log);
  return {
    user_id,
    epoch,
    head_seq: log.head,
    floor_seq: log.floor(),
    acked_seq: log.acked,
    pending: log.weigh(log.acked, log.head, log.time(now)),
    connections: connections.all().map(({ connection_id, client_id, cursor, ack, heard_at }) => ({
      connection_id,
      client_id,
      cursor,
      ack,
      heard_at: new Date(heard_at).toISOString(),
    })),
    runs: runs.unfinished().map(({ run_id, thread_id, agent_name, state, attempt, accepted_at }) => ({
      run_id,
      thread_id,
      agent_name,
      state,
      attempt,
      accepted_at: new Date(accepted_at).toISOString(),
    })),
    feedback: {
      good: ratings.filter(({ rating }) => rating === 1).length,
      bad: ratings.filter(({ rating }) => rating === -1).length,
      newest: ratings.toReversed().slice(0, SHOWN_RATINGS),
    },
  };
}

/** The last word on each answer, in the order in which it was said. */
function ratingsOf(log: Log): Rating[] {
  const ratings = new Map<string, Rating>();
  for (const { type, payload } of readEvents(log.ratings())) {
    if (type !== "feedback_recorded") continue;
    ratings.delete(payload.message_id);
    ratings.set(payload.message_id, payload);
  }
  return [...ratings.values()];
}

/** Events in one page of an export; each may have 256 KiB. */
const PAGE_EVENTS = 32;

/**
 * Everything that is kept, page by page. Unlike reading events, taking a copy is no acknowledgement.
 * @param shared the shared state as it is now
 */
export function exportPage({ storage, log, threads }: Parts, shared: StatePage, after: number): ExportPage {
  const rows = log.after(after, PAGE_EVENTS);
  const last = rows.at(-1)?.seq ?? log.head;
  return {
    events: rows.filter((row) => !isErased(row)).map(({ frame }) => frame),
    ...(last < log.head ? { next: last } : {}),
    ...(after > 0
      ? {}
      : {
          facts: {
            epoch: storage.born?.epoch ?? null,
            head_seq: log.head,
            threads: threads.newest(Number.MAX_SAFE_INTEGER).map(threadView),
            shared_state: shared,
          },
        }),
  };
}
