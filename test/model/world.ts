/**
 * The session under random histories: the real code on real SQLite, in a world
 * where nothing happens by itself. Waiting, timers, alarms and the disk are moved
 * by hand, so a history takes a millisecond and always goes the same way.
 */
import type { Agent } from "../../src/agents/agent.ts";
import { native } from "../../src/dialects/native.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { closeOf } from "../../src/protocol/refusal.ts";
import { ok, refuse } from "../../src/protocol/result.ts";
import type { PlatformStorage } from "../../src/session/ports.ts";
import { Session } from "../../src/session/session.ts";
import type { Handshake } from "../../src/session/upgrade-request.ts";
import { blame, forgetBlame } from "./insist.ts";
import { ModelSocket } from "./socket.ts";

const BEGIN = Date.parse("2026-01-01T00:00:00.000Z");

/** Longer than any chain of awaits between two things the world has to move. */
const TURNS = 24;

/** Rates are not what a history is about; everything else is as deployed. */
const LIMITS = {
  ...DEFAULT_LIMITS,
  commands_per_s: 1e9,
  commands_burst: 1e9,
  user_commands_per_s: 1e9,
  user_commands_burst: 1e9,
};

const TABLES = ["meta", "events", "inbox", "runs", "threads"];

export class World {
  readonly sql: SqlStorage;
  now = BEGIN;
  session: Session;
  /** Sockets the platform holds for the object. */
  sockets: ModelSocket[] = [];
  alarm: number | undefined;
  /** How many of the next events cannot be written. */
  failingInserts = 0;
  /** How many of the next transactions fail when everything in them is done. */
  failingCommits = 0;
  /** Something could not be written in this step. */
  failed = false;
  /** In how many calls from now an id cannot be made; the call after it works again. */
  failingIds: number[] = [];
  /** The instance dies with its next commit on disk and not a word said. */
  dyingAfterCommit = false;
  readonly #storage: DurableObjectStorage;
  readonly #agent: Agent;
  #waiting: (() => void)[] = [];
  /** Who waits for the disk; undefined while it is fast. */
  #writing: (() => void)[] | undefined;
  /** The instance has died, and the next one is still to come. */
  dead = false;
  /** So many were executed: while there are more, something is still going on. */
  #statements = 0;
  #timers: { readonly at: number; readonly due: () => void }[] = [];
  #born = false;
  #ids = 0;
  #instance = 0;

  constructor(storage: DurableObjectStorage, agent: Agent) {
    this.#storage = storage;
    this.#agent = agent;
    this.sql = storage.sql;
    for (const table of TABLES) this.sql.exec(`DROP TABLE IF EXISTS ${table}`);
    forgetBlame();
    this.session = this.#wake();
  }

  get timers(): number {
    return this.#timers.length;
  }

  connect(shake: Omit<Handshake, "codec">): ModelSocket {
    const kept = (seq: number) => this.rows(`SELECT frame FROM events WHERE seq = ${seq}`)[0]?.frame;
    const socket = new ModelSocket(shake.client_id ?? "", this.now, kept);
    const admitted = this.session.reception.admit({ codec: "native", ...shake });
    if (!admitted.ok) {
      socket.close(closeOf(admitted.refusal).code, admitted.refusal.code);
      return socket;
    }
    this.sockets.push(socket);
    try {
      this.session.reception.connect(socket, { codec: "native", ...shake });
    } catch (cause) {
      this.session.fail(socket, cause);
    }
    return socket;
  }

