/** An event as it lies in the log, and how it is read from there. */
import { EVENTS, type Event, isEventType } from "../protocol/events.ts";
import { integer, optionalInteger, optionalText, text } from "./rows.ts";

/** An event as it lies in the log. */
export interface StoredEvent {
  readonly seq: number;
  readonly type: string;
  readonly thread_id?: string;
  readonly run_id?: string;
  /** The seq of the parent message: history and branches without an index. */
  readonly prev?: number;
  /** Milliseconds since the epoch; not sent from then on. */
  readonly expires_at?: number;
  /** The native wire text, sent as it is. */
  readonly frame: string;
}

/** The row of an event whose content was deleted: its number has to stay until nobody can ask for it. */
export const ERASED = "erased";

/** What `storedEvent` reads. */
export const COLUMNS = "seq, type, thread_id, run_id, prev, expires_at, frame";

export function erased(seq: number): StoredEvent {
  return { seq, type: ERASED, frame: "" };
}

export function isErased({ type }: StoredEvent): boolean {
  return type === ERASED;
}

/**
 * The event in a stored frame; undefined if this Worker does not know its like,
 * as after a roll-back to an older one. Whoever reads the log goes on without it.
 */
export function readEvent(stored: StoredEvent | undefined): Event | undefined {
  if (stored === undefined || !isEventType(stored.type)) return undefined;
  const parsed = EVENTS[stored.type].safeParse(JSON.parse(stored.frame));
  return parsed.success ? parsed.data : undefined;
}

export function readEvents(stored: readonly StoredEvent[]): Event[] {
  return stored.map(readEvent).filter((event) => event !== undefined);
}

export function storedEvent(row: Record<string, SqlStorageValue>): StoredEvent {
  const thread_id = optionalText(row, "thread_id");
  const run_id = optionalText(row, "run_id");
  const prev = optionalInteger(row, "prev");
  const expires_at = optionalInteger(row, "expires_at");
  return {
    seq: integer(row, "seq"),
    type: text(row, "type"),
    ...(thread_id === undefined ? {} : { thread_id }),
    ...(run_id === undefined ? {} : { run_id }),
    ...(prev === undefined ? {} : { prev }),
    ...(expires_at === undefined ? {} : { expires_at }),
    frame: text(row, "frame"),
  };
}
