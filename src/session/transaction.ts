/**
 * Commit together, then speak: inside a transaction nothing is sent, no promise
 * is started and no memory changes. What is to happen afterwards is collected
 * here, and applied by the session once the commit stands.
 */
import type { Event } from "../protocol/events.ts";
import { MAX_EVENT_BYTES } from "../protocol/limits.ts";
import { fitsBytes } from "../protocol/primitives.ts";
import type { Course } from "./course.ts";
import type { FedBatch } from "./feeds.ts";
import type { Log } from "./log.ts";
import type { Storage } from "./storage.ts";
import { erased, type StoredEvent } from "./stored-event.ts";
import { type ThreadRow, writeThread, writeTombstone } from "./thread-row.ts";

type WithoutSeq<E> = E extends { seq: number } ? Omit<E, "seq"> : never;

/** An event that has no seq yet. */
export type EventDraft = WithoutSeq<Event>;

/** Columns of the row beside the frame. */
export interface Placement {
  readonly thread_id?: string;
  readonly run_id?: string;
  readonly prev?: number;
  readonly expires_at?: number;
  readonly journal?: string | undefined;
}

export class Transaction {
  readonly #log: Log;
  /** Milliseconds since the epoch: one time for everything in this transaction. */
  readonly now: number;
  /** The head before this transaction. */
  readonly base: number;
  readonly events: Event[] = [];
  /** The same as they lie in the log. */
  readonly rows: StoredEvent[] = [];
  /** Threads as this transaction has made or changed them. */
  readonly threads = new Map<string, ThreadRow>();
  /** Threads that it has deleted. */
  readonly deleted = new Set<string>();
  /** Runs to be executed once this is committed. */
  readonly started: string[] = [];
  /** Runs that ended here: whatever still executes them has to stop. */
  readonly ended: string[] = [];
  /** Runs that wait from here on, and until when at most. */
  readonly suspended: { readonly run_id: string; readonly until: number }[] = [];
  /** What feeders said of their runs. */
  readonly fed: FedBatch[] = [];
  /** How fed runs went, up to here. */
  readonly courses = new Map<string, Course>();
  /** The version of the shared state, if it was changed here. */
  state_version: number | undefined;
  /** The next `run_seq` of every run that got an event here. */
  readonly runSeqs = new Map<string, number>();

  constructor(log: Log, now: number) {
    this.#log = log;
    this.now = now;
    this.base = log.head;
  }

  /** ISO 8601 UTC, for payloads. */
  get timestamp(): string {
    return new Date(this.now).toISOString();
  }

  /** The seq the next event will get; ids embed it, so that any message or run is one key lookup. */
  get nextSeq(): number {
    return this.base + this.events.length + 1;
  }

  append(draft: EventDraft, placement: Placement): Event {
    const event: Event = { ...draft, seq: this.nextSeq };
    const { type, seq, payload } = event;
    const frame = JSON.stringify({ type, seq, payload });
    if (type !== "agent_completed" && !fitsBytes(frame, MAX_EVENT_BYTES)) throw new EventTooLarge(type);
    const { journal, ...place } = placement;
    const row = { seq, type, ...place, frame };
    this.#log.insert({ ...row, at: this.now, journal });
    this.rows.push(row);
    this.events.push(event);
    return event;
  }

  /** True if nothing has come of it: whoever was refused is not made by it. */
  get empty(): boolean {
    const changes = [this.rows.length, this.threads.size, this.deleted.size];
    return changes.every((count) => count === 0) && this.state_version === undefined;
  }

  /** Removes all there is of a thread up to now, what was appended here included; its numbers stay. */
  erase(thread_id: string): void {
    this.#log.erase(thread_id);
    for (const [index, row] of this.rows.entries()) {
      if (row.thread_id === thread_id) this.rows[index] = erased(row.seq);
    }
  }
}

/**
 * An event over 256 KiB is refused whole. What people send is far smaller; an
 * answer is bounded before JSON escapes it, so its event may be larger.
 */
export class EventTooLarge extends Error {
  override readonly name = "EventTooLarge";
}

/** Runs `work` in one transaction and moves the head if it committed. */
export function commit<T>(storage: Storage, log: Log, now: number, work: (tx: Transaction) => T) {
  const { tx, value } = storage.transact(() => {
    const tx = new Transaction(log, log.time(now));
    const value = work(tx);
    for (const thread_id of tx.deleted) writeTombstone(storage, thread_id, tx.now);
    for (const thread of tx.threads.values()) writeThread(storage, thread);
    return { tx, value };
  }, isNothing);
  log.committed(tx.rows, tx.now);
  return { tx, value };
}

function isNothing({ tx }: { readonly tx: Transaction }): boolean {
  return tx.empty;
}
