/** The part of `ws` (which ships no types) that a bench client uses. */
declare module "ws" {
  import type { Socket } from "node:net";

  export class WebSocket {
    constructor(
      url: string,
      options: {
        readonly headers: Readonly<Record<string, string>>;
        readonly perMessageDeflate: false;
        readonly createConnection: (options: object) => Socket;
      },
    );
    send(data: string): void;
    terminate(): void;
    on(type: "message", listener: (data: Buffer) => void): this;
    on(type: "error", listener: (cause: Error) => void): this;
    on(type: "close", listener: (code: number, reason: Buffer) => void): this;
  }
}
