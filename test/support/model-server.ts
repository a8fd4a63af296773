/** A model server over real HTTP that does what model-script.ts says; for the end-to-end tests and the bench. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Asked, askedIn, type Script, scriptFor } from "./model-script.ts";

export interface ServedRequest extends Asked {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: any;
  /** The client hung up before the end. */
  aborted: boolean;
  /** The script has been played to its end, be it a cut. */
  ended: boolean;
}

export class ModelServer {
  readonly requests: ServedRequest[] = [];
  readonly #seen = new Map<string, number>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<ModelServer> {
    const server = new ModelServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  /** What `LLM_BASE_URL` is set to. */
  get base_url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/v1`;
  }

  get aborted(): number {
    return this.requests.filter(({ aborted }) => aborted).length;
  }

  /** Hangs up on everyone. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await textOf(request));
    const asked = askedIn(body, this.#seen);
    const served = {
      ...asked,
      path: request.url ?? "",
      headers: request.headers,
      body,
      aborted: false,
      ended: false,
    };
    this.requests.push(served);
    const gone = new AbortController();
    response.on("close", () => {
      served.aborted = !served.ended;
      gone.abort();
    });
    await play(scriptFor(asked), response, gone.signal, () => {
      served.ended = true;
    });
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  request.setEncoding("utf8");
  let text = "";
  for await (const piece of request) text += piece;
  return text;
}

async function play(
  script: Script,
  response: ServerResponse,
  gone: AbortSignal,
  ended: () => void,
): Promise<void> {
  for (const step of script) {
    if (gone.aborted) await never();
    if ("head" in step) response.writeHead(step.head.status, step.head.headers).flushHeaders();
    else if ("pause_ms" in step) await pause(step.pause_ms);
    else if ("send" in step) await send(response, step.send, gone);
    else if (step.end === "hang") await never();
    else {
      ended();
      if (step.end === "close") response.end();
      // What was sent so far goes out before the connection is destroyed.
      else setImmediate(() => response.destroy());
    }
  }
}

/** Waits for a slow reader, as a server would. */
async function send(response: ServerResponse, text: string, gone: AbortSignal): Promise<void> {
  if (response.write(text)) return;
  await new Promise<void>((resolve) => {
    response.once("drain", resolve);
    gone.addEventListener("abort", () => resolve());
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function never(): Promise<never> {
  return new Promise(() => {});
}
