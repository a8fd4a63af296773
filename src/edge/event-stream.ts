/**
 * `GET /v1/events` as server-sent events (WHATWG HTML §9.2), for networks that
 * block WebSockets. The Worker holds a socket to the user's object like any
 * client and passes on what it is sent, so that there is one way of delivery;
 * it acknowledges what its reader has taken, so that a slow one is simply sent less.
 */
import type { Principal } from "../auth/principal.ts";
import { WINDOW_BYTES } from "../protocol/limits.ts";
import { CLOSE_CODES } from "../protocol/pure/close-codes.ts";
import { ACK_AFTER_EVENTS, PING_TEXT, PONG_TEXT } from "../protocol/pure/constants.ts";
import { field, parseJson } from "../protocol/pure/json.ts";
import { upgradeRequest } from "../session/upgrade-request.ts";
import { stream } from "./answers.ts";
import type { SessionStub } from "./env.ts";
import { refuseLong } from "./query.ts";
import { refuseHttp } from "./refusals.ts";
import { sessionAnswer } from "./session-answer.ts";

/** Below the silence after which common proxies close a connection. */
const KEEP_ALIVE_MS = 15_000;

/** Of frames that a reader has not taken: with what events alone may be under way, and as much again. */
const MAX_HELD_CHARS = 2 * WINDOW_BYTES;

/** Where a reader stands, as it says. */
export interface Position {
  readonly client_id?: string | undefined;
  readonly epoch?: string | undefined;
  readonly since?: string | undefined;
}

export function wantsStream(headers: Headers): boolean {
  return headers.get("Accept")?.toLowerCase().includes("text/event-stream") ?? false;
}

/** `Last-Event-ID` is how a reader that lost its connection says what it has; it wins over the query. */
export function positionOf(request: Request): Position {
  const query = new URL(request.url).searchParams;
  const last = /^([^:]+):(\d+)$/.exec(request.headers.get("Last-Event-ID") ?? "");
  return {
    client_id: query.get("client_id") ?? undefined,
    epoch: last?.[1] ?? query.get("epoch") ?? undefined,
    since: last?.[2] ?? query.get("since") ?? undefined,
  };
}

export async function eventStream(
  request: Request,
  session: SessionStub,
  principal: Principal,
): Promise<Response> {
  const position = positionOf(request);
  const refused = refuseLong({ ...position });
  if (refused !== undefined) return refuseHttp(refused);
  const shake = { principal, codec: "native", ...position };
  const answer = await session.fetch(upgradeRequest(shake, undefined));
  if (answer.webSocket === null) return sessionAnswer(answer, request);
  const arrivals = new Arrivals(answer.webSocket);
  return stream(relay(answer.webSocket, arrivals), "text/event-stream", () => arrivals.end());
}

async function* relay(socket: WebSocket, arrivals: Arrivals): AsyncGenerator<string> {
  const acks = new Acks(socket);
  let epoch = "";
  try {
    yield "retry: 1000\n\n";
    for (;;) {
      const arrival = await arrivals.next();
      if (arrival.kind === "closed") return yield closing(arrival);
      if (arrival.kind === "silence") {
        // Answered without waking the object, and seen by it: who reads in silence is no ghost.
        socket.send(PING_TEXT);
        yield ": nothing new\n\n";
        continue;
      }
      if (arrival.text === PONG_TEXT) continue;
      const frame = parseJson(arrival.text);
      if (field(frame, "type") === "ping") socket.send(PONG_TEXT);
      epoch = textIn(frame, "payload", "epoch") ?? epoch;
      yield written(arrival.text, frame, epoch);
      // The reader has asked for more, so it has what came before.
      acks.taken(field(frame, "seq"), arrivals.empty);
    }
  } finally {
    arrivals.end();
  }
}

/** One event of the stream; its id is the position after it, where a frame has one. */
function written(text: string, frame: unknown, epoch: string): string {
  const to = { events_skipped: "to", state_snapshot: "as_of_seq" }[textIn(frame, "type") ?? ""] ?? "";
  const seq = field(frame, "seq") ?? field(frame, "payload", to);
  const id = seq === undefined ? "" : `id: ${epoch}:${seq}\n`;
  const type = textIn(frame, "type");
  return `${id}event: ${type === "error" ? ERROR_FRAME : type}\ndata: ${text}\n\n`;
}

/** `error` is what a browser's EventSource calls its own trouble with the connection. */
const ERROR_FRAME = "error_frame";

/** Says what a socket would be told by its close code; the bands mean the same here. */
function closing({ code, reason }: { readonly code: number; readonly reason: string }): string {
  return `event: closed\ndata: ${JSON.stringify({ code, reason })}\n\n`;
}

function textIn(frame: unknown, ...path: readonly string[]): string | undefined {
  const value = field(frame, ...path);
  return typeof value === "string" ? value : undefined;
}

class Acks {
  readonly #socket: WebSocket;
  #unsaid = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** @param idle nothing else is waiting: there is no better time */
  taken(seq: unknown, idle: boolean): void {
    if (seq === undefined) return;
    this.#unsaid += 1;
    if (!idle && this.#unsaid < ACK_AFTER_EVENTS) return;
    this.#unsaid = 0;
    this.#socket.send(JSON.stringify({ type: "ack", payload: { seq } }));
  }
}

type Arrival =
  | { readonly kind: "frame"; readonly text: string }
  | { readonly kind: "silence" }
  | { readonly kind: "closed"; readonly code: number; readonly reason: string };

/** What arrives on a socket, in order, and a word now and then if nothing does. */
class Arrivals {
  readonly #socket: WebSocket;
  readonly #waiting: Arrival[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  /** UTF-16 code units of the frames that wait. */
  #held = 0;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#put({ kind: "frame", text: String(data) }));
    socket.addEventListener("close", ({ code, reason }) => this.#put({ kind: "closed", code, reason }));
    socket.addEventListener("error", () => this.#put({ kind: "closed", code: 1006, reason: "" }));
    this.#timer = setInterval(() => this.empty && this.#put({ kind: "silence" }), KEEP_ALIVE_MS);
    socket.accept();
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  async next(): Promise<Arrival> {
    for (;;) {
      const first = this.#waiting.shift();
      if (first?.kind === "frame") this.#held -= first.text.length;
      if (first !== undefined) return first;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** The reader is gone, or nothing more can come. */
  end(): void {
    clearInterval(this.#timer);
    this.#socket.close(1000);
  }

  #put(arrival: Arrival): void {
    this.#held += arrival.kind === "frame" ? arrival.text.length : 0;
    this.#waiting.push(arrival);
    if (this.#held > MAX_HELD_CHARS) this.#giveUp();
    this.#wake();
  }

  /** Events stop by themselves when nobody acknowledges them; what is not an event does not. */
  #giveUp(): void {
    this.end();
    const { slow_consumer: code } = CLOSE_CODES;
    this.#held = 0;
    this.#waiting.splice(0, this.#waiting.length, { kind: "closed", code, reason: "slow_consumer" });
  }
}
