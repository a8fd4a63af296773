/**
 * A user's durable state, put together from its modules. What each does is
 * decided there; how they follow one another after a commit is in settle.ts.
 */

import type { Principal } from "../auth/principal.ts";
import { SILENT_AFTER_MS } from "../protocol/feeding.ts";
import { STALL_LIMIT_MS } from "../protocol/limits.ts";
import { closeOf } from "../protocol/refusal.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import { Answers } from "./answers.ts";
import type { State } from "./commands/context.ts";
import { type Connection, Connections } from "./connections.ts";
import { Deadlines } from "./deadlines.ts";
import { runWatchdog, slowConsumers, TOKEN_EXPIRED, tokenExpiry, tokenWarnings, waits } from "./duties.ts";
import { faultOf } from "./faults.ts";
import { Feeds } from "./feeds.ts";
import { Flood } from "./flood.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Host, type Progress } from "./host.ts";
import { Inbox } from "./inbox.ts";
import { Intake } from "./intake.ts";
import { Log } from "./log.ts";
import type { Executor } from "./planning.ts";
import type { Ports, Socket } from "./ports.ts";
import { Pump } from "./pump.ts";
import { Reception } from "./reception.ts";
import { RemoteHost } from "./remote-host.ts";
import { Renewal } from "./renewal.ts";
import { Requests } from "./requests.ts";
import { Retention } from "./retention.ts";
import { Runs } from "./runs.ts";
import { settle } from "./settle.ts";
import { SharedState } from "./shared-state.ts";
import { refuseSignedOut, SIGNED_OUT, signOut } from "./sign-out.ts";
import { snapshot } from "./snapshot.ts";
import { soFarOf } from "./so-far.ts";
import { Spending } from "./spending.ts";
import { Storage } from "./storage.ts";
import { Threads } from "./threads.ts";
import type { Transaction } from "./transaction.ts";
import { Waiters } from "./waiters.ts";

/** All that outlives an erasure: without it, a token that was signed out would be good again. */
interface Remembered {
  /** Tokens issued before this time (seconds since the epoch) are refused; 0 if nobody ever signed out. */
  readonly not_before: number;
}

export class Session {
  readonly reception: Reception;
  readonly intake: Intake;
  readonly connections: Connections;
  /** What may be asked without a socket. */
  readonly requests: Requests;
  readonly deadlines: Deadlines;
  readonly #ports: Ports;
  readonly #storage: Storage;
  readonly #log: Log;
  readonly #runs: Runs;
  readonly #host: Host;
  readonly #remote: RemoteHost;
  readonly #pump: Pump;
  readonly #waiters = new Waiters();

