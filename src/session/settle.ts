/**
 * What follows a commit, in this order:
 *
 * 1. the alarm is set, so that nothing below can cost a run its wake-up;
 * 2. text that is pending goes out, before any later event of its run;
 * 3. every connection is pumped;
 * 4. runs that ended are stopped, runs that began are started.
 *
 * The commit stands whatever happens here, so nothing here may throw: what fails
 * for one connection or one run is reported, and the rest goes on.
 */
import type { Deadlines } from "./deadlines.ts";
import { RUN_WATCHDOG_MS } from "./duties.ts";
import { faultOf } from "./faults.ts";
import type { Host } from "./host.ts";
import type { Logger } from "./ports.ts";
import type { Pump } from "./pump.ts";
import type { Retention } from "./retention.ts";
import type { Runs } from "./runs.ts";
import type { SharedState } from "./shared-state.ts";
import type { Transaction } from "./transaction.ts";

export interface Followers {
  readonly runs: Runs;
  readonly shared: SharedState;
  readonly host: Host;
  readonly pump: Pump;
  readonly deadlines: Deadlines;
  readonly retention: Retention;
  readonly report: Logger;
}

export function settle(tx: Transaction, followers: Followers): void {
  const { runs, shared, host, pump, deadlines, retention, report } = followers;
  const changed = tx.events.length > 0 || tx.state_version !== undefined;
  const steps = [
    () => runs.committed(tx),
    () => shared.committed(tx),
    () => tx.started.length > 0 && deadlines.touch(tx.now + RUN_WATCHDOG_MS),
    () => changed && deadlines.touch(retention.dueAt(tx.now)),
    ...[...tx.runSeqs.keys()].map((run_id) => () => host.flush(run_id)),
    () => pump.all(),
    ...tx.ended.map((run_id) => () => host.stop(run_id)),
    ...tx.started.map((run_id) => () => host.start(run_id)),
  ];
  for (const step of steps) {
    try {
      step();
    } catch (cause) {
      report("error", "something after a commit failed", { ...faultOf(cause) });
    }
  }
}
