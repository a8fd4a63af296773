/** What a command works with: the transaction it is part of and the user's state. No I/O, no sockets. */
import type { Agent } from "../../agents/agent.ts";
import type { Principal } from "../../auth/principal.ts";
import type { Course } from "../course.ts";
import type { Log } from "../log.ts";
import type { Ids } from "../ports.ts";
import type { Runs } from "../runs.ts";
import type { SharedState } from "../shared-state.ts";
import type { Threads } from "../threads.ts";
import type { Transaction } from "../transaction.ts";

export interface State {
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
  readonly shared: SharedState;
  readonly ids: Ids;
  readonly agent: Agent;
  /** The text a run has streamed so far: all that is kept of it if the run ends now. */
  readonly textOf: (run_id: string, tx: Transaction) => string;
  /** How a fed run went, this transaction included: a copy, to go on from. */
  readonly courseOf: (run_id: string, is_unfinished: boolean, tx: Transaction) => Course;
}

export interface Context extends State {
  readonly tx: Transaction;
  readonly who: Principal;
  readonly client_id: string;
}
