/** What the alarm is for: everything that must happen although nobody asks for it. */
import { STALL_LIMIT_MS } from "../protocol/limits.ts";
import { type Refusal, refuse } from "../protocol/result.ts";
import { type Connection, type Connections, endsAt } from "./connections.ts";
import type { Duty } from "./deadlines.ts";
import type { Host } from "./host.ts";
import type { Runs } from "./runs.ts";

/** Longer than any run may take: by then it has ended, or nobody is executing it any more. */
export const RUN_WATCHDOG_MS = 60_000;

export function runWatchdog(runs: Runs, host: Host): Duty {
  return {
    name: "runs",
    next: (now) => (runs.unfinished().length > 0 ? now + RUN_WATCHDOG_MS : undefined),
    perform: () => host.takeOver(),
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
