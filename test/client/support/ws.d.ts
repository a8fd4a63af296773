/** The part of `ws` (which ships no types) that the tests use. */
declare module "ws" {
  import type { IncomingMessage } from "node:http";
  import type { Duplex } from "node:stream";

  export interface ServerSocket {
    readonly readyState: number;
    send(data: string | Buffer): void;
    close(code: number, reason: string): void;
    terminate(): void;
    on(type: "message", listener: (data: Buffer, is_binary: boolean) => void): void;
    on(type: "close", listener: (code: number) => void): void;
  }

  export class WebSocket {
    constructor(
      url: string | URL,
      protocols: readonly string[],
      options: { readonly headers: Readonly<Record<string, string>> },
    );
    readonly protocol: string;
    close(code?: number): void;
    on(type: "message", listener: (data: Buffer) => void): this;
    on(type: "upgrade", listener: (response: IncomingMessage) => void): this;
    on(type: "error", listener: (cause: Error) => void): this;
    on(type: "close", listener: (code: number, reason: Buffer) => void): this;
  }

  export class WebSocketServer {
    constructor(options: {
      readonly noServer: true;
      readonly handleProtocols: (offered: Set<string>) => string | false;
    });
    handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      accepted: (socket: ServerSocket) => void,
    ): void;
  }
}
