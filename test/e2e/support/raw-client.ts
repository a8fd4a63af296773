/** A bare WebSocket with a token: for what the SDK would never do, or would mend before a test could see it. */
import { signIn } from "../../../scripts/sign-in.ts";

export interface Frame {
  readonly type: string;
  readonly seq?: number;
  readonly reply_to?: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

export class RawClient {
  readonly frames: Frame[] = [];
  readonly closed: Promise<Closed>;
  readonly #socket: WebSocket;
  #changed = Promise.withResolvers<void>();
  #over = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.frames.push(JSON.parse(String(data)));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason, wasClean }) => {
        this.#over = true;
        this.#wake();
        resolve({ code, reason, wasClean });
      });
    });
  }

  get isOpen(): boolean {
    return !this.#over;
  }

  /** True once either side has begun to close. */
  get isClosing(): boolean {
    return this.#socket.readyState >= WebSocket.CLOSING;
  }

  get user_id(): string {
    return String(this.frames[0]?.payload.user_id);
  }

  send(frame: unknown): void {
    this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** Sends a message that asks for no answer; resolves with its seq once it is stored. */
  async say(content: string, id: string = crypto.randomUUID()): Promise<number> {
    this.send({ type: "user_message", id, payload: { content, respond: false } });
    const ack = await this.next(({ type, reply_to }) => type === "message_ack" && reply_to === id);
    return Number(ack.payload.seq);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  /** The first frame, of all that came or will come, that fits. */
  async next(fits: (frame: Frame) => boolean, from = 0): Promise<Frame> {
    for (let looked = from; ; ) {
      for (; looked < this.frames.length; looked += 1) {
        const frame = this.frames[looked];
        if (frame !== undefined && fits(frame)) return frame;
      }
      if (this.#over) throw new Error("the connection ended before the frame came");
      await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

export interface RawOptions {
  readonly token: string;
  readonly query?: Readonly<Record<string, string>>;
}

/** Resolves when the connection stands where it will be live. */
export async function rawConnect(url: string, options: RawOptions): Promise<RawClient> {
  const client = open(url, options);
  await client.next(({ type }) => type === "replay_completed");
  return client;
}

export interface TurnedAway {
  /** Of the error. */
  readonly code: string;
  readonly close: number;
  readonly retry_after_ms?: number;
}

/** What somebody is told who is not let in; rejects if they are. */
export async function turnedAway(url: string, options: RawOptions): Promise<TurnedAway> {
  const client = open(url, options);
  const { type, payload } = await client.next(() => true);
  if (type !== "error") client.close();
  const { code: close } = await client.closed;
  if (type !== "error" || client.frames.length !== 1) throw new Error(`let in with ${type}`);
  const { retry_after_ms } = payload;
  return {
    code: String(payload.code),
    close,
    ...(retry_after_ms !== undefined && { retry_after_ms: Number(retry_after_ms) }),
  };
}

function open(url: string, { token, query = {} }: RawOptions): RawClient {
  const address = new URL("/v1/ws", url.replace(/^http/, "ws"));
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  return new RawClient(new WebSocket(address, ["throughline.v1", `jwt.${token}`]));
}

/** A user of its own, connected. */
export async function newcomer(url: string, sub: string): Promise<RawClient> {
  return rawConnect(url, { token: await signIn(url, sub) });
}
