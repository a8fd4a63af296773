/** An agent somewhere else at the desk: every request it gets, and every byte it answers, in the hands of the test. */
import { agUiAgent } from "../../src/agents/remote/remote-agent.ts";
import { HandClock } from "../agents/remote/endpoint.ts";
import { type Sent, sse } from "../agents/remote/support.ts";

export const TOKEN = "a-token-of-the-agent";
export const URL = "https://agent.test/a-path-of-the-agent";

/** One request, and the stream that answers it. */
export class Asked {
  readonly url: string;
  readonly init: RequestInit;
  readonly body: ReadableStream<Uint8Array>;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(url: string, init: RequestInit) {
    this.url = url;
    this.init = init;
    this.body = new ReadableStream(
      {
        start: (controller) => {
          this.#stream = controller;
        },
      },
      { highWaterMark: 0 },
    );
  }

  get input(): any {
    return JSON.parse(String(this.init.body));
  }

  /** Its connection was ended from our side. */
  get hungUp(): boolean {
    return this.init.signal?.aborted === true;
  }

  /** Does nothing where nobody listens any more, as on a socket. */
  events(...events: readonly Sent[]): void {
    this.raw(sse(events));
  }

  raw(text: string): void {
    if (!this.hungUp) this.#stream?.enqueue(new TextEncoder().encode(text));
  }

  breakOff(): void {
    this.#stream?.error(new Error("a secret of the network"));
  }
}

export class RemoteDesk {
  readonly clock = new HandClock();
  readonly asked: Asked[] = [];
  /** What it answers with instead of a stream. */
  answer: (() => Promise<Response>) | undefined;
  readonly agent = agUiAgent(
    { url: URL, token: TOKEN, name: "remote" },
    { fetch: (url, init) => this.#fetch(url, init), clock: this.clock },
  );

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const asked = new Asked(url, init);
    this.asked.push(asked);
    if (this.answer !== undefined) return await this.answer();
    return new Response(asked.body, { headers: { "Content-Type": "text/event-stream" } });
  }
}
