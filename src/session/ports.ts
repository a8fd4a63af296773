/**
 * What a session is built from. On the platform these are the object's own
 * storage and sockets; a test hands in a clock and ids of its own and builds a
 * second session on the same storage to play an eviction.
 */
import type { Agent } from "../agents/agent.ts";
import type { RemoteAgent } from "../agents/remote/remote-agent.ts";
import type { Principal } from "../auth/principal.ts";
import type { Plans } from "../protocol/limits.ts";
import type { Prices } from "../protocol/prices.ts";
import type { Result } from "../protocol/result.ts";
import type { Codec } from "./codec.ts";
import type { HeartbeatSettings } from "./heartbeat.ts";

/** The part of the object's storage that is used; always real SQLite, in tests too. */
export interface PlatformStorage {
  readonly sql: SqlStorage;
  transactionSync<T>(closure: () => T): T;
  getAlarm(): Promise<number | null>;
  setAlarm(scheduledTime: number): Promise<void>;
  /** Resolves when everything written so far is on disk. */
  sync(): Promise<void>;
}

/** The part of a hibernatable WebSocket that is used. */
export interface Socket {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  serializeAttachment(attachment: unknown): void;
  deserializeAttachment(): unknown;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `ms`; 0 lets everything that has already arrived go first. */
  wait(ms: number): Promise<void>;
  /** Calls `due` once after `ms` unless cancelled; only ever armed while an agent is running. */
  timer(ms: number, due: () => void): () => void;
}

export interface Ids {
  /** 16 or more characters that nobody can guess. */
  random(): string;
}

/** Structured and without tokens or text of a chat: ids, codes and counts only. */
export type Logger = (
  level: "info" | "warn" | "error",
  message: string,
  facts: Readonly<Record<string, unknown>>,
) => void;

/** Counts something for operators: names and ids, and numbers; never what anybody said. */
export type Measure = (what: string, names: readonly string[], numbers: readonly number[]) => void;

export interface Ports {
  /** The object's name: `u_…`. */
  readonly user_id: string;
  readonly storage: PlatformStorage;
  /** Every socket the platform still holds for this object; asked once, on wake. */
  readonly sockets: () => readonly Socket[];
  /** When the platform last answered a ping of each socket by itself, milliseconds since the epoch. */
  readonly answeredAt: () => ReadonlyMap<Socket, number>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** From 0 to below 1: so that those who failed together do not come back together. */
  readonly random: () => number;
  /** Keeps the object in memory until `work` is done; `work` never rejects. */
  readonly background: (work: Promise<void>) => void;
  /** The first one answers, unless a remote one does. */
  readonly agents: readonly [Agent, ...Agent[]];
  readonly remote?: RemoteAgent | undefined;
  readonly codecs: Readonly<Record<string, Codec>>;
  /** A token → who it proves, as at the upgrade. */
  readonly verify: (token: string) => Promise<Result<Principal>>;
  /** What each plan is given. */
  readonly plans: Plans;
  /** What models cost. */
  readonly prices: Prices;
  readonly heartbeat: HeartbeatSettings;
  /** How long the steps of runs, notifications and the ids of commands are kept. */
  readonly retention_days: number;
  readonly report: Logger;
  readonly measure: Measure;
}
