/**
 * What follows a commit, in this order:
 *
 * 1. the alarm is set, so that nothing below can cost a run its wake-up;
 * 2. text that is pending or was fed goes out, before any later event of its run;
 * 3. runs that ended, or wait, are stopped: nobody who catches up now is set to their text;
 * 4. every connection is pumped;
 * 5. text that was fed after the events goes out, and runs that began are started;
 * 6. whoever waits without a socket is told, and what operators count is counted.
 *
 * The commit stands whatever happens here, so nothing here may throw: what fails
 * for one connection or one run is reported, and the rest goes on.
 */
import type { Event } from "../protocol/events.ts";
import type { Answers } from "./answers.ts";
import type { Deadlines } from "./deadlines.ts";
import { RUN_WATCHDOG_MS } from "./duties.ts";
import { faultOf } from "./faults.ts";
import type { Feeds } from "./feeds.ts";
import type { Host } from "./host.ts";
import type { Logger, Measure } from "./ports.ts";
import type { Pump } from "./pump.ts";
import type { RemoteHost } from "./remote-host.ts";
import type { Retention } from "./retention.ts";
import type { Runs } from "./runs.ts";
import type { SharedState } from "./shared-state.ts";
import type { Transaction } from "./transaction.ts";
import type { Waiters } from "./waiters.ts";

export interface Followers {
  readonly runs: Runs;
  readonly answers: Answers;
  readonly feeds: Feeds;
  readonly shared: SharedState;
  readonly host: Host;
  readonly remote: RemoteHost;
  readonly pump: Pump;
  readonly deadlines: Deadlines;
  readonly retention: Retention;
  readonly waiters: Waiters;
  readonly measure: Measure;
  readonly report: Logger;
}

export function settle(tx: Transaction, followers: Followers): void {
  const { runs, shared, answers, feeds, host, remote, pump, deadlines, retention } = followers;
  const { waiters, measure, report } = followers;
  const changed = tx.events.length > 0 || tx.state_version !== undefined;
  const steps = [
    () => runs.committed(tx),
    () => shared.committed(tx),
    () => feeds.committed(tx),
    () => tx.started.length > 0 && deadlines.touch(tx.now + RUN_WATCHDOG_MS),
    () => tx.started.length > 0 && deadlines.touch(feeds.next() ?? Number.POSITIVE_INFINITY),
    () => changed && deadlines.touch(retention.dueAt(tx.now)),
    ...tx.suspended.map(
      ({ until }) =>
        () =>
          deadlines.touch(until),
    ),
    ...tx.fed.map((batch) => () => feeds.before(batch, tx)),
    ...[...tx.runSeqs.keys()].map((run_id) => () => answers.flush(run_id)),
    ...[...tx.ended, ...tx.suspended.map(({ run_id }) => run_id)].flatMap((run_id) => [
      () => host.stop(run_id),
      () => remote.stop(run_id),
      () => answers.end(run_id),
      () => feeds.forget(run_id),
    ]),
    () => pump.all(),
    ...tx.fed.map((batch) => () => feeds.after(batch, tx)),
    ...tx.started.map((run_id) => () => host.start(run_id)),
    ...tx.started.map((run_id) => () => remote.start(run_id)),
    () => waiters.ended(tx.ended),
    ...tx.events.map((event) => () => count(event, measure)),
  ];
  for (const step of steps) {
    try {
      step();
    } catch (cause) {
      report("error", "something after a commit failed", { ...faultOf(cause) });
    }
  }
}

function count(event: Event, measure: Measure): void {
  if (event.type !== "feedback_recorded") return;
  const { thread_id, message_id, run_id, rating } = event.payload;
  measure("feedback", [thread_id, message_id, run_id], [rating]);
}
