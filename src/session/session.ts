/**
 * A user's durable state, put together from its modules. What each does is
 * decided there; how they follow one another after a commit is in settle.ts.
 */

import type { Principal } from "../auth/principal.ts";
import { STALL_LIMIT_MS } from "../protocol/limits.ts";
import { closeOf } from "../protocol/refusal.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import { eventOf, type Outcome } from "./commands/dispatch.ts";
import { type Connection, Connections } from "./connections.ts";
import { Deadlines } from "./deadlines.ts";
import { runWatchdog, slowConsumers, TOKEN_EXPIRED, tokenExpiry, tokenWarnings } from "./duties.ts";
import { faultOf } from "./faults.ts";
import { Flood } from "./flood.ts";
import { Heartbeat } from "./heartbeat.ts";
import { listMessages, listThreads } from "./history.ts";
import { Host } from "./host.ts";
import { Inbox } from "./inbox.ts";
import { Intake } from "./intake.ts";
import { Log } from "./log.ts";
import type { Ports, Socket } from "./ports.ts";
import { Pump } from "./pump.ts";
import { readEvents } from "./reading.ts";
import { Reception } from "./reception.ts";
import { Renewal } from "./renewal.ts";
import { Retention } from "./retention.ts";
import type {
  EventPage,
  EventQuery,
  MessagePage,
  MessageQuery,
  Publication,
  Published,
  StatePage,
  ThreadPage,
  ThreadQuery,
} from "./rpc.ts";
import { Runs } from "./runs.ts";
import { settle } from "./settle.ts";
import { SharedState } from "./shared-state.ts";
import { refuseSignedOut, SIGNED_OUT, signOut } from "./sign-out.ts";
import { snapshot } from "./snapshot.ts";
import { Storage } from "./storage.ts";
import { Threads } from "./threads.ts";
import type { Transaction } from "./transaction.ts";

export class Session {
  readonly reception: Reception;
  readonly intake: Intake;
  readonly connections: Connections;
  readonly deadlines: Deadlines;
  readonly #ports: Ports;
  readonly #storage: Storage;
  readonly #log: Log;
  readonly #threads: Threads;
  readonly #runs: Runs;
  readonly #shared: SharedState;
  readonly #host: Host;
  readonly #pump: Pump;
  readonly #inbox: Inbox;

  constructor(ports: Ports) {
    const { clock, ids, plans, report, codecs } = ports;
    const storage = new Storage(ports.storage, ports.user_id, ids);
    const log = new Log(storage);
    const threads = new Threads(storage, log);
    const shared = new SharedState(storage);
    const runs = new Runs(storage, log, threads, ids, plans);
    const connections = new Connections(ports.sockets(), codecs);
    const end = (connection: Connection, refusal: Refusal) => this.reception.end(connection, refusal);
    const failed = (connection: Connection, cause: unknown) => this.fail(connection.socket, cause);
    const pump = new Pump({
      log,
      connections,
      clock,
      streams: { current: () => this.#host.current() },
      shared,
      expired: (connection) => end(connection, TOKEN_EXPIRED),
      failed,
      stalled: (at) => this.deadlines.touch(at + STALL_LIMIT_MS),
    });
    const retention = new Retention(storage, log, runs, shared, ports.retention_days);
    const followers = () => ({ host: this.#host, deadlines: this.deadlines, retention, report });
    const afterCommit = (tx: Transaction) => settle(tx, { runs, shared, pump, ...followers() });
    const heartbeat = new Heartbeat({ ...ports, connections, pump, end, failed });
    const own = { storage, log, threads, runs, shared, connections, pump, heartbeat, settle: afterCommit };
    this.#ports = ports;
    this.#storage = storage;
    this.#log = log;
    this.#threads = threads;
    this.#runs = runs;
    this.#shared = shared;
    this.#pump = pump;
    this.connections = connections;
    this.#host = new Host({ ...ports, ...own, stream: (frame) => pump.stream(frame) });
    this.deadlines = new Deadlines(ports.storage, clock, report, [
      runWatchdog(runs, this.#host),
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
      snapshot: () => snapshot({ log, threads, runs, shared, streams: this.#host.current() }, clock.now()),
    });
    const textOf = (run_id: string) => this.#host.textOf(run_id);
    const state = { log, threads, runs, shared, ids, agent: ports.agents[0], textOf };
    this.#inbox = new Inbox({ ...own, state, clock, report });
    const flood = new Flood(plans);
    const { reception } = this;
    const renewal = new Renewal({ ...ports, ...own, deadlines, reception });
    this.intake = new Intake({ ...own, inbox: this.#inbox, clock, flood, renewal, reception });
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

  listThreads(who: Principal, query: ThreadQuery): Result<ThreadPage> {
    return refuseSignedOut(this.#storage, who) ?? ok(listThreads(this.#threads, query));
  }

  listMessages(who: Principal, query: MessageQuery): Result<MessagePage> {
    return refuseSignedOut(this.#storage, who) ?? listMessages(this.#log, this.#threads, query);
  }

  readEvents(who: Principal, query: EventQuery): Result<EventPage> {
    const refused = refuseSignedOut(this.#storage, who);
    if (refused !== undefined) return refused;
    return readEvents(this.#log, this.#storage.born?.epoch, query, this.#log.time(this.#ports.clock.now()));
  }

  readState(who: Principal): Result<StatePage> {
    const refused = refuseSignedOut(this.#storage, who);
    if (refused !== undefined) return refused;
    const { version, document } = this.#shared.read();
    return ok({ version, shared: document });
  }

  /** What a service has to say goes through the same queue as everything else. */
  async publish({ who, idempotency_key, events }: Publication): Promise<Result<Published>> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const id = idempotency_key === undefined ? {} : { id: idempotency_key };
    const command = { type: "publish", ...id, payload: { events } } as const;
    await this.#inbox.submit({ who, client_id: "", command, reply: resolve });
    const outcome = await promise;
    return outcome.ok
      ? ok({ seq: eventOf(outcome.value.effect).seq, duplicate: outcome.value.duplicate })
      : outcome;
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
  }
}

const INVALIDATED = refuse("state_invalidated", "the server asks every client to begin anew").refusal;
