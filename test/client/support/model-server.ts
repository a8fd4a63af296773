/**
 * A server as simple as can be, for histories made at random: one log, replayed
 * from the cursor, a window, a rate, and faults on request.
 */

import { ACK_COST, RESYNC_COST } from "../../../src/client/pace.ts";
import type { Event } from "../../../src/protocol/events.ts";
import { type Conversation, EMPTY_CONVERSATION } from "../../../src/protocol/pure/conversation.ts";
import { fold } from "../../../src/protocol/pure/fold.ts";
import { commandAck, greeting, messageAck, refusal, snapshot, thought, userMessage } from "./frames.ts";
import type { HandSocket, Sent, World } from "./world.ts";

export interface ModelOptions {
  /** Farther behind than this, a cursor is a gap. */
  readonly replay: number;
  /** Sent and not acknowledged; then nothing more is sent. */
  readonly window: number;
  readonly per_s: number;
  readonly burst: number;
}

const SMALL: ModelOptions = { replay: 20, window: 6, per_s: 30, burst: 60 };

export class ModelServer {
  readonly log: Event[] = [];
  /** The seq each command id was given: how often a command took effect. */
  readonly effects = new Map<string, number>();
  /** How often it had to say `rate_limited`. */
  refusals = 0;
  readonly #world: World;
  readonly #options: ModelOptions;
  #current: HandSocket | undefined;
  #read = 0;
  /** What the connection was sent, and what it has acknowledged. */
  #cursor = 0;
  #ack = 0;
  /** What the connection may still send, and as of when. */
  #tokens = 0;
  #earned_at = 0;

  constructor(world: World, options: Partial<ModelOptions> = {}) {
    this.#world = world;
    this.#options = { ...SMALL, ...options };
  }

  get view(): Conversation {
    return this.log.reduce<Conversation>(fold, EMPTY_CONVERSATION);
  }

  get connected(): HandSocket | undefined {
    return this.#current?.closed === false ? this.#current : undefined;
  }

  /** Greets whoever has come and answers what was sent; with `mute`, replies are lost. */
  serve(mute = false): void {
    const newest = this.#world.sockets.at(-1);
    if (newest !== undefined && newest !== this.#current && !newest.closed) this.#greet(newest);
    const socket = this.connected;
    while (socket !== undefined && this.#read < socket.sent.length) {
      const frame = socket.sent[this.#read];
      this.#read += 1;
      if (frame !== undefined) this.#take(socket, frame, mute);
    }
  }

  /** Appends an event; `lost` keeps it from the connection, as no server should. */
  publish(lost = false): void {
    this.#append(thought(this.log.length + 1));
    if (lost && this.#cursor === this.log.length - 1) this.#cursor += 1;
    this.#pump();
  }

  repeatSomething(index: number): void {
    const event = this.log[index];
    if (event !== undefined && index < this.#cursor) this.connected?.receive(event);
  }

  /** Other tabs of the user have used up what all of them may send in the next seconds. */
  exhaust(): void {
    this.#tokens -= this.#options.burst * 2;
  }

  drop(code: number): void {
    const socket = this.#current;
    this.#current = undefined;
    socket?.drop(code);
  }

  #greet(socket: HandSocket): void {
    const { per_s, burst, replay } = this.#options;
    this.#current = socket;
    this.#read = 0;
    this.#tokens = burst;
    this.#earned_at = this.#world.now;
    const head_seq = this.log.length;
    const since = socket.url.searchParams.get("since");
    const resumed = since !== null && head_seq - Number(since) <= replay;
    const resume = resumed ? "resumed" : since === null ? "fresh" : "gap";
    const limits = { commands_per_s: per_s, commands_burst: burst };
    socket.receive(greeting({ resume, head_seq, limits }));
    this.#ack = Number(since);
    this.#cursor = Number(since);
    if (resumed) this.#pump();
    else this.#setToSnapshot(socket);
  }

  #take(socket: HandSocket, frame: Sent, mute: boolean): void {
    const retry_after_ms = this.#charge(costOf(frame.type));
    if (retry_after_ms > 0) {
      this.refusals += 1;
      return socket.receive(refusal("rate_limited", { retry_after_ms, retryable: true }, frame.id));
    }
    this.#answer(socket, frame, mute);
    this.#pump();
  }

  #answer(socket: HandSocket, { type, id = "", payload }: Sent, mute: boolean): void {
    if (type === "ack") this.#ack = Math.max(this.#ack, Number(payload.seq));
    if (type === "resync") {
      socket.receive(commandAck(id));
      this.#setToSnapshot(socket);
    }
    if (type !== "user_message") return;
    const known = this.effects.get(id);
    const seq = known ?? this.log.length + 1;
    this.effects.set(id, seq);
    if (!mute) socket.receive(messageAck(id, seq));
    if (known === undefined) this.#append(userMessage(seq));
  }

  #append(event: Event): void {
    this.log.push(event);
  }

  /** The only sender of events. */
  #pump(): void {
    while (this.#cursor < this.log.length && this.#cursor - this.#ack < this.#options.window) {
      const event = this.log[this.#cursor];
      this.#cursor += 1;
      if (event !== undefined) this.connected?.receive(event);
    }
  }

  #setToSnapshot(socket: HandSocket): void {
    const { last_seq, ...view } = this.view;
    this.#cursor = last_seq;
    this.#ack = last_seq;
    socket.receive({ type: "state_snapshot", payload: { ...snapshot(last_seq).payload, ...view } });
  }

  /** 0 if it was paid, else the milliseconds until it can be. */
  #charge(cost: number): number {
    const { per_s, burst } = this.#options;
    const { now } = this.#world;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#earned_at) / 1_000) * per_s);
    this.#earned_at = now;
    if (this.#tokens < cost) return Math.ceil(((cost - this.#tokens) / per_s) * 1_000);
    this.#tokens -= cost;
    return 0;
  }
}

function costOf(type: string): number {
  if (type === "resync") return RESYNC_COST;
  return type === "user_message" || type === "run_cancel" ? 1 : ACK_COST;
}
