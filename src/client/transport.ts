/**
 * One socket, from its opening to its end: the greeting must come first and in
 * time, silence is probed with a ping, and the end is reported exactly once.
 */
import type { ConnectionEstablished } from "../protocol/greeting.ts";
import { CLOSE_CODES, type CloseName } from "../protocol/pure/close-codes.ts";
import {
  PING_AFTER_SILENCE_MS,
  PING_TEXT,
  PONG_TEXT,
  PONG_TIMEOUT_MS,
  PROTOCOL_VERSION,
  SUBPROTOCOL,
} from "../protocol/pure/constants.ts";
import type { Cancel, Environment, Socket } from "./environment.ts";
import { ClientError, isSyntaxError } from "./errors.ts";
import { type Incoming, type OtherFrame, parseFrame } from "./frames.ts";

/** From the start of an attempt to its greeting; also covers a server that accepts and then says nothing. */
const GREETING_TIMEOUT_MS = 10_000;

/**
 * After the server's last word. Its close follows at once, but workerd takes 10 s
 * to let go of a connection that never sent anything, and only then is it told here.
 */
const CLOSE_TIMEOUT_MS = 1_000;

/** Used where the platform gives no code of its own (RFC 6455 §7.4.1). */
const NO_CLOSE_FRAME = 1006;

export interface Ending {
  readonly code: number;
  readonly reason: string;
  /** Whether a greeting had come. */
  readonly established: boolean;
}

export interface TransportOptions {
  readonly environment: Pick<Environment, "WebSocket" | "now" | "setTimer">;
  readonly url: string;
  readonly token_subprotocol: string;
  readonly greeted: (frame: ConnectionEstablished) => void;
  readonly received: (incoming: Incoming) => void;
  readonly ended: (ending: Ending) => void;
}

export class Transport {
  readonly #options: TransportOptions;
  readonly #socket: Socket | undefined;
  #established = false;
  #heard_at: number;
  /** When the pending probe ends the connection; infinite while none is unanswered. */
  #deadline = Infinity;
  /** True once the server has said its last word: nothing is left to ask. */
  #ending = false;
  #over = false;
  #cancel: Cancel;

  constructor(options: TransportOptions) {
    this.#options = options;
    const { environment } = options;
    this.#heard_at = environment.now();
    this.#socket = this.#open();
    this.#cancel =
      this.#socket === undefined
        ? environment.setTimer(0, () => this.end(CLOSE_CODES.token_invalid, "token_malformed"))
        : environment.setTimer(GREETING_TIMEOUT_MS, () => this.end(NO_CLOSE_FRAME, "no_greeting"));
  }

  send(text: string): void {
    if (this.#established && !this.#over) this.#socket?.send(text);
  }

  /**
   * Asks the other side whether it is there; no word within `timeout_ms` ends the
   * connection. Asked again before an answer, the earlier deadline stands.
   */
  probe(timeout_ms = PONG_TIMEOUT_MS): void {
    if (!this.#established || this.#ending || this.#over) return;
    const now = this.#options.environment.now();
    this.#deadline = Math.min(this.#deadline, now + timeout_ms);
    this.send(PING_TEXT);
    this.#after(this.#deadline - now, () => {
      if (this.#deadline === Infinity) this.#listen();
      else this.end(NO_CLOSE_FRAME, "no_answer");
    });
  }

  /** Ends the connection from this side, without waiting for a network that may be gone. */
  end(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancel();
    this.#socket?.close(1000);
    this.#options.ended({ code, reason, established: this.#established });
  }

  /** Undefined where the token is at fault; throws where the platform is. */
  #open(): Socket | undefined {
    const { environment, url, token_subprotocol } = this.#options;
    try {
      const socket = new environment.WebSocket(url, [SUBPROTOCOL, token_subprotocol]);
      socket.addEventListener("message", ({ data }) => this.#heard(data));
      socket.addEventListener("close", ({ code, reason }) => this.end(code, reason || "connection_lost"));
      // The close says all there is to know; but an `error` nobody listens to ends a process that uses the `ws` package.
      socket.addEventListener("error", () => {});
      return socket;
    } catch (cause) {
      // The URL was checked, so it is the token that cannot be a subprotocol: it counts as refused by the server.
      if (isSyntaxError(cause)) return undefined;
      throw new ClientError("websocket_unavailable", "no usable WebSocket", { cause });
    }
  }

  #heard(data: unknown): void {
    if (this.#over) return;
    this.#heard_at = this.#options.environment.now();
    this.#deadline = Infinity;
    const incoming = parseFrame(data);
    const frame = incoming?.frame;
    // A refused connection is told why before it is closed.
    if (!this.#established && frame?.type !== "error") return this.#greet(frame);
    if (frame?.type === "ping") this.send(PONG_TEXT);
    this.#options.received(incoming);
    if (frame?.type === "error" && frame.payload.fatal) this.#awaitClose(frame.payload.code);
  }

  /** The error names the close that follows; where it does not, only the close itself can say what to do. */
  #awaitClose(code: string): void {
    if (this.#over || !isCloseName(code)) return;
    this.#ending = true;
    this.#after(CLOSE_TIMEOUT_MS, () => this.end(CLOSE_CODES[code], code));
  }

  #greet(frame: OtherFrame | undefined): void {
    if (frame?.type !== "connection_established") return this.end(NO_CLOSE_FRAME, "bad_greeting");
    if (frame.payload.protocol !== PROTOCOL_VERSION || this.#socket?.protocol !== SUBPROTOCOL)
      return this.end(CLOSE_CODES.unsupported_version, "unsupported_version");
    this.#established = true;
    this.#listen();
    this.#options.greeted(frame);
  }

  /** One timer per silence, not one per frame: when it fires, it looks how long the silence really was. */
  #listen(): void {
    const silence = this.#options.environment.now() - this.#heard_at;
    this.#after(PING_AFTER_SILENCE_MS - silence, () => {
      if (this.#options.environment.now() - this.#heard_at >= PING_AFTER_SILENCE_MS) this.probe();
      else this.#listen();
    });
  }

  #after(ms: number, run: () => void): void {
    this.#cancel();
    this.#cancel = this.#options.environment.setTimer(ms, run);
  }
}

function isCloseName(code: string): code is CloseName {
  return Object.hasOwn(CLOSE_CODES, code);
}
