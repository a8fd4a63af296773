/**
 * A session at the desk: the real code on the object's real SQLite, with a clock
 * that stands still, ids that are counted, and sockets that write down what they
 * are sent. A second one on the same storage plays a crash.
 */
import type { Agent } from "../../src/agents/agent.ts";
import { native } from "../../src/dialects/native.ts";
import { DEFAULT_PLANS } from "../../src/protocol/limits.ts";
import { refuse } from "../../src/protocol/result.ts";
import type { PlatformStorage, Ports, Socket } from "../../src/session/ports.ts";
import { Session } from "../../src/session/session.ts";
import type { Handshake } from "../../src/session/upgrade-request.ts";

export const BEGIN = Date.parse("2026-01-01T00:00:00.000Z");

export class RecordingSocket implements Socket {
  readyState = 1;
  readonly sent: any[] = [];
  /** When the platform last answered a ping of this client by itself; 0 if it never did. */
  answered_at = 0;
  #attachment: unknown;

  send(frame: string): void {
    if (this.readyState !== 1) throw new TypeError("Can't call WebSocket send() after close().");
    this.sent.push(JSON.parse(frame));
  }

  close(code?: number, reason?: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.sent.push({ closed: { code, reason } });
  }

  serializeAttachment(attachment: unknown): void {
    this.#attachment = structuredClone(attachment);
  }

  deserializeAttachment(): unknown {
    return this.#attachment;
  }

  of(type: string): any[] {
    return this.sent.filter((frame) => frame.type === type);
  }
}

export class Desk {
  readonly #storage: DurableObjectStorage;
  readonly #agent: Agent;
  readonly #over: Partial<Ports>;
  readonly #work: Promise<void>[] = [];
  readonly #timers = new Set<{ at: number; due: () => void }>();
  #sockets: RecordingSocket[] = [];
  #ids = 0;
  #instance = 0;
  now = BEGIN;
  /** Every time the alarm was set to: each is a billed row. */
  readonly alarms: number[] = [];
  /** Replaced by a test that wants the disk to take its time. */
  sync = () => this.#storage.sync();
  /** Called before and after every transaction: a test may crash there. */
  atTransaction = () => {};
  session: Session;

  constructor(storage: DurableObjectStorage, agent: Agent, over: Partial<Ports> = {}) {
    this.#storage = storage;
    this.#agent = agent;
    this.#over = over;
    this.session = this.#wake(agent);
  }

  connect(query: Partial<Handshake> = {}): RecordingSocket {
    const socket = new RecordingSocket();
    this.#sockets.push(socket);
    this.session.reception.connect(socket, {
      codec: "native",
      principal: principalWith(["chat", "agents"]),
      ...query,
    });
    return socket;
  }

  async send(socket: RecordingSocket, frame: unknown): Promise<void> {
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    await this.session.intake.receive(socket, text);
  }

  /** Waits until every run that can go on by itself has ended. */
  async idle(): Promise<void> {
    while (this.#work.length > 0) await Promise.all(this.#work.splice(0));
  }

  /** Lets time pass, ringing every timer that comes due. */
  advance(ms: number): void {
    this.now += ms;
    for (const timer of this.#timers) {
      if (timer.at > this.now || !this.#timers.delete(timer)) continue;
      timer.due();
    }
  }

  /** Timers that were neither rung nor cancelled: each would keep the object from hibernating. */
  get timers(): number {
    return this.#timers.size;
  }

  /**
   * The instance and every socket are gone; what is left is the storage, which a
   * dead instance can no longer reach.
   */
  crash(agent = this.#agent): void {
    this.#instance += 1;
    this.#work.length = 0;
    this.#timers.clear();
    this.#sockets = [];
    this.session = this.#wake(agent);
  }

  /** The instance is gone, the sockets stay. Only when nothing is running: eviction waits for that. */
  evict(): void {
    if (this.#work.length > 0) throw new Error("an object that works is not evicted");
    this.session = this.#wake(this.#agent);
  }

  #wake(agent: Agent): Session {
    const session = new Session({
      user_id: "u_desk",
      storage: this.#withoutAlarm(),
      sockets: () => this.#sockets,
      clock: {
        now: () => this.now,
        wait: () => new Promise((resolve) => setTimeout(resolve, 0)),
        timer: (ms, due) => {
          const timer = { at: this.now + ms, due };
          this.#timers.add(timer);
          return () => this.#timers.delete(timer);
        },
      },
      random: () => 0.5,
      ids: {
        random: () => {
          this.#ids += 1;
          return `id${this.#ids}`;
        },
      },
      background: (work) => this.#work.push(work),
      agents: [agent],
      codecs: { native },
      plans: DEFAULT_PLANS,
      prices: new Map(),
      verify: async () => refuse("token_signature", "no token is good here"),
      retention_days: 30,
      heartbeat: { sweep_ms: 900_000, timeout_ms: 10_000 },
      answeredAt: () =>
        new Map(this.#sockets.flatMap((one) => (one.answered_at === 0 ? [] : [[one, one.answered_at]]))),
      report: () => {},
      measure: () => {},
      ...this.#over,
    });
    session.wake(null);
    return session;
  }

  /** The object's own storage; its alarm is rung by the test, not by the platform. */
  #withoutAlarm(): PlatformStorage {
    const storage = this.#storage;
    const instance = this.#instance;
    const exec = (query: string, ...bindings: unknown[]) => {
      if (instance !== this.#instance) throw new Error("this instance is dead");
      // As on the platform; what runs here takes more.
      if (rowBytes(bindings) > MAX_ROW_BYTES) throw new Error("string or blob too big: SQLITE_TOOBIG");
      return storage.sql.exec(query, ...bindings);
    };
    return {
      sql: { exec } as never,
      transactionSync: (work) => {
        this.atTransaction();
        const value = storage.transactionSync(work);
        this.atTransaction();
        return value;
      },
      getAlarm: async () => null,
      setAlarm: async (at) => {
        this.alarms.push(at);
      },
      sync: () => this.sync(),
    };
  }
}

/** https://developers.cloudflare.com/durable-objects/platform/limits/ */
const MAX_ROW_BYTES = 2_000_000;

function rowBytes(bindings: readonly unknown[]): number {
  return bindings.reduce<number>(
    (sum, value) => sum + (typeof value === "string" ? new TextEncoder().encode(value).byteLength : 0),
    0,
  );
}

export function principalWith(permissions: ("chat" | "agents")[]): Handshake["principal"] {
  return {
    user_id: "u_desk",
    realm: "local",
    sub: "desk",
    permissions,
    plan: "free",
    iat: BEGIN / 1_000,
    exp: BEGIN / 1_000 + 3_600,
  };
}
