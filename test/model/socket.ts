/** A socket whose other end is the model: it keeps what it is sent. */
import type { Socket } from "../../src/session/ports.ts";
import { blame } from "./insist.ts";

export interface AnyFrame {
  readonly type: string;
  readonly seq?: number;
  readonly reply_to?: string;
  readonly payload: any;
}

export class ModelSocket implements Socket {
  readyState = 1;
  readonly client_id: string;
  /** The frame of an event as it lies on disk right now. */
  readonly #kept: (seq: number) => unknown;
  readonly frames: AnyFrame[] = [];
  /** The same as they were sent. */
  readonly texts: string[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** Nobody is on the other side any more, and nobody has said so. */
  deaf = false;
  /** What the platform throws at whoever still uses it: nothing, at a send, or at everything. */
  torn: "no" | "send" | "all" = "no";
  /** Its client pings, which the platform answers by itself. */
  pinging = false;
  answered_at = 0;
  /** When its client last said anything. */
  heard_at: number;
  /** How many frames its client has sent. */
  received = 0;
  /** When it sent what is no frame. */
  bad_at: number[] = [];
  #attachment = "null";

  constructor(client_id: string, now: number, kept: (seq: number) => unknown) {
    this.client_id = client_id;
    this.heard_at = now;
    this.#kept = kept;
  }

  get open(): boolean {
    return this.readyState === 1;
  }

  send(text: string): void {
    if (this.torn !== "no") throw new Error("the network is gone");
    if (this.deaf) return;
    if (!this.open) return blame("nothing is sent on a closed socket", text.slice(0, 200));
    this.texts.push(text);
    const frame: AnyFrame = JSON.parse(text);
    this.frames.push(frame);
    // Notifications are many, and nothing becomes of them but that they go.
    if (frame.seq === undefined || frame.type === "notification") return;
    if (this.#kept(frame.seq) !== text) blame("what is sent is in the log", frame);
  }

  close(code = 1_005, reason = ""): void {
    this.readyState = 3;
    this.closed ??= { code, reason };
  }

  serializeAttachment(attachment: unknown): void {
    if (this.torn === "all") throw new Error("the network is gone");
    this.#attachment = JSON.stringify(attachment);
  }

  deserializeAttachment(): unknown {
    return JSON.parse(this.#attachment);
  }

  /** What the session must know of its acknowledgements. */
  get ack(): number {
    return Number(Reflect.get(Object(this.deserializeAttachment()), "ack") ?? 0);
  }

  get pings(): number {
    return this.frames.filter(({ type }) => type === "ping").length;
  }

  /** How long nothing was heard of its client, in milliseconds. */
  silence(now: number): number {
    return now - Math.max(this.heard_at, this.answered_at);
  }
}
