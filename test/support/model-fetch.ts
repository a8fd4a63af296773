/** A model server without a network: a `fetch` that plays the scripts of model-script.ts as responses that stream. */
import { askedIn, type Script, type Step, scriptFor } from "./model-script.ts";

export interface FetchedRequest {
  readonly url: string;
  readonly headers: Headers;
  readonly body: any;
  readonly redirect: string | undefined;
  /** Steps that were played: what the other side has pulled so far. */
  played: number;
  /** The other side has closed the stream before its end. */
  cancelled: boolean;
}

export class ModelFetch {
  readonly requests: FetchedRequest[] = [];
  readonly #seen = new Map<string, number>();
  readonly #script: Script | undefined;
  readonly #wait: (ms: number) => Promise<void>;

  /** @param script played for every request; without it, what the request asks for */
  constructor(script?: Script, wait: (ms: number) => Promise<void> = async () => {}) {
    this.#script = script;
    this.#wait = wait;
  }

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const signal = init.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    const body = JSON.parse(String(init.body));
    const request = {
      url,
      headers: new Headers(init.headers),
      body,
      redirect: init.redirect,
      played: 0,
      cancelled: false,
    };
    this.requests.push(request);
    const [first, ...steps] = this.#script ?? scriptFor(askedIn(body, this.#seen));
    if (first === undefined || !("head" in first)) return await aborted(signal);
    const { status, headers } = first.head;
    return new Response(this.#body(steps, request), { status, headers });
  };

  /** The last request. */
  get last(): FetchedRequest {
    const request = this.requests.at(-1);
    if (request === undefined) throw new Error("nothing was asked");
    return request;
  }

  #body(steps: readonly Step[], request: FetchedRequest): ReadableStream<Uint8Array> {
    const left = [...steps];
    return new ReadableStream(
      {
        pull: async (controller) => {
          for (;;) {
            const step = left.shift() ?? { end: "close" };
            request.played += 1;
            if ("pause_ms" in step) await this.#wait(step.pause_ms);
            else if ("send" in step) return controller.enqueue(new TextEncoder().encode(step.send));
            else if ("end" in step) return await end(step.end, controller);
          }
        },
        cancel: () => {
          request.cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
  }
}

async function end(
  how: "close" | "cut" | "hang",
  controller: ReadableStreamDefaultController,
): Promise<void> {
  if (how === "close") controller.close();
  else if (how === "cut") controller.error(new Error("https://secret.example: network connection lost"));
  else await new Promise(() => {});
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
