/**
 * A small real server: HTTP for the discovery document, TCP sockets, and one log
 * in memory that is replayed from the client's cursor. It keeps what it was sent.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ServerSocket, WebSocketServer } from "ws";
import type { Event } from "../../../src/protocol/events.ts";
import { parseJson } from "../../../src/protocol/pure/json.ts";
import { config, greeting, messageAck, snapshot, userMessage } from "./frames.ts";
import type { Sent } from "./world.ts";

export class ScriptedServer {
  readonly log: Event[] = [];
  /** Every frame that came, over all connections, in order. */
  readonly received: Sent[] = [];
  /** The query and the subprotocols of every upgrade. */
  readonly upgrades: Array<{ readonly query: Record<string, string>; readonly protocols: string }> = [];
  /** Decides whether a command gets its reply; by default all do. */
  replies: (frame: Sent) => boolean = () => true;
  /** The codes of the close frames that clients sent. */
  readonly closes: number[] = [];
  /** Answers upgrades with an HTTP status instead. */
  refuses = false;
  /** Called instead of greeting a new socket. */
  instead: ((socket: ServerSocket) => void) | undefined;
  readonly #sockets = new Set<ServerSocket>();
  readonly #seen = new Map<string, number>();
  readonly #http: Server;
  #port = 0;

  constructor() {
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => "throughline.v1" });
    this.#http = createServer((_, response) => {
      response.setHeader("Content-Type", "application/json");
      response.end(
        JSON.stringify({ ...config(), websocket: { ...config().websocket, url: this.#socketUrl() } }),
      );
    });
    this.#http.on("upgrade", (request, socket, head) => {
      this.#note(request);
      if (this.refuses) socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
      else sockets.handleUpgrade(request, socket, head, (accepted) => this.#accept(accepted));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#http.listen(this.#port, "127.0.0.1", resolve));
    this.#port = portOf(this.#http.address());
    return this;
  }

  publish(...events: readonly Event[]): void {
    this.log.push(...events);
    for (const socket of this.#sockets) for (const event of events) socket.send(JSON.stringify(event));
  }

  /** Sends something that is no event, as it is. */
  say(data: string | Buffer): void {
    for (const socket of this.#sockets) socket.send(data);
  }

  /** Breaks every connection without a close frame. */
  breakAll(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  closeAll(code: number, reason: string): void {
    for (const socket of this.#sockets) socket.close(code, reason);
  }

  async stop(): Promise<void> {
    this.breakAll();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #accept(socket: ServerSocket): void {
    if (this.instead !== undefined) return this.instead(socket);
    this.#sockets.add(socket);
    socket.on("close", (code) => {
      this.#sockets.delete(socket);
      this.closes.push(code);
    });
    socket.on("message", (data) => this.#message(socket, data.toString()));
    const since = this.upgrades.at(-1)?.query.since;
    const head_seq = this.log.length;
    const resume = since === undefined ? "fresh" : "resumed";
    const frames = since === undefined ? [snapshot(head_seq)] : this.log.slice(Number(since));
    for (const frame of [greeting({ resume, head_seq }), ...frames]) socket.send(JSON.stringify(frame));
  }

  /** A message is stored once, however often it comes, and acknowledged each time. */
  #message(socket: ServerSocket, text: string): void {
    const frame = parseJson(text);
    if (!isSent(frame)) return;
    this.received.push(frame);
    if (frame.type !== "user_message" || frame.id === undefined) return;
    const known = this.#seen.get(frame.id);
    const seq = known ?? this.log.length + 1;
    this.#seen.set(frame.id, seq);
    if (this.replies(frame)) socket.send(JSON.stringify(messageAck(frame.id, seq)));
    if (known === undefined) this.publish(userMessage(seq));
  }

  #note(request: IncomingMessage): void {
    const { searchParams } = new URL(request.url ?? "/", this.url);
    const protocols = request.headers["sec-websocket-protocol"] ?? "";
    this.upgrades.push({ query: Object.fromEntries(searchParams), protocols });
  }

  #socketUrl(): string {
    return `${this.url.replace("http", "ws")}/v1/ws`;
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

function isSent(value: unknown): value is Sent {
  return typeof value === "object" && value !== null && "type" in value && "payload" in value;
}
