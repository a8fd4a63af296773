/** "durable": one row and one commit for every message. */
import { BareObject, type Message } from "./bare.ts";
import { front } from "./front.ts";

export class UserSession extends BareObject {
  override async webSocketMessage(socket: WebSocket, text: string | ArrayBuffer): Promise<void> {
    const message: Message = JSON.parse(String(text));
    const { id, content, deltas, pace_ms } = message;
    this.head += 1;
    const frame = JSON.stringify({ type: "message", seq: this.head, id, content });
    this.insert(frame);
    this.tell(socket, message, frame, this.head);
    if (deltas !== undefined) this.ctx.waitUntil(this.answer(deltas, pace_ms ?? 0));
  }
}

export default front;
