/** A page that was given a snapshot once and folds whatever its socket is sent since, over one connection or several. */
import { EMPTY_CONVERSATION } from "../../src/protocol/pure/conversation.ts";
import { fold } from "../../src/protocol/pure/fold.ts";
import type { Desk, RecordingSocket } from "./desk.ts";

export class Page {
  readonly client_id: string;
  /** The snapshot it began with. */
  readonly stale: any;
  readonly #epoch: string;
  /** Events it has folded, by type and, where they end a run, how. */
  readonly seen: string[] = [];
  view = EMPTY_CONVERSATION;
  socket: RecordingSocket | undefined;
  #read = 0;

  constructor(desk: Desk, client_id: string) {
    this.client_id = client_id;
    this.socket = desk.connect({ client_id });
    this.stale = this.socket.of("state_snapshot")[0].payload;
    this.#epoch = this.socket.sent[0].payload.epoch;
  }

  /** Folds what has come since the last time. */
  read(): void {
    const frames = this.socket?.sent ?? [];
    for (; this.#read < frames.length; this.#read += 1) this.#take(frames[this.#read]);
  }

  /** The socket is gone; what it was sent until then was read. */
  drop(desk: Desk): void {
    this.read();
    if (this.socket !== undefined) desk.session.connections.drop(this.socket, 1_001, "");
    this.socket = undefined;
  }

  /** Comes back to where it was. */
  resume(desk: Desk): void {
    const cursor = { epoch: this.#epoch, since: `${this.view.last_seq}` };
    this.socket = desk.connect({ client_id: this.client_id, ...cursor });
    this.#read = 0;
    if (this.socket.sent[0].payload.resume !== "resumed") throw new Error("a page could not resume");
  }

  #take(frame: any): void {
    const { type, payload } = frame;
    const folded = ["state_snapshot", "partial_result", "events_skipped"].includes(type);
    if (frame.seq === undefined && !folded) return;
    if (frame.seq !== undefined)
      this.seen.push(payload.status === undefined ? type : `${type} ${payload.status}`);
    if (type === "thread_updated" && payload.run_id !== undefined) this.seen.push("asked again");
    this.view = fold(this.view, frame);
  }
}
