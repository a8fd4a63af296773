/** A client's surroundings, moved by hand: its clock, timers, sockets, page signals and the server's document. */
import type { Environment, FetchedDocument, Signal, SocketClose } from "../../../src/client/environment.ts";
import { type Channels, type Client, connect } from "../../../src/client/index.ts";
import { parseJson } from "../../../src/protocol/pure/json.ts";
import { config, greeting, snapshot } from "./frames.ts";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** The frame a client sent, loosely: what a test wants to look at. */
export interface Sent {
  readonly type: string;
  readonly id?: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export class World {
  now = 0;
  random = 0.5;
  readonly sockets: HandSocket[] = [];
  readonly fetched: string[] = [];
  answer: () => Promise<FetchedDocument> = async () => ({
    ok: true,
    status: 200,
    json: async () => config(),
  });
  readonly #timers = new Set<Timer>();
  readonly #listeners = new Set<(signal: Signal) => void>();
  #ids = 0;

  readonly environment: Environment = {
    WebSocket: socketsOf(this.sockets),
    fetch: (url) => {
      this.fetched.push(url);
      return this.answer();
    },
    now: () => this.now,
    setTimer: (ms, run) => {
      const timer = { at: this.now + ms, run };
      this.#timers.add(timer);
      return () => this.#timers.delete(timer);
    },
    random: () => this.random,
    uuid: () => {
      this.#ids += 1;
      return `id-${this.#ids}`;
    },
    onSignal: (listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
  };

  get timers(): number {
    return this.#timers.size;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  signal(signal: Signal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  /** Lets time pass, timer by timer, with everything each of them starts. */
  async advance(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.now = Math.max(this.now, due.at);
      due.run();
      await settled();
    }
    this.now = until;
    await settled();
  }

  /** The newest socket. */
  get socket(): HandSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("no socket was opened");
    return socket;
  }
}

/** One end of a connection; the test is the other. */
export class HandSocket {
  protocol = "throughline.v1";
  readonly url: URL;
  readonly protocols: readonly string[];
  readonly sent: Sent[] = [];
  closed = false;
  readonly #target = new EventTarget();

  constructor(url: string, protocols: readonly string[]) {
    this.url = new URL(url);
    this.protocols = protocols;
  }

  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: SocketClose) => void): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: string, listener: (event: never) => void): void {
    this.#target.addEventListener(type, (event) => Reflect.apply(listener, undefined, [event]));
  }

  send(text: string): void {
    const frame = parseJson(text);
    if (isSent(frame)) this.sent.push(frame);
  }

  close(): void {
    this.closed = true;
  }

  /** The server sends; frames travel as text, so nothing is shared. */
  receive(...frames: readonly unknown[]): void {
    for (const frame of frames) {
      const data = typeof frame === "string" ? frame : JSON.stringify(frame);
      this.#target.dispatchEvent(Object.assign(new Event("message"), { data }));
    }
  }

  drop(code = 1006, reason = ""): void {
    this.#target.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }

  ofType(type: string): Sent[] {
    return this.sent.filter((frame) => frame.type === type);
  }
}

export interface Connected {
  readonly world: World;
  readonly client: Client;
  /** Seqs handed to the application, in order. */
  readonly seqs: number[];
  readonly errors: string[];
}

/** A client whose first attempt has reached its socket. */
export async function started(getToken: () => string | Promise<string> = () => "token", world = new World()) {
  const client = connect({ url: "http://server.test", getToken, environment: world.environment });
  const seqs: number[] = [];
  const errors: string[] = [];
  client.on("event", ({ seq }) => seqs.push(seq));
  client.on("error", ({ code }) => errors.push(code));
  await settled();
  return { world, client, seqs, errors } satisfies Connected;
}

/** A client that is open, with a cursor at `as_of_seq`. */
export async function opened(as_of_seq = 0, getToken?: () => string): Promise<Connected> {
  const made = await started(getToken);
  made.world.socket.receive(greeting({ head_seq: as_of_seq }), snapshot(as_of_seq));
  return made;
}

/** Loses the connection and opens the next one, up to its greeting. */
export async function reopened(
  { world }: Connected,
  hello = greeting({ resume: "resumed" }),
): Promise<HandSocket> {
  world.socket.drop();
  await world.advance(2_000);
  world.socket.receive(hello);
  return world.socket;
}

/** Resolves when everything that was already on its way has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function listened<Name extends keyof Channels>(client: Client, name: Name): Channels[Name][] {
  const values: Channels[Name][] = [];
  client.on(name, (value) => values.push(value));
  return values;
}

function socketsOf(sockets: HandSocket[]) {
  return class extends HandSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      if (protocols.some((protocol) => protocol.includes(" "))) throw new SyntaxError("bad subprotocol");
      sockets.push(this);
    }
  };
}

function isSent(value: unknown): value is Sent {
  return typeof value === "object" && value !== null && "type" in value && "payload" in value;
}
