/** What a command works with: the transaction it is part of and the user's state. No I/O, no sockets. */
import type { Principal } from "../../auth/principal.ts";
import type { Plan } from "../../protocol/greeting.ts";
import type { SoFar } from "../answer.ts";
import type { Course } from "../course.ts";
import type { Log } from "../log.ts";
import type { Executor } from "../planning.ts";
import type { Ids } from "../ports.ts";
import type { Run } from "../run.ts";
import type { Runs } from "../runs.ts";
import type { SharedState } from "../shared-state.ts";
import type { Exceeded } from "../spending.ts";
import type { Threads } from "../threads.ts";
import type { Transaction } from "../transaction.ts";

export interface State {
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
  readonly shared: SharedState;
  readonly ids: Ids;
  /** Who answers, unless a service does. */
  readonly agent: Executor;
  /** Why models may not be called any more today. */
  readonly exceeded: (plan: Plan, now: number) => Exceeded | undefined;
  /** What is kept of a run if it ends now. */
  readonly soFar: (run: Run, tx: Transaction) => SoFar;
  /** How a fed run went, this transaction included: a copy, to go on from. */
  readonly courseOf: (run_id: string, is_unfinished: boolean, tx: Transaction) => Course;
}

export interface Context extends State {
  readonly tx: Transaction;
  readonly who: Principal;
  readonly client_id: string;
}
