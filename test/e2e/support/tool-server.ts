/** What the tools of orders.ts do, over real HTTP: counted by tool and order, and not done at once. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** Long enough to be killed in. */
const WORK_MS = 150;

export class ToolServer {
  /** How often `charge/ORDER` was begun. */
  readonly calls = new Map<string, number>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const call = (request.url ?? "").slice(1);
      this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
      await pause(WORK_MS);
      response.end(call);
    });
  }

  static async start(): Promise<ToolServer> {
    const server = new ToolServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
