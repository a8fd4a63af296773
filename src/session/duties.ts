/** What the alarm is for: everything that must happen although nobody asks for it. */
import type { Principal } from "../auth/principal.ts";
import { STALL_LIMIT_MS } from "../protocol/limits.ts";
import { type Refusal, refuse } from "../protocol/result.ts";
import { type Connection, type Connections, endsAt } from "./connections.ts";
import type { Duty } from "./deadlines.ts";
import { faultOf } from "./faults.ts";
import type { Host } from "./host.ts";
import type { Log } from "./log.ts";
import type { Logger } from "./ports.ts";
import type { Pump } from "./pump.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";
import type { Storage } from "./storage.ts";
import { commit, type Transaction } from "./transaction.ts";

/** Longer than any run may take: by then it has ended, or nobody is executing it any more. */
export const RUN_WATCHDOG_MS = 60_000;

export function runWatchdog(runs: Runs, host: Host): Duty {
  return {
    name: "runs",
    next: (now) =>
      runs.unfinished().some((run) => ours(run) && run.state !== "waiting")
        ? now + RUN_WATCHDOG_MS
        : undefined,
    perform: () => host.takeOver(),
  };
}

interface Waiting {
  readonly storage: Storage;
  readonly log: Log;
  readonly runs: Runs;
  readonly report: Logger;
  /** Makes what was committed happen; never throws. */
  readonly settle: (tx: Transaction) => void;
}

/** Ends what nobody has answered in time. One by one: a run that cannot go on must not keep the others waiting. */
export function waits({ storage, log, runs, report, settle }: Waiting): Duty {
  const open = () =>
    runs.unfinished().flatMap(({ run_id, waits = [] }) => waits.map((wait) => ({ run_id, ...wait })));
  const expire = ({ run_id, wait_id }: Due, now: number) => {
    // Looked up again: the one before it may have been of the same run.
    const run = runs.get(run_id);
    if (!run?.waits?.some((wait) => wait.wait_id === wait_id)) return;
    const { tx } = commit(storage, log, now, (tx) => runs.resume(tx, run, wait_id, { decision: "expired" }));
    settle(tx);
  };
  return {
    name: "waits",
    next: () => earliest(open().map(({ expires_at }) => expires_at)),
    perform(now) {
      for (const due of open().filter(({ expires_at }) => expires_at <= now)) {
        try {
          expire(due, now);
        } catch (cause) {
          const { run_id, wait_id } = due;
          report("error", "a wait could not be ended", { run_id, wait_id, ...faultOf(cause) });
        }
      }
    },
  };
}

interface Due {
  readonly run_id: string;
  readonly wait_id: string;
}

/** Runs that are executed elsewhere have a duty of their own: `Feeds`. */
function ours({ feed }: Run): boolean {
  return feed === undefined;
}

/** So long before its end a client is told that its token ends; of a shorter one, halfway. */
const WARNING_MS = 60_000;

/** When to tell the client, whole milliseconds since the epoch: an alarm has no fractions. */
export function warnAt({ exp }: Principal, now: number): number {
  const ends = exp * 1_000;
  return Math.floor(ends - Math.min(WARNING_MS, Math.max(0, ends - now) / 2));
}

/** Once for each token: whoever renews in time never notices that it ends. */
export function tokenWarnings(
  connections: Connections,
  pump: Pump,
  failed: (connection: Connection, cause: unknown) => void,
): Duty {
  return {
    name: "token warnings",
    next: () => earliest(connections.all().map(({ warn_at }) => warn_at)),
    perform(now) {
      connections.each((connection) => {
        if (connection.warn_at === undefined || connection.warn_at > now) return;
        connection.warn_at = undefined;
        connections.save(connection);
        const expires_in_ms = Math.max(0, connection.who.exp * 1_000 - now);
        pump.send(connection, { type: "auth_expiring", payload: { expires_in_ms } });
      }, failed);
    },
  };
}

type End = (connection: Connection, refusal: Refusal) => void;

export function tokenExpiry(connections: Connections, end: End): Duty {
  return ending("tokens", connections, endsAt, (connection) => end(connection, TOKEN_EXPIRED));
}

/** A client that takes nothing more is asked to come back when it can. */
export function slowConsumers(connections: Connections, end: End): Duty {
  const dueAt = ({ stalled_at }: Connection) =>
    stalled_at === undefined ? undefined : stalled_at + STALL_LIMIT_MS;
  return ending("slow consumers", connections, dueAt, (connection) => end(connection, SLOW_CONSUMER));
}

/** Ends connections when their time has come. */
function ending(
  name: string,
  connections: Connections,
  dueAt: (connection: Connection) => number | undefined,
  end: (connection: Connection) => void,
): Duty {
  return {
    name,
    next: () => earliest(connections.all().map(dueAt)),
    perform(now) {
      for (const connection of connections.all()) {
        if ((dueAt(connection) ?? Number.POSITIVE_INFINITY) <= now) end(connection);
      }
    },
  };
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

export const TOKEN_EXPIRED = refuse("token_expired", "the token has expired").refusal;

const SLOW_CONSUMER = refuse("slow_consumer", "too much was sent and not acknowledged for too long").refusal;
