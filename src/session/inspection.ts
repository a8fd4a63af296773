/** What an operator may know of one user's session, and what a user may take away: the log as it lies there. */
import { MAX_PAGE_BYTES } from "../protocol/limits.ts";
import { page } from "./budget.ts";
import type { Connections } from "./connections.ts";
import type { Log } from "./log.ts";
import type { ExportPage, Overview, Rating, StatePage, ThreadsPage } from "./rpc.ts";
import type { Runs } from "./runs.ts";
import type { Spending } from "./spending.ts";
import type { Storage } from "./storage.ts";
import { isErased, readEvents } from "./stored-event.ts";
import { type Threads, threadView } from "./threads.ts";

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
  readonly connections: Connections;
  readonly spending: Spending;
}

/** Feedback in one answer, newest first. */
const SHOWN_RATINGS = 50;

/** Undefined if there is no such user. */
export function overview(parts: Parts, now: number): Overview | undefined {
  const { storage, log, runs, connections } = parts;
  if (storage.born === undefined) return undefined;
  const { user_id, epoch } = storage.born;
  const ratings = [...log.ratingsAfter(0).values()];
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
    usage: parts.spending.overview(log.time(now)),
    feedback: {
      good: ratings.filter((rating) => rating === 1).length,
      bad: ratings.filter((rating) => rating === -1).length,
      newest: newestRatings(log),
    },
  };
}

/** The last word on each of the answers that something was said of last. */
function newestRatings(log: Log): Rating[] {
  return readEvents(log.newestRatings(SHOWN_RATINGS)).flatMap(({ type, payload }) =>
    type === "feedback_recorded" ? [payload] : [],
  );
}

/** Events in one page of an export. */
const PAGE_EVENTS = 32;

/** Threads in one page of an export. */
const PAGE_THREADS = 500;

/**
 * All events that are kept, page by page, with what is not in them: not what serves to carry runs out. Unlike reading events, taking a copy is no acknowledgement.
 * @param shared the shared state as it is now
 */
export function exportPage({ storage, log, spending }: Parts, shared: StatePage, after: number): ExportPage {
  const rows = page(MAX_PAGE_BYTES, log.after(after, PAGE_EVENTS));
  const last = rows.at(-1)?.seq ?? log.head;
  const epoch = storage.born?.epoch ?? null;
  const facts = { epoch, head_seq: log.head, shared_state: shared, usage: spending.all() };
  return {
    events: rows.filter((row) => !isErased(row)).map(({ frame }) => frame),
    ...(last < log.head ? { next: last } : {}),
    ...(after > 0 ? {} : { facts }),
  };
}

/** The threads themselves, by their ids: what is said meanwhile does not move them. */
export function exportThreads({ threads }: Parts, after: string): ThreadsPage {
  const rows = threads.byId(PAGE_THREADS, after);
  const last = rows[PAGE_THREADS - 1];
  return { threads: rows.map(threadView), ...(last === undefined ? {} : { next: last.thread_id }) };
}
