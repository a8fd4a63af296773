/**
 * A user's durable state, put together from its modules, and the one thing that
 * ties them: what follows a commit.
 */
import type { Message, Thread } from "../protocol/pure/conversation.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { Connections, endsAt } from "./connections.ts";
import { Deadlines } from "./deadlines.ts";
import { Host } from "./host.ts";
import { Inbox } from "./inbox.ts";
import { Intake, TOKEN_EXPIRED } from "./intake.ts";
import { Log } from "./log.ts";
import type { Clock, Ports } from "./ports.ts";
import { Pump } from "./pump.ts";
import { Reception } from "./reception.ts";
import { Runs } from "./runs.ts";
import { messagesOf, snapshot } from "./snapshot.ts";
import { Storage } from "./storage.ts";
import { Threads, threadView } from "./threads.ts";
import type { Transaction } from "./transaction.ts";

/** Longer than any run may take: by then it has ended, or nobody is executing it any more. */
const RUN_WATCHDOG_MS = 60_000;

export class Session {
  readonly reception: Reception;
  readonly intake: Intake;
  readonly connections: Connections;
  readonly deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #background: Ports["background"];
  readonly #report: Ports["report"];
  readonly #log: Log;
  readonly #threads: Threads;
  readonly #runs: Runs;
  readonly #host: Host;
  readonly #pump: Pump;

  constructor(ports: Ports) {
    const { clock, ids, limits, report, codecs, background } = ports;
    const storage = new Storage(ports.storage, ports.user_id, ids);
    const log = new Log(storage);
    const threads = new Threads(storage, log);
    const runs = new Runs(storage, log, threads, ids, limits);
    const connections = new Connections(ports.sockets(), codecs);
    const settle = (tx: Transaction) => this.#settle(tx);
    const pump = new Pump({
      log,
      connections,
      clock,
      streams: { current: () => host.current() },
      expired: (connection) => this.reception.end(connection, TOKEN_EXPIRED),
    });
    const stream = pump.stream.bind(pump);
    const host = new Host({ ...ports, storage, log, threads, runs, settle, stream });
    const textOf = host.textOf.bind(host);
    const state = { log, threads, runs, ids, agent: ports.agents[0], textOf };
    const inbox = new Inbox({ storage, log, state, clock, report, settle });
    this.#clock = clock;
    this.#background = background;
    this.#report = report;
    this.#log = log;
    this.#threads = threads;
    this.#runs = runs;
    this.#host = host;
    this.#pump = pump;
    this.connections = connections;
    this.deadlines = new Deadlines(ports.storage, clock, report, this.#duties());
    this.reception = new Reception({
      ...{ storage, log, connections, pump, clock, ids, limits, codecs },
      deadlines: this.deadlines,
      snapshot: () => snapshot(log, threads, runs),
    });
    this.intake = new Intake({ log, connections, pump, inbox, clock, reception: this.reception });
  }

  /**
   * Once, before any event reaches the session. Writes nothing.
   * @param alarm what the platform has set already, milliseconds since the epoch
   */
  wake(alarm: number | null): void {
    this.deadlines.recall(alarm);
    for (const { ack } of this.connections.all()) this.#log.acknowledge(ack);
    // Only a crash between a commit and its pump can have left a cursor behind.
    this.#pump.all();
    if (this.#runs.unfinished().length === 0) return;
    this.#background(this.#takeOver());
  }

  listThreads(): Thread[] {
    return this.#threads.all().map(threadView);
  }

  /** The messages before the one at seq `before`, oldest first; `next` is the `before` of the page before them. */
  listMessages(
    thread_id: string,
    { before, limit }: { readonly before?: number; readonly limit: number },
  ): Result<{ readonly messages: Message[]; readonly next?: number }> {
    const thread = this.#threads.get(thread_id);
    if (thread === undefined) return refuse("not_found", "no such thread");
    const from = before === undefined ? thread.head : this.#log.at(before)?.prev;
    const messages = messagesOf(this.#log, this.#threads, from, limit).reverse();
    const first = messages[0];
    const more = first !== undefined && this.#log.at(first.seq)?.prev !== undefined;
    return ok({ messages, ...(more ? { next: first.seq } : {}) });
  }

  /** Scheduled by the wake, not done in it: a run that cannot be taken over must not keep the object from waking. */
  async #takeOver(): Promise<void> {
    await this.#clock.wait(0);
    try {
      this.#host.takeOver();
    } catch (cause) {
      this.#report("error", "runs could not be taken over", { cause: String(cause) });
    }
  }

  /** Commit together, then speak: text that is pending, events to everyone, runs that ended or begin. */
  #settle(tx: Transaction): void {
    this.#runs.committed(tx);
    for (const run_id of tx.runSeqs.keys()) this.#host.flush(run_id);
    this.#pump.all();
    for (const run_id of tx.ended) this.#host.stop(run_id);
    for (const run_id of tx.started) this.#host.start(run_id);
    if (tx.started.length > 0) this.deadlines.touch(tx.now + RUN_WATCHDOG_MS);
  }

  #duties() {
    const expiries = () =>
      this.connections.all().map((connection) => ({ connection, at: endsAt(connection) }));
    return [
      {
        name: "runs",
        next: (now: number) => (this.#runs.unfinished().length > 0 ? now + RUN_WATCHDOG_MS : undefined),
        perform: () => this.#host.takeOver(),
      },
      {
        name: "tokens",
        next: () =>
          expiries().reduce<number | undefined>((soonest, { at }) => Math.min(soonest ?? at, at), undefined),
        perform: (now: number) => {
          for (const { connection, at } of expiries()) {
            if (at <= now) this.reception.end(connection, TOKEN_EXPIRED);
          }
        },
      },
    ];
  }
}
