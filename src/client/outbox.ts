/**
 * Commands on their way. Each gets its id when it is added and keeps it, so the
 * server carries it out once however often it arrives; it stays here until its
 * reply has come, and goes out again, in order, after every greeting.
 */
import { REPLY_TIMEOUT_MS } from "../protocol/pure/constants.ts";
import type { CommandAck, MessageAck, Reply } from "../protocol/replies.ts";
import type { Cancel, Environment } from "./environment.ts";
import { ClientError, fromErrorFrame, type LocalErrorCode } from "./errors.ts";

export type Ack = MessageAck | CommandAck;

export interface Command {
  readonly type: "user_message" | "run_cancel" | "resync";
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Until a greeting names the limit in force (docs/protocol.md#limits). */
const DEFAULT_FRAME_BYTES = 65_536;

interface Entry {
  readonly text: string;
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: ClientError) => void;
  /** How often it went out on this connection, and when last. */
  sends: number;
  sent_at: number;
  maybe_sent: boolean;
}

export interface OutboxOptions {
  readonly environment: Pick<Environment, "now" | "setTimer" | "uuid">;
  readonly send: (text: string) => void;
  /** A command went unanswered twice: the connection is worth nothing. */
  readonly unanswered: () => void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, Entry>();
  #frame_bytes = DEFAULT_FRAME_BYTES;
  #open = false;
  #cancel: Cancel | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  add(command: Command): Promise<Ack> {
    const id = this.#options.environment.uuid();
    const text = JSON.stringify({ ...command, id });
    return new Promise((resolve, reject) => {
      const entry: Entry = { text, resolve, reject, sends: 0, sent_at: 0, maybe_sent: false };
      if (this.#refused(entry)) return;
      this.#entries.set(id, entry);
      if (this.#open) this.#sendAll([entry]);
    });
  }

  /** A greeting has come; what was accepted under an older limit has to fit the new one. */
  opened(frame_bytes: number = DEFAULT_FRAME_BYTES): void {
    this.#open = true;
    this.#frame_bytes = frame_bytes;
    for (const [id, entry] of this.#entries) {
      if (this.#refused(entry)) this.#entries.delete(id);
      entry.sends = 0;
    }
    this.#sendAll(this.#entries.values());
  }

  /** The connection is gone; what is unanswered waits for the next. */
  closed(): void {
    this.#open = false;
    this.#cancel?.();
  }

  settle(reply: Reply): void {
    const id = reply.reply_to ?? "";
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#watch();
    if (reply.type === "error") entry.reject(fromErrorFrame(reply));
    else entry.resolve(reply);
  }

  clear(code: LocalErrorCode, message: string): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#cancel?.();
    for (const { reject, maybe_sent } of entries) reject(new ClientError(code, message, { maybe_sent }));
  }

  /** The server's own refusal could not name the command, so the entry would never be settled and go out for ever. */
  #refused({ text, reject, maybe_sent }: Entry): boolean {
    const limit = this.#frame_bytes;
    const bytes = new TextEncoder().encode(text).byteLength;
    if (bytes <= limit) return false;
    reject(
      new ClientError("too_large", `the frame is ${bytes} bytes, limit ${limit}`, {
        field: "frame",
        limit,
        maybe_sent,
      }),
    );
    return true;
  }

  #sendAll(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      entry.sends += 1;
      entry.sent_at = this.#options.environment.now();
      entry.maybe_sent = true;
      this.#options.send(entry.text);
    }
    this.#watch();
  }

  /** Replies come in order, so watching the oldest command is enough. */
  #watch(): void {
    this.#cancel?.();
    const [oldest] = this.#entries.values();
    if (oldest === undefined || !this.#open) return;
    const { now, setTimer } = this.#options.environment;
    const left = oldest.sent_at + REPLY_TIMEOUT_MS - now();
    this.#cancel = setTimer(Math.max(0, left), () => this.#overdue(oldest));
  }

  #overdue(oldest: Entry): void {
    if (oldest.sends > 1) this.#options.unanswered();
    else this.#sendAll(this.#entries.values());
  }
}
