/** An agent somewhere else whose every byte, and all of time, is in the hands of the test. */
import { type RemoteLimits, type RemoteRun, runRemote } from "../../../src/agents/remote/ag-ui-agent.ts";
import type { Clock } from "../../../src/agents/remote/within.ts";
import { type Sent, sse } from "./support.ts";

/** Time that stands still until it is moved on. */
export class HandClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<{ readonly at: number; readonly due: () => void }>();

  now(): number {
    return this.#now;
  }

  timer(ms: number, due: () => void): () => void {
    const timer = { at: this.#now + ms, due };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get armed(): number {
    return this.#timers.size;
  }

  /** Timer by timer; whatever one sets off happens before the next. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      const next = [...this.#timers].sort((a, b) => a.at - b.at).find(({ at }) => at <= until);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.due();
    }
    this.#now = until;
    await settled();
  }
}

/** Everything that needs no more time has happened. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

export class Endpoint {
  readonly clock = new HandClock();
  readonly asked: { readonly url: string; readonly init: RequestInit }[] = [];
  readonly abort = new AbortController();
  /** How often its stream was asked for more. */
  pulls = 0;
  cancelled = false;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  #answer: Promise<Response> | undefined;
  #known: readonly string[] | undefined;

  /** Answers something else than a stream of events. */
  answers(answer: Response | Promise<Response>): this {
    this.#answer = Promise.resolve(answer);
    this.#answer.catch(() => undefined);
    return this;
  }

  /** Refuses a request with any other field, like Python's agents of 0.0.x. */
  knowsOnly(...fields: readonly string[]): this {
    this.#known = fields;
    return this;
  }

  /** What nobody has taken yet is kept here: sending does not wait. */
  send(...pieces: readonly (string | Uint8Array)[]): void {
    for (const piece of pieces) {
      this.#stream?.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
    }
  }

  events(...events: readonly Sent[]): void {
    this.send(sse(events));
  }

  hangUp(): void {
    this.#stream?.close();
  }

  breakOff(): void {
    this.#stream?.error(new Error("a secret of the network"));
  }

  run(over: Partial<Omit<RemoteRun, "limits">> & { readonly limits?: Partial<RemoteLimits> } = {}) {
    const input = {
      thread_id: "u_1:main",
      run_id: "r_1",
      messages: [{ id: "q", role: "user" as const, content: "?" }],
    };
    const { clock, abort } = this;
    return runRemote({
      url: "https://agent.test/secret-path",
      input,
      fetch: (url, init) => this.#fetch(url, init),
      clock,
      signal: abort.signal,
      ...over,
    });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    this.asked.push({ url, init });
    const fields = Object.keys(JSON.parse(String(init.body)));
    if (this.#known !== undefined && !fields.every((field) => this.#known?.includes(field))) {
      return new Response("a secret", { status: 422 });
    }
    return await (this.#answer ?? new Response(this.#body(), { headers: EVENTS }));
  }

  #body(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#stream = controller;
        },
        pull: () => {
          this.pulls += 1;
        },
        cancel: () => {
          this.cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
  }
}

export const EVENTS = { "Content-Type": "text/event-stream; charset=utf-8" };