  constructor(ports: Ports) {
    const { clock, ids, plans, report, codecs } = ports;
    const storage = new Storage(ports.storage, ports.user_id, ids);
    const log = new Log(storage);
    const threads = new Threads(storage, log);
    const shared = new SharedState(storage);
    const spending = new Spending(storage, ports.prices);
    const runs = new Runs({ storage, log, threads, spending }, ids, plans);
    const connections = new Connections(ports.sockets(), codecs);
    const end = (connection: Connection, refusal: Refusal) => this.reception.end(connection, refusal);
    const failed = (connection: Connection, cause: unknown) => this.fail(connection.socket, cause);
    const answers = new Answers(clock, (frame) => pump.stream(frame));
    const pump: Pump = new Pump({
      log,
      connections,
      clock,
      streams: answers,
      shared,
      expired: (connection) => end(connection, TOKEN_EXPIRED),
      failed,
      stalled: (at) => this.deadlines.touch(at + STALL_LIMIT_MS),
    });
    const retention = new Retention({ storage, log, shared, spending }, ports.retention_days);
    const afterCommit = (tx: Transaction) =>
      settle(tx, { ...followers, host: this.#host, remote: this.#remote, deadlines: this.deadlines });
    const heartbeat = new Heartbeat({ ...ports, connections, pump, end, failed });
    const own = {
      storage,
      log,
      threads,
      runs,
      spending,
      shared,
      answers,
      connections,
      pump,
      heartbeat,
      settle: afterCommit,
    };
    const feeds = new Feeds({ ...own, clock, report });
    const followers = {
      runs,
      shared,
      answers,
      feeds,
      pump,
      retention,
      waiters: this.#waiters,
      measure: ports.measure,
      report,
    };
    this.#ports = ports;
    this.#storage = storage;
    this.#log = log;
    this.#runs = runs;
    this.#pump = pump;
    this.connections = connections;
    const progress = (payload: Progress) => pump.stream({ type: "tool_progress", payload });
    this.#host = new Host({ ...ports, ...own, progress });
    const server = serverOf(ports.user_id);
    this.#remote = new RemoteHost({
      ...ports,
      ...own,
      feeds,
      submit: (run_id, events) =>
        this.requests.enqueue(server, { type: "feed", payload: { run_id, events, remote: true } }),
    });
    this.deadlines = new Deadlines(ports.storage, clock, report, [
      runWatchdog(runs, this.#host),
      waits({ ...own, report }),
      feeds,
      tokenExpiry(connections, end),
      tokenWarnings(connections, pump, failed),
      slowConsumers(connections, end),
      heartbeat,
      retention,
    ]);
    const { deadlines } = this;
    this.reception = new Reception({
      ...ports,
      ...own,
      deadlines,
      snapshot: () => snapshot({ log, threads, runs, shared, streams: answers.current() }, clock.now()),
    });
    const courseOf: State["courseOf"] = (run_id, is_unfinished, tx) =>
      feeds.course(run_id, is_unfinished, tx);
    const besides = () => runs.spentMeanwhile((run_id) => answers.soFar(run_id));
    const exceeded: State["exceeded"] = (plan, now) => spending.exceeded(plans[plan], now, besides);
    const agent = executorOf(ports);
    const soFar = soFarOf({ feeds, answers });
    const state = { log, threads, runs, shared, ids, agent, exceeded, soFar, courseOf };
    const inbox = new Inbox({ ...own, state, clock, report });
    this.requests = new Requests({ ...own, inbox, waiters: this.#waiters, clock, plans });
    const flood = new Flood(plans);
    const { reception } = this;
    const renewal = new Renewal({ ...ports, ...own, deadlines, reception });
    this.intake = new Intake({ ...own, inbox, clock, flood, renewal, reception });
  }

  /**
   * Once, before any event reaches the session. Writes nothing, and does not throw
   * for what is in the log: an object that cannot wake can help nobody.
   * @param alarm what the platform has set already, milliseconds since the epoch
   */
  wake(alarm: number | null): void {
    this.deadlines.recall(alarm);
    for (const { ack } of this.connections.all()) this.#log.recall(ack);
    // Only a crash between a commit and its pump can have left a cursor behind.
    this.#pump.all();
    if (this.#runs.unfinished().length > 0) this.#ports.background(this.#takeOver());
  }

  /** A fault of ours on one connection: it is asked to come back, the others notice nothing. */
  fail(socket: Socket, cause: unknown): void {
    this.#ports.report("error", "a connection failed", { ...faultOf(cause) });
    const { refusal } = refuse("internal", "something went wrong here; reconnect");
    const connection = this.connections.of(socket);
    if (connection === undefined)
      this.connections.drop(socket, closeOf(refusal).code, closeOf(refusal).reason);
    else this.reception.end(connection, refusal);
  }

  /**
   * The first half of an erasure: nobody is connected any more, nothing works, and
   * nothing that comes late can write. The storage is then emptied by who owns it,
   * and a new session takes the place of this one.
   */
  erase(who: Principal): Result<Remembered> {
    const refused = refuseSignedOut(this.#storage, who);
    if (refused !== undefined) return refused;
    const unfinished = this.#runs.unfinished().map(({ run_id }) => run_id);
    this.#storage.retire();
    for (const run_id of unfinished) {
      this.#host.stop(run_id);
      this.#remote.stop(run_id);
    }
    this.#waiters.ended(unfinished);
    const dropped = (connection: Connection) => this.connections.drop(connection.socket, 1_000, "");
    this.connections.each((connection) => this.reception.end(connection, ERASED), dropped);
    return ok({ not_before: this.#storage.born?.not_before ?? 0 });
  }

  /** What an earlier session of this user refused is refused by this one. */
  remember({ not_before }: Remembered): void {
    if (not_before > 0) this.#storage.refuseBefore(not_before);
  }

  /** For when something is wrong that nobody can mend: every client drops what it has and begins anew. */
  invalidate(): Result<void> {
    if (!this.#storage.renewEpoch()) return refuse("not_found", "no such user");
    for (const connection of this.connections.all()) this.reception.end(connection, INVALIDATED);
    return ok(undefined);
  }

  /** @param who as in `SessionRpc`: an old token must not sign out whoever has signed in since */
  signOut(who?: Principal): Result<void> {
    const refused = who && refuseSignedOut(this.#storage, who);
    if (refused !== undefined) return refused;
    signOut(this.#storage, this.#ports.clock.now());
    for (const connection of this.connections.all()) this.reception.end(connection, SIGNED_OUT.refusal);
    return ok(undefined);
  }

  /** Scheduled by the wake, not done in it: agent code must not keep the object from waking. */
  async #takeOver(): Promise<void> {
    await this.#ports.clock.wait(0);
    this.#host.takeOver();
    this.#remote.takeOver();
  }
}

/** Who answers what people say. */
function executorOf({ agents, remote }: Ports): Executor {
  if (remote === undefined) return agents[0];
  const { name, version } = remote;
  return { name, version, uses_models: true, feed: { silent_after_ms: SILENT_AFTER_MS, remote: true } };
}

/** What the session itself submits, it may; nobody's permissions are asked for. */
function serverOf(user_id: string): Principal {
  return { user_id, realm: "", sub: "", permissions: [], plan: "free", iat: 0, exp: 0 };
}

const ERASED = refuse("state_invalidated", "all that was kept of this user has been deleted").refusal;

const INVALIDATED = refuse("state_invalidated", "the server asks every client to begin anew").refusal;
