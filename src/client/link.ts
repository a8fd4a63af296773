/**
 * Keeps one connection alive: makes attempts, each with a fresh token and the
 * current cursor, and decides after each end whether and when to try again.
 */
import type { ConnectionEstablished } from "../protocol/greeting.ts";
import { CLOSE_CODES, closeAction } from "../protocol/pure/close-codes.ts";
import { Backoff } from "./backoff.ts";
import { loadConfig, type ServerConfig, socketUrl } from "./discovery.ts";
import type { Cancel, Environment } from "./environment.ts";
import { asClientError, ClientError } from "./errors.ts";
import type { Intake } from "./intake.ts";
import type { Outbox } from "./outbox.ts";
import type { ClientState } from "./state.ts";
import { type Ending, Transport } from "./transport.ts";
import type { View } from "./view.ts";

/** Back online, a socket that answers at all answers fast; a dead one must not cost the usual 10 s. */
const ONLINE_PROBE_MS = 2_000;

/** An identity provider that never answers must not hold up reconnecting. */
const TOKEN_TIMEOUT_MS = 10_000;

/** Rejected twice in a row, a token will not be accepted the third time either. */
const MAX_REJECTED_TOKENS = 2;

export interface LinkOptions {
  readonly environment: Environment;
  readonly url: string;
  readonly client_id: string;
  readonly getToken: () => string | Promise<string>;
  readonly view: Pick<View, "cursor">;
  /** Made after the link, which it needs. */
  readonly intake: () => Intake;
  readonly outbox: () => Pick<Outbox, "add">;
  readonly changed: (state: ClientState) => void;
  readonly failed: (error: ClientError) => void;
}

/** How the connection was closed, if it was. */
type Closed = { readonly code?: number };

