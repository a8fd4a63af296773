/**
 * Commands on their way. Each gets its id when it is added and keeps it, so the
 * server carries it out once however often it arrives; it stays here until its
 * reply has come, and goes out again, in order, after every greeting.
 */

import type { ClientFrame } from "../protocol/commands.ts";
import type { DeepReadonly } from "../protocol/primitives.ts";
import { MAX_FRAME_BYTES, REPLY_TIMEOUT_MS } from "../protocol/pure/constants.ts";
import type { CommandAck, ErrorFrame, MessageAck, Reply } from "../protocol/replies.ts";
import type { Cancel, Environment } from "./environment.ts";
import { ClientError, fromErrorFrame, type LocalErrorCode } from "./errors.ts";
import type { Link } from "./link.ts";
import { type Pace, type Rate, RESYNC_COST } from "./pace.ts";

export type Ack = MessageAck | CommandAck;

/** Whatever has an `id`, and so a reply. */
type Replied = Extract<ClientFrame, { readonly id: string }>;

export type Command = Replied extends infer Frame
  ? Frame extends Replied
    ? DeepReadonly<Pick<Frame, "type" | "payload">>
    : never
  : never;

/** What a greeting says about commands; without it, what every server takes. */
export interface OutboxLimits {
  readonly frame_bytes: number;
  readonly rate: Rate;
}

/** Where `rate_limited` does not say for how long. */
export const DEFAULT_PAUSE_MS = 1_000;

interface Entry {
  readonly text: string;
  /** In commands, as the server counts them. */
  readonly cost: number;
  /** Means nothing to another connection. */
  readonly of_connection: boolean;
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: ClientError) => void;
  /** True while it has to go out, for the first time or again. */
  due: boolean;
  /** How often it went out on this connection, and when last. */
  sends: number;
  sent_at: number;
  maybe_sent: boolean;
}

export interface OutboxOptions {
  readonly environment: Pick<Environment, "now" | "setTimer" | "uuid">;
  readonly pace: Pace;
  readonly link: Pick<Link, "send" | "reconnect">;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries = new Map<string, Entry>();
  #frame_bytes = MAX_FRAME_BYTES;
  #connected = false;
  #cancelWatch: Cancel = () => {};
  #cancelDrain: Cancel = () => {};

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  add(command: Command): Promise<Ack> {
    const id = this.#options.environment.uuid();
    const text = JSON.stringify({ ...command, id });
    const of_connection = command.type === "auth_refresh";
    const cost = of_connection || command.type === "resync" ? RESYNC_COST : 1;
    return new Promise((resolve, reject) => {
      const unsent = { due: true, sends: 0, sent_at: 0, maybe_sent: false };
      const entry: Entry = { text, cost, of_connection, resolve, reject, ...unsent };
      if (this.#refused(entry)) return;
      this.#entries.set(id, entry);
      this.#drain();
    });
  }

  /** A greeting has come; what was accepted under an older limit has to fit the new one. */
  opened({ frame_bytes, rate }: OutboxLimits): void {
    this.#options.pace.begin(rate);
    this.#connected = true;
    this.#frame_bytes = frame_bytes;
    for (const [id, entry] of this.#entries) {
      if (this.#refused(entry)) this.#entries.delete(id);
      entry.sends = 0;
      entry.due = true;
    }
    this.#drain();
  }

  /** The connection is gone; what is unanswered waits for the next, unless it was about this one: of that nobody hears again. */
  closed(): void {
    for (const [id, entry] of this.#entries) if (entry.of_connection) this.#entries.delete(id);
    this.#connected = false;
    this.#cancelWatch();
    this.#cancelDrain();
  }

  settle(reply: Reply): void {
    const id = reply.reply_to ?? "";
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    if (reply.type === "error" && reply.payload.code === "rate_limited") return this.#putBack(entry, reply);
    this.#entries.delete(id);
    this.#watch();
    if (reply.type === "error") entry.reject(fromErrorFrame(reply));
    else entry.resolve(reply);
  }

  clear(code: LocalErrorCode, message: string): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#cancelWatch();
    this.#cancelDrain();
    for (const entry of entries) entry.reject(new ClientError(code, message, entry));
  }

  /** The server's own refusal could not name the command, so the entry would never be settled and go out for ever. */
  #refused({ text, reject, maybe_sent }: Entry): boolean {
    const limit = this.#frame_bytes;
    const bytes = new TextEncoder().encode(text).length;
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

  /**
   * Too fast after all, as when several tabs of one user send at once: it goes out
   * again in its place. What was behind it on the wire may have been taken before it.
   */
  #putBack(entry: Entry, { payload }: ErrorFrame): void {
    entry.due = true;
    entry.sends = 0;
    this.#options.pace.hold(payload.retry_after_ms ?? DEFAULT_PAUSE_MS);
    this.#drain();
  }

  /** Sends what is due, in order, as fast as it may; the rest later. */
  #drain(): void {
    this.#cancelDrain();
    if (!this.#connected) return;
    const { environment, pace } = this.#options;
    for (const entry of this.#entries.values()) {
      if (!entry.due) continue;
      const wait = pace.take(entry.cost);
      if (wait > 0) {
        this.#cancelDrain = environment.setTimer(wait, () => this.#drain());
        break;
      }
      this.#send(entry);
    }
    this.#watch();
  }

  #send(entry: Entry): void {
    entry.due = false;
    entry.sends += 1;
    entry.sent_at = this.#options.environment.now();
    entry.maybe_sent = true;
    this.#options.link.send(entry.text);
  }

  /** Replies come in order, so watching the oldest command that is on its way is enough. */
  #watch(): void {
    this.#cancelWatch();
    const oldest = [...this.#entries.values()].find(({ due }) => !due);
    if (oldest === undefined || !this.#connected) return;
    const { now, setTimer } = this.#options.environment;
    const left = oldest.sent_at + REPLY_TIMEOUT_MS - now();
    this.#cancelWatch = setTimer(left, () => this.#overdue(oldest));
  }

  #overdue(oldest: Entry): void {
    // Unanswered twice: the connection is worth nothing.
    if (oldest.sends > 1) return this.#options.link.reconnect("no_reply");
    for (const entry of this.#entries.values()) entry.due = true;
    this.#drain();
  }
}
