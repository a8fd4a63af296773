/**
 * What a hibernating object does without any of the product: it takes messages,
 * keeps them in SQLite, tells the other tabs, streams an answer, and sends what
 * was missed. How messages become rows and commits is its subclasses' business.
 */
import { DurableObject } from "cloudflare:workers";
import type { BareEnv } from "./front.ts";
import { piece } from "./words.ts";

export interface Message {
  readonly id: string;
  readonly content: string;
  /** How long an answer it wants; none if absent. */
  readonly deltas?: number;
  readonly pace_ms?: number;
}

export abstract class BareObject extends DurableObject<BareEnv> {
  protected head: number;

  constructor(ctx: DurableObjectState, env: BareEnv) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, frame TEXT NOT NULL)");
    const [last] = ctx.storage.sql.exec("SELECT max(seq) AS head FROM events").toArray();
    this.head = Number(last?.head ?? 0);
  }

  override async fetch(request: Request): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const since = new URL(request.url).searchParams.get("since");
    if (since !== null) for (const frame of this.framesAfter(Number(since))) server.send(frame);
    server.send(JSON.stringify({ type: "ready", seq: this.head }));
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    socket.close(1_000);
  }

  /** Frames of the rows after `since`, in order. */
  protected framesAfter(since: number): string[] {
    return this.ctx.storage.sql
      .exec("SELECT frame FROM events WHERE seq > ? ORDER BY seq", since)
      .toArray()
      .map(({ frame }) => String(frame));
  }

  protected insert(frame: string): void {
    this.ctx.storage.sql.exec("INSERT INTO events (seq, frame) VALUES (?, ?)", this.head, frame);
  }

  /** The sender is told that its message is kept, the other tabs what it says. */
  protected tell(sender: WebSocket, { id }: Message, frame: string, seq: number): void {
    sender.send(JSON.stringify({ type: "ack", id, seq }));
    for (const socket of this.ctx.getWebSockets()) if (socket !== sender) socket.send(frame);
  }

  /** Streams an answer, every piece of it a row. */
  protected async answer(deltas: number, pace_ms: number): Promise<void> {
    const run_id = `r_${this.head}`;
    let offset = 0;
    for (let index = 0; index < deltas; index += 1) {
      const delta = piece(index);
      this.#append({ type: "delta", run_id, offset, delta });
      offset += delta.length;
      if (pace_ms > 0) await scheduler.wait(pace_ms);
    }
    this.#append({ type: "done", run_id, offset });
  }

  #append(event: { type: string; run_id: string; offset: number; delta?: string }): void {
    this.head += 1;
    const { type, ...facts } = event;
    const frame = JSON.stringify({ type, seq: this.head, ...facts });
    this.insert(frame);
    for (const socket of this.ctx.getWebSockets()) socket.send(frame);
  }
}
