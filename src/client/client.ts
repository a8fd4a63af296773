/** The client an application holds: a conversation that stays right, whatever happens to the connection. */
import type { Conversation } from "../protocol/pure/conversation.ts";
import type { CommandAck, MessageAck } from "../protocol/replies.ts";
import { Acks } from "./acks.ts";
import type { Channels } from "./channels.ts";
import { Emitter, type Listener } from "./emitter.ts";
import { type Environment, environment, type Signal } from "./environment.ts";
import { ClientError } from "./errors.ts";
import { Intake } from "./intake.ts";
import { Link } from "./link.ts";
import { type Ack, type Command, Outbox } from "./outbox.ts";
import { Pace } from "./pace.ts";
import { Recovery } from "./recovery.ts";
import type { ClientState } from "./state.ts";
import { View } from "./view.ts";

export interface ConnectOptions {
  /** The server's origin, or the address of its configuration document. */
  readonly url: string;
  /** Called before every attempt, so that no token is used that has expired meanwhile. */
  readonly getToken: () => string | Promise<string>;
  readonly onState?: (state: ClientState) => void;
  /** Replaces parts of the surroundings, as tests do. */
  readonly environment?: Partial<Environment>;
}

export interface SendOptions {
  /** Absent: the default thread. A new UUID starts a thread. */
  readonly thread_id?: string;
  /** Absent: after the newest message of the thread. Any other, or null for the very first: on a branch of its own. */
  readonly parent_message_id?: string | null;
  /** Structured input for the agent. */
  readonly data?: Readonly<Record<string, unknown>>;
  /** Comes back with the event; the server never reads it. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** False: store the message without an answer. */
  readonly respond?: boolean;
  /** What happens if the thread is being answered already; absent: it waits for its turn. */
  readonly policy?: "enqueue" | "reject" | "interrupt" | "steer";
}

/**
 * Connects, and stays connected until `close()` or until the server says stop.
 *
 *     const client = connect({ url: location.origin, getToken: () => fetchToken() });
 *     client.on("conversation", ({ messages, runs }) => render(messages, runs));
 *     await client.send("Where does our money go?");
 *
 * Never throws: failures show in `client.state` and come to `on("error")`.
 */
export function connect(options: ConnectOptions): Client {
  return new Client(options);
}

export class Client {
  /** Names this instance. Never stored: a duplicated tab must be another client. */
  readonly client_id: string;
  readonly #emitter = new Emitter<Channels>();
  readonly #view = new View();
  readonly #acks: Acks;
  readonly #outbox: Outbox;
  readonly #link: Link;
  readonly #stopSignals: () => void;

  constructor(options: ConnectOptions) {
    const surroundings = environment(options.environment);
    this.client_id = surroundings.uuid();
    this.#link = new Link({
      environment: surroundings,
      url: options.url,
      client_id: this.client_id,
      getToken: options.getToken,
      view: this.#view,
      intake: () => intake,
      outbox: () => this.#outbox,
      changed: (state) => this.#changed(state),
      failed: (error) => this.#emitter.emit("error", error),
    });
    const shared = { environment: surroundings, link: this.#link, pace: new Pace(surroundings.now) };
    this.#acks = new Acks(shared);
    this.#outbox = new Outbox(shared);
    const intake = new Intake({
      emitter: this.#emitter,
      view: this.#view,
      outbox: this.#outbox,
      acks: this.#acks,
      recovery: new Recovery(shared),
      link: this.#link,
    });
    if (options.onState !== undefined) this.on("state", options.onState);
    this.#stopSignals = surroundings.onSignal((signal) => this.#signalled(signal));
    // Not in this turn: whoever calls `connect` can add listeners first and misses nothing.
    queueMicrotask(() => void this.#link.connect());
  }

  get state(): ClientState {
    return this.#link.state;
  }

  /** Threads, messages and runs as they stand; a new object after each change. */
  get conversation(): Conversation {
    return this.#view.conversation;
  }

  /**
   * Listens to a channel, or to one type of event; returns the function that stops it.
   *
   *     const off = client.on("agent_completed", ({ payload }) => console.log(payload.content));
   */
  on<Name extends keyof Channels>(name: Name, listener: Listener<Channels[Name]>): () => void {
    return this.#emitter.on(name, listener);
  }

  /**
   * Sends a message, now or as soon as there is a connection; resolves once it is stored.
   *
   *     const { run_id } = await client.send("Find savings", { data: { monthly_usd: 50_000 } });
   *
   * Rejects with a `ClientError`: what the server refused, or that this client has stopped.
   */
  async send(content: string, options: SendOptions = {}): Promise<MessageAck["payload"]> {
    const ack = await this.#command({ type: "user_message", payload: { content, ...options } });
    if (ack.type === "message_ack") return ack.payload;
    throw new ClientError("bad_frame", "unexpected reply");
  }

  /**
   * Ends a run; its `agent_completed` follows, with the status `cancelled`.
   *
   *     await client.cancel(run_id);
   */
  cancel(run_id: string): Promise<CommandAck["payload"]> {
    return this.command({ type: "run_cancel", payload: { run_id } });
  }

  /**
   * Any other command of the protocol, now or as soon as there is a connection;
   * resolves once it is carried out, rejects as `send` does.
   *
   *     await client.command({ type: "thread_update", payload: { thread_id, title: "Costs" } });
   */
  async command(command: Command): Promise<Ack["payload"]> {
    return (await this.#command(command)).payload;
  }

  /**
   * Asks for a fresh snapshot. Hardly ever needed: lost order is noticed and mended by itself.
   *
   *     await client.resync();
   */
  resync(): Promise<CommandAck["payload"]> {
    return this.command({ type: "resync", payload: {} });
  }

  /**
   * Ends the connection for good; commands without a reply are rejected with `closed`.
   *
   *     client.close();
   */
  close(): void {
    this.#acks.flush();
    this.#link.stop("closed");
  }

  #command(command: Command): Promise<Ack> {
    const { state } = this;
    if (state.status !== "stopped") return this.#outbox.add(command);
    return Promise.reject(new ClientError("stopped", `stopped: ${state.reason}`));
  }

  #changed(state: ClientState): void {
    this.#emitter.emit("state", state);
    if (state.status !== "stopped") return;
    this.#stopSignals();
    this.#outbox.clear(state.reason === "closed" ? "closed" : "stopped", `stopped: ${state.reason}`);
  }

  #signalled(signal: Signal): void {
    if (signal === "hidden") this.#acks.flush();
    else this.#link.wake(signal);
  }
}
