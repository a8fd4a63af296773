/** A server as simple as can be, for histories made at random: one log, replayed from the cursor, with faults on request. */

import type { Event } from "../../../src/protocol/events.ts";
import { type Conversation, EMPTY_CONVERSATION } from "../../../src/protocol/pure/conversation.ts";
import { fold } from "../../../src/protocol/pure/fold.ts";
import { commandAck, greeting, messageAck, snapshot, thought, userMessage } from "./frames.ts";
import type { HandSocket, Sent, World } from "./world.ts";

/** Farther behind than this, a cursor is a gap. */
const WINDOW = 8;

export class ModelServer {
  readonly log: Event[] = [];
  /** The seq each command id was given: how often a command took effect. */
  readonly effects = new Map<string, number>();
  readonly #world: World;
  #current: HandSocket | undefined;
  #read = 0;

  constructor(world: World) {
    this.#world = world;
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
      if (frame !== undefined) this.#answer(socket, frame, mute);
    }
  }

  /** Appends an event; `lost` keeps it from the connection, as no server should. */
  publish(lost = false): void {
    this.#append(thought(this.log.length + 1), lost);
  }

  repeatSomething(index: number): void {
    const event = this.log[index];
    if (event !== undefined) this.connected?.receive(event);
  }

  drop(code: number): void {
    const socket = this.#current;
    this.#current = undefined;
    socket?.drop(code);
  }

  #greet(socket: HandSocket): void {
    this.#current = socket;
    this.#read = 0;
    const since = socket.url.searchParams.get("since");
    const missed = this.log.slice(Number(since));
    const resumed = since !== null && missed.length <= WINDOW;
    const resume = resumed ? "resumed" : since === null ? "fresh" : "gap";
    socket.receive(greeting({ resume, head_seq: this.log.length }));
    socket.receive(...(resumed ? missed : [this.#snapshot()]));
  }

  #answer(socket: HandSocket, { type, id = "" }: Sent, mute: boolean): void {
    if (type === "resync") socket.receive(commandAck(id), this.#snapshot());
    if (type !== "user_message") return;
    const known = this.effects.get(id);
    const seq = known ?? this.log.length + 1;
    this.effects.set(id, seq);
    if (!mute) socket.receive(messageAck(id, seq));
    if (known === undefined) this.#append(userMessage(seq), false);
  }

  #append(event: Event, lost: boolean): void {
    this.log.push(event);
    if (!lost) this.connected?.receive(event);
  }

  #snapshot() {
    const { last_seq, ...view } = this.view;
    return { type: "state_snapshot", payload: { ...snapshot(last_seq).payload, ...view } };
  }
}
