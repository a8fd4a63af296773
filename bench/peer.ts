/**
 * A client that does as little as the protocol allows, because its work is done
 * on the same cores as the server's: it looks at the type of a frame, counts, and
 * acknowledges every 16 events. Real TCP, real WebSocket frames.
 */
import { connect, type Socket } from "node:net";
import { SignJWT } from "jose";
import { WebSocket } from "ws";
import { type Cursor, DIALECTS, type Dialect, type Kind, type Turn } from "./dialects.ts";
import { type Candidate, SECRET } from "./runtime.ts";

/** As the SDK does. */
const ACK_EVERY = 16;

/** Nothing a bench asks for takes this long: something is broken, and it must not hang. */
const PATIENCE_MS = 30_000;

const KEY = new TextEncoder().encode(SECRET);

interface Waiter {
  readonly kind: Kind | "event";
  left: number;
  readonly resolve: (at: number) => void;
  readonly reject: (cause: Error) => void;
}

export function tokenOf(user: string): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(KEY);
}

export class Peer {
  readonly #dialect: Dialect;
  readonly #socket: WebSocket;
  #tcp: Socket | undefined;
  readonly #waiters = new Set<Waiter>();
  #failure: Error | undefined;
  #said = 0;
  frames = 0;
  bytes = 0;
  epoch: string | undefined;
  /** Of the last event. */
  seq = 0;
  /** Sees every frame, if a scenario wants to. */
  onFrame: ((kind: Kind, frame: string) => void) | undefined;

  private constructor({ name, url }: Candidate, token: string, cursor: Cursor | undefined) {
    this.#dialect = DIALECTS[name];
    this.seq = cursor?.seq ?? 0;
    this.#socket = new WebSocket(url + this.#dialect.path(cursor), {
      headers: { Authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      createConnection: (options) => {
        this.#tcp = connect({ ...options, noDelay: true } as never);
        return this.#tcp;
      },
    });
    this.#socket.on("message", (data) => this.#receive(data));
    this.#socket.on("error", (cause) => this.#fail(cause));
    this.#socket.on("close", (code, reason) => this.#fail(new Error(`closed with ${code} ${reason}`)));
  }

  /** A connection that has everything it missed. */
  static async open(candidate: Candidate, token: string, cursor?: Cursor, onFrame?: Peer["onFrame"]) {
    const peer = new Peer(candidate, token, cursor);
    peer.onFrame = onFrame;
    await peer.next("ready");
    return peer;
  }

  get cursor(): Cursor {
    return { epoch: this.epoch, seq: this.seq };
  }

  /** When the `count`th frame of a kind from now on arrived, milliseconds of `performance.now()`. */
  next(kind: Waiter["kind"], count = 1): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    if (this.#failure !== undefined) reject(this.#failure);
    const late = setTimeout(() => this.#fail(new Error(`no ${kind} in ${PATIENCE_MS} ms`)), PATIENCE_MS);
    const waiter: Waiter = { kind, left: count, resolve, reject };
    this.#waiters.add(waiter);
    return promise.finally(() => {
      clearTimeout(late);
      this.#waiters.delete(waiter);
    });
  }

  say(content: string, turn?: Turn): void {
    this.#said += 1;
    this.#socket.send(this.#dialect.say(`m-${this.#said}`, content, turn));
  }

  /** Many messages in one write, so that they arrive together. */
  sayAll(count: number, content: string): void {
    this.#tcp?.cork();
    for (let index = 0; index < count; index += 1) this.say(content);
    this.#tcp?.uncork();
  }

  /** Without a word, as a network does it. */
  drop(): void {
    this.onFrame = undefined;
    this.#socket.terminate();
  }

  #receive(data: Buffer): void {
    const at = performance.now();
    const frame = data.toString();
    this.frames += 1;
    this.bytes += data.length;
    const type = frame.slice(9, frame.indexOf('"', 9));
    const kind = this.#dialect.kinds[type] ?? "other";
    if (this.#note(type, kind, frame)) this.#arrived("event", at);
    this.onFrame?.(kind, frame);
    this.#arrived(kind, at);
  }

  #arrived(kind: Waiter["kind"], at: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.kind !== kind) continue;
      waiter.left -= 1;
      if (waiter.left === 0) waiter.resolve(at);
    }
  }

  /** True for an event: it moves the position, and the protocol may want an answer to it. */
  #note(type: string, kind: Kind, frame: string): boolean {
    if (type === "error") this.#fail(new Error(frame));
    if (type === "connection_established") this.#greeted(frame);
    const seq = kind === "ack" || kind === "ready" ? undefined : seqOf(frame);
    if (seq === undefined) return false;
    this.seq = seq;
    if (seq % ACK_EVERY === 0 && this.#dialect.ack !== undefined) this.#socket.send(this.#dialect.ack(seq));
    return true;
  }

  #greeted(frame: string): void {
    this.epoch = JSON.parse(frame).payload.epoch;
  }

  #fail(cause: Error): void {
    this.#failure ??= cause;
    for (const waiter of this.#waiters) waiter.reject(cause);
  }
}

/** Every event has its seq right after its type. */
export function seqOf(frame: string): number | undefined {
  const at = frame.indexOf('"', 9) + 2;
  return frame.startsWith('"seq":', at) ? Number.parseInt(frame.slice(at + 6, at + 20), 10) : undefined;
}
