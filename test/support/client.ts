/** A raw client: a real token, a real upgrade, a real socket, and the frames that came. */
import { env, exports } from "cloudflare:workers";
import { SignJWT } from "jose";
import { userId } from "../../src/auth/user-id.ts";
import { serverFrame } from "../../src/protocol/server-frames.ts";

/** Tests look into frames of every kind. */
export type AnyFrame = { type: string; seq?: number; reply_to?: string; payload: any };

export interface Options {
  readonly permissions?: readonly string[];
  readonly ttl_s?: number;
  readonly client_id?: string;
  readonly n?: number;
  readonly epoch?: string;
  readonly since?: number | string;
}

let users = 0;

/** A user nobody else has: storage is shared between the tests of a file. */
export function newUser(): string {
  users += 1;
  return `user-${users}-${crypto.randomUUID()}`;
}

export async function token(sub: string, { permissions, ttl_s = 3_600 }: Options = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return await new SignJWT(permissions === undefined ? {} : { permissions: [...permissions] })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setIssuedAt(now)
    .setExpirationTime(now + ttl_s)
    .sign(new TextEncoder().encode(env.JWT_SECRET));
}

export async function stubOf(sub: string) {
  return env.USER_SESSION.getByName(await userId("local", sub));
}

export class TestClient {
  readonly frames: AnyFrame[] = [];
  readonly texts: string[] = [];
  closed: { code: number; reason: string } | undefined;
  /** Acknowledges every 16 events, as the protocol asks; without it a client gets 256 at most. */
  acking = false;
  readonly #socket: WebSocket;
  #taken = 0;
  #changed = Promise.withResolvers<void>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#arrived(String(data)));
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wake();
    });
    socket.accept();
  }

  send(frame: unknown): void {
    this.#socket.send(
      typeof frame === "string" || frame instanceof ArrayBuffer ? frame : JSON.stringify(frame),
    );
  }

  say(id: string, content: string, more: Record<string, unknown> = {}): void {
    this.send({ type: "user_message", id, payload: { content, ...more } });
  }

  close(code = 1_000): void {
    this.#socket.close(code, "bye");
  }

  /** The next frame that fits, counted from the last one asked for; frames that do not fit are passed over. */
  async next(fits: string | ((frame: AnyFrame) => boolean)): Promise<AnyFrame> {
    const matches = typeof fits === "string" ? (frame: AnyFrame) => frame.type === fits : fits;
    for (;;) {
      while (this.#taken < this.frames.length) {
        const frame = this.frames[this.#taken];
        this.#taken += 1;
        if (frame !== undefined && matches(frame)) return frame;
      }
      if (this.closed !== undefined) throw new Error(`closed with ${this.closed.code} while waiting`);
      await this.#changed.promise;
    }
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    while (this.closed === undefined) await this.#changed.promise;
    return this.closed;
  }

  events(): AnyFrame[] {
    return this.frames.filter(({ seq }) => seq !== undefined);
  }

  seqs(): number[] {
    return this.events().map(({ seq }) => seq ?? 0);
  }

  of(type: string): AnyFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  #arrived(text: string): void {
    this.texts.push(text);
    const frame = JSON.parse(text);
    // Every frame the server ever sends in a test conforms to the published schema.
    serverFrame.parse(frame);
    this.frames.push(frame);
    if (this.acking && frame.seq % 16 === 0) this.send({ type: "ack", payload: { seq: frame.seq } });
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** Opens a socket without waiting for anything. */
export async function open(sub: string, options: Options = {}): Promise<TestClient> {
  const { client_id, n, epoch, since } = options;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ client_id, n, epoch, since })) {
    if (value !== undefined) query.set(name, String(value));
  }
  const response = await exports.default.fetch(
    new Request(`https://throughline.test/v1/ws?${query}`, {
      headers: { Upgrade: "websocket", Authorization: `Bearer ${await token(sub, options)}` },
    }),
  );
  const socket = response.webSocket;
  if (socket === null || socket === undefined)
    throw new Error(`refused: ${response.status} ${await response.text()}`);
  return new TestClient(socket);
}

/** Opens a socket and waits until it is live. */
export async function connect(sub: string, options: Options = {}): Promise<TestClient> {
  const client = await open(sub, options);
  await client.next("replay_completed");
  return client;
}

/** Looks again every few milliseconds until it is so; the test's own timeout is the limit. */
export async function waitFor(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await scheduler.wait(2);
}