export class Link {
  readonly #options: LinkOptions;
  readonly #backoff: Backoff;
  #state: ClientState = { status: "connecting", attempt: 1 };
  #config: ServerConfig | undefined;
  #transport: Transport | undefined;
  /** In use: the newest that the server has accepted, or is about to. */
  #token = "";
  #attempt = 0;
  #rejected_tokens = 0;
  #retry_after_ms = 0;
  /** Until then the server wants to be left alone. */
  #patient_until = 0;
  /** Of the next attempt while waiting, of the token while connecting, of its renewal while open. */
  #cancelTimer: Cancel = () => {};

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.environment.random);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Starts the next attempt and abandons the present one. What fails in it ends in `#wait` or `stop`, so the promise is never lost. */
  async connect(): Promise<void> {
    if (this.#state.status === "stopped") return;
    this.#cancelTimer();
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#change({ status: "connecting", attempt });
    try {
      const { url, environment } = this.#options;
      this.#config ??= await loadConfig(url, environment.fetch);
      const token = this.#pursues(attempt) ? await this.#getToken() : "";
      if (this.#pursues(attempt)) this.#transport = this.#open(this.#config, token, attempt);
    } catch (error) {
      if (this.#pursues(attempt)) this.#failed(asClientError(error));
    }
  }

  send(text: string): void {
    this.#transport?.send(text);
  }

  /** Gives up the present connection for a new one. */
  reconnect(reason: string): void {
    this.#transport?.end(1000, reason);
  }

  /** The token ends soon: the connection goes on with another. Without one, the end of the old one says what to do. */
  async renew(): Promise<void> {
    const transport = this.#transport;
    try {
      const token = await this.#getToken();
      if (transport !== this.#transport || token === this.#token) return;
      await this.#options.outbox().add({ type: "auth_refresh", payload: { token } });
      this.#token = token;
    } catch (error) {
      if (transport === this.#transport) this.#notRenewed(asClientError(error));
    }
  }

  #notRenewed(error: ClientError): void {
    if (error.retry_after_ms === undefined) return this.#options.failed(error);
    const { environment } = this.#options;
    this.#cancelTimer = environment.setTimer(error.retry_after_ms, () => void this.renew());
  }

  /** Another token, within 10 s. */
  #getToken(): Promise<string> {
    const { environment, getToken } = this.#options;
    return new Promise((resolve, reject) => {
      const failed = (cause: unknown) =>
        reject(new ClientError("token_unavailable", "getToken failed", { retryable: true, cause }));
      const cancel = environment.setTimer(TOKEN_TIMEOUT_MS, () => failed("no token in time"));
      this.#cancelTimer = cancel;
      Promise.resolve().then(getToken).finally(cancel).then(resolve, failed);
    });
  }

  stop(reason: string, close: Closed = {}): void {
    if (this.#state.status === "stopped") return;
    this.#cancelTimer();
    this.#change({ status: "stopped", reason, ...close });
    this.#transport?.end(1000, reason);
  }

  /** The connection has proved good: the next outage is a new one. */
  stable(): void {
    this.#backoff.reset();
  }

  /** The network or the page is back: what is waiting tries now, what is open asks whether it still is. */
  wake(signal: "online" | "visible"): void {
    const { status } = this.#state;
    if (status === "waiting") this.#hurry();
    else if (status === "open") this.#transport?.probe(signal === "online" ? ONLINE_PROBE_MS : undefined);
    else if (status === "connecting" && signal === "online") this.#beginAnew();
  }

  /** The server asked for patience (`retry_after_ms` of a fatal error). */
  delayNext(ms: number): void {
    this.#retry_after_ms = ms;
  }

  /** Ends a wait of our own, but not the patience a server asked for. */
  #hurry(): void {
    if (this.#options.environment.now() >= this.#patient_until) void this.connect();
  }

  /** An attempt begun without a network may hang until it times out. */
  #beginAnew(): void {
    if (this.#transport === undefined) void this.connect();
    else this.reconnect("back_online");
  }

  /** False once a newer attempt was started, or the client has stopped: what comes late is ignored. */
  #pursues(attempt: number): boolean {
    return attempt === this.#attempt && this.#state.status === "connecting";
  }

  #failed(error: ClientError): void {
    this.#options.failed(error);
    if (error.retryable) this.#wait(error.code);
    else this.stop(error.code);
  }

  #open(config: ServerConfig, token: string, attempt: number): Transport {
    const { environment, client_id, view, intake } = this.#options;
    this.#token = token;
    return new Transport({
      environment,
      url: socketUrl(config, client_id, attempt, view.cursor),
      token_subprotocol: config.token_prefix + token,
      greeted: (frame) => this.#greeted(frame),
      received: (incoming) => intake().received(incoming),
      ended: (ending) => this.#ended(ending),
    });
  }

  #greeted(frame: ConnectionEstablished): void {
    this.#rejected_tokens = 0;
    this.#change({ status: "open", greeting: frame.payload });
    // Whoever was told may have closed the client.
    if (this.#transport !== undefined) this.#options.intake().greeted(frame);
  }

  #ended({ code, reason, established }: Ending): void {
    this.#transport = undefined;
    this.#cancelTimer();
    this.#options.intake().lost();
    if (this.#state.status === "stopped") return;
    if (!established && code === CLOSE_CODES.token_invalid) this.#rejected_tokens += 1;
    const action = closeAction(code);
    if (action === "stop" || this.#rejected_tokens >= MAX_REJECTED_TOKENS) return this.stop(reason, { code });
    if (action === "reset") this.#options.intake().invalidated(reason);
    this.#wait(reason, { code });
  }

  #wait(reason: string, close: Closed = {}): void {
    if (this.#state.status === "stopped") return;
    const retry_in_ms = this.#backoff.next(this.#retry_after_ms);
    this.#patient_until = this.#options.environment.now() + this.#retry_after_ms;
    this.#retry_after_ms = 0;
    this.#cancelTimer = this.#options.environment.setTimer(retry_in_ms, () => void this.connect());
    this.#change({ status: "waiting", retry_in_ms, reason, ...close });
  }

  #change(state: ClientState): void {
    this.#state = state;
    this.#options.changed(state);
  }
}