  /** As the platform would: what the session throws costs that connection. */
  receive(socket: ModelSocket, frame: unknown): void {
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    const { session } = this;
    const instance = this.#instance;
    socket.received += 1;
    socket.heard_at = Math.max(socket.heard_at, this.now);
    session.intake.receive(socket, text).catch((cause: unknown) => {
      if (instance === this.#instance) session.fail(socket, cause);
    });
  }

  /** The platform tells of a close, or does not: then the socket looks open for ever. */
  drop(socket: ModelSocket, told: boolean): void {
    socket.deaf = true;
    if (!told) return;
    this.sockets = this.sockets.filter((one) => one !== socket);
    this.session.connections.drop(socket, 1_001, "");
  }

  /** Lets everything happen that can happen without time passing. */
  async settle(): Promise<void> {
    for (;;) {
      const before = this.#statements;
      for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
      const ready = this.#waiting;
      if (ready.length === 0 && this.#statements === before) return;
      this.#waiting = [];
      for (const go of ready) go();
    }
  }

  advance(ms: number): void {
    this.now += ms;
    for (const socket of this.sockets) this.#ping(socket);
    for (const timer of this.#timers.filter(({ at }) => at <= this.now)) {
      if (!this.#timers.includes(timer)) continue;
      this.#timers = this.#timers.filter((one) => one !== timer);
      timer.due();
    }
  }

  /** A client that is alive pings twice a minute, and the platform answers. */
  #ping(socket: ModelSocket): void {
    if (socket.pinging && !socket.deaf) socket.answered_at = Math.max(socket.answered_at, this.now);
  }

  /** From here on the disk takes its time. */
  holdDisk(): void {
    this.#writing ??= [];
  }

  releaseDisk(): void {
    const writing = this.#writing ?? [];
    this.#writing = undefined;
    for (const go of writing) go();
  }

  ring(): void {
    this.alarm = undefined;
    this.session.deadlines.fire();
  }

  /** Whatever was going to fail does not any more. */
  calm(): void {
    this.failingIds = [];
    this.failingInserts = 0;
    this.failingCommits = 0;
    this.dyingAfterCommit = false;
  }

  /** A new instance; the old one can no longer reach anything. Its sockets stay, or are gone. */
  restart(survivors: ModelSocket[]): void {
    this.#instance += 1;
    for (const socket of this.sockets) if (!survivors.includes(socket)) socket.deaf = true;
    this.dead = false;
    this.#waiting = [];
    this.#timers = [];
    this.calm();
    this.#writing = undefined;
    this.sockets = survivors;
    this.session = this.#wake();
  }

  /** From here on nothing the instance does has any effect. */
  #die(): void {
    this.dead = true;
    this.dyingAfterCommit = false;
    for (const socket of this.sockets) socket.deaf = true;
    throw new Error("this instance is dead");
  }

  rows(query: string): Record<string, SqlStorageValue>[] {
    this.#born ||= this.sql.exec("SELECT name FROM sqlite_master WHERE name = 'meta'").toArray().length > 0;
    return this.#born ? this.sql.exec(query).toArray() : [];
  }

  #wake(): Session {
    const instance = this.#instance;
    const session = new Session({
      user_id: "u_model",
      storage: this.#platform(this.#instance),
      sockets: () => this.sockets.filter(({ open }) => open),
      answeredAt: () =>
        new Map(
          this.sockets.filter(({ answered_at }) => answered_at > 0).map((one) => [one, one.answered_at]),
        ),
      clock: {
        now: () => this.now,
        wait: () =>
          new Promise((resolve) => {
            if (instance === this.#instance) this.#waiting.push(resolve);
          }),
        timer: (ms, due) => {
          const timer = { at: this.now + ms, due };
          if (instance === this.#instance) this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((one) => one !== timer);
          };
        },
      },
      ids: { random: () => this.#id() },
      random: () => 0.5,
      background: (work) => void work.catch(() => {}),
      agents: [this.#agent],
      codecs: { native },
      verify: async (token) => this.#verify(token),
      plans: { free: LIMITS, pro: LIMITS, enterprise: LIMITS },
      heartbeat: { sweep_ms: 900_000, timeout_ms: 10_000 },
      prices: new Map(),
      retention_days: 30,
      measure: () => {},
      report: (_level, message, { kind, where }) => {
        if (kind === "TypeError" || kind === "ReferenceError")
          blame("no bug is met", { message, kind, where });
      },
    });
    session.wake(this.alarm ?? null);
    return session;
  }

  #id(): string {
    this.#ids += 1;
    const failing = this.failingIds[0];
    if (failing !== undefined) {
      this.failingIds[0] = failing - 1;
      if (failing <= 0) {
        this.failingIds.shift();
        throw new RangeError("an id that could not be made");
      }
    }
    return `id${this.#ids}`;
  }

  /** A token is the number of seconds it is good for. */
  #verify(token: string) {
    const ttl_s = Number(token);
    if (Number.isNaN(ttl_s)) return refuse("token_signature", "no good");
    return ok(principal(this.now, ttl_s));
  }

  #platform(instance: number): PlatformStorage {
    const exec = (query: string, ...bindings: unknown[]) => {
      this.#statements += 1;
      if (this.dead || instance !== this.#instance) throw new Error("this instance is dead");
      if (this.failingInserts > 0 && query.startsWith("INSERT INTO events")) {
        this.failingInserts -= 1;
        this.failed = true;
        throw new Error("the disk is full");
      }
      return this.sql.exec(query, ...bindings);
    };
    return {
      sql: { exec } as never,
      transactionSync: (work) => {
        const value = this.#storage.transactionSync(() => this.#fallible(work));
        if (this.dyingAfterCommit) this.#die();
        return value;
      },
      getAlarm: async () => this.alarm ?? null,
      setAlarm: async (at) => {
        if (!this.dead && instance === this.#instance) this.alarm = at;
      },
      sync: () =>
        new Promise((resolve) => (this.#writing === undefined ? resolve() : this.#writing.push(resolve))),
    };
  }

  #fallible<T>(work: () => T): T {
    const value = work();
    if (this.failingCommits === 0) return value;
    this.failingCommits -= 1;
    this.failed = true;
    throw new Error("the disk is full");
  }
}

/** Whoever signs in at `now`, in milliseconds since the epoch, for `ttl_s` seconds. */
export function principal(now: number, ttl_s: number) {
  const iat = Math.floor(now / 1_000);
  const who = { user_id: "u_model", realm: "local", sub: "model", plan: "free" as const };
  return { ...who, permissions: ["chat" as const, "agents" as const], iat, exp: iat + ttl_s };
}
