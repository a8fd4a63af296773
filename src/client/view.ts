/**
 * The conversation as this client knows it, and the cursor that goes with it:
 * an event is taken only if it is exactly the next one.
 */
import type { Event } from "../protocol/events.ts";
import type { ConnectionEstablished } from "../protocol/greeting.ts";
import { type Conversation, EMPTY_CONVERSATION } from "../protocol/pure/conversation.ts";
import { type FoldedEvent, type FoldedStream, fold } from "../protocol/pure/fold.ts";
import type { PartialResult, StateSnapshot } from "../protocol/stream.ts";

/** A place in one log: a seq means nothing without the epoch it was counted in. */
export interface Cursor {
  readonly epoch: string;
  readonly seq: number;
}

/** What became of an event: folded in, known already (or about to come with a snapshot), or one before it is missing. */
export type Outcome = "taken" | "seen" | "hole";

export class View {
  #conversation: Conversation = EMPTY_CONVERSATION;
  #cursor: Cursor | undefined;
  /** The epoch that the awaited snapshot will start; the old view stays, shown as it was, until then. */
  #awaited: string | undefined;

  get conversation(): Conversation {
    return this.#conversation;
  }

  /** The last seq handed to the application, with its epoch; absent before the first snapshot. */
  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  get awaits_snapshot(): boolean {
    return this.#awaited !== undefined;
  }

  /** False if the greeting contradicts what this view holds. */
  greet({ epoch, resume }: ConnectionEstablished["payload"]): boolean {
    this.#awaited = resume === "resumed" ? undefined : epoch;
    return epoch !== "" && (resume !== "resumed" || this.#cursor?.epoch === epoch);
  }

  /** From here on events are passed over until a snapshot has come. */
  awaitSnapshot(): void {
    this.#awaited ??= this.#cursor?.epoch;
  }

  takeSnapshot(frame: StateSnapshot): void {
    const epoch = this.#awaited ?? this.#cursor?.epoch;
    if (epoch === undefined) return;
    this.#conversation = fold(this.#conversation, frame);
    this.#cursor = { epoch, seq: frame.payload.as_of_seq };
    this.#awaited = undefined;
  }

  takeEvent(event: Event): Outcome {
    return this.#take(event.seq, event.seq, event);
  }

  takeSkip(from: number, to: number): Outcome {
    return this.#take(from, to, { type: "events_skipped", payload: { to } });
  }

  takeText(frame: PartialResult): void {
    if (this.#awaited === undefined) this.#conversation = fold(this.#conversation, frame);
  }

  /** The log behind the view is gone; the view itself stays until the snapshot of the new one, rather than seem empty. */
  forget(): void {
    this.#cursor = undefined;
    this.#awaited = undefined;
  }

  #take(from: number, to: number, frame: FoldedEvent | FoldedStream): Outcome {
    const cursor = this.#cursor;
    if (cursor === undefined || this.awaits_snapshot || to <= cursor.seq) return "seen";
    if (from > cursor.seq + 1) return "hole";
    this.#conversation = fold(this.#conversation, frame);
    this.#cursor = { ...cursor, seq: to };
    return "taken";
  }
}
