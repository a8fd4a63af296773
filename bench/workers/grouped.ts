/** "grouped": messages that arrive together share a commit and a row, the best the platform can do. */
import { BareObject, type Message } from "./bare.ts";
import { front } from "./front.ts";

interface Waiting {
  readonly socket: WebSocket;
  readonly message: Message;
}

export class UserSession extends BareObject {
  #queue: Waiting[] = [];

  override async webSocketMessage(socket: WebSocket, text: string | ArrayBuffer): Promise<void> {
    this.#queue.push({ socket, message: JSON.parse(String(text)) });
    if (this.#queue.length > 1) return;
    await scheduler.wait(0);
    this.#flush();
  }

  /** The row has the seq of its last message; all of them are in its frame. */
  #flush(): void {
    const group = this.#queue;
    this.#queue = [];
    const first = this.head + 1;
    this.head += group.length;
    const messages = group.map(({ message: { id, content } }, index) => ({
      seq: first + index,
      id,
      content,
    }));
    const frame = JSON.stringify({ type: "messages", seq: this.head, messages });
    this.insert(frame);
    for (const [index, { socket, message }] of group.entries()) {
      this.tell(socket, message, frame, first + index);
    }
  }
}

export default front;
