/** The values that a body of server-sent events carries: JSON, one per event. */
import { createParser } from "eventsource-parser";
import { ModelFailure } from "./failure.ts";

/** One event: far above any delta, little to hold in memory. UTF-16 code units. */
export const MAX_EVENT_CHARS = 1024 * 1024;

/** Stands for `[DONE]`: the provider has said all it will. */
export const DONE = Symbol("[DONE]");

/**
 * Reads from `body` only when the next value is wanted. Comments, keep-alives
 * among them, are nothing. Aborting `signal` cancels the body at once, also
 * while it is being waited for.
 */
export async function* sseValues(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  const reader = body.getReader();
  // Whether the other side hears it is its own affair.
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  const events = new Events();
  try {
    for (;;) {
      const text = await nextText(reader, events);
      if (signal.aborted) throw new ModelFailure("cancelled");
      if (text === undefined) break;
      for (const data of events.take(text)) yield parsed(data);
    }
    yield* events.rest();
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

async function nextText(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  events: Events,
): Promise<string | undefined> {
  try {
    const { done, value } = await reader.read();
    return done ? undefined : events.decoder.decode(value, { stream: true });
  } catch {
    throw new ModelFailure("model_stream_cut");
  }
}

function parsed(data: string): unknown {
  if (data.trim() === "[DONE]") return DONE;
  try {
    return JSON.parse(data);
  } catch {
    throw new ModelFailure("model_bad_response");
  }
}

/** Sent to keep a connection open, by servers that do not know of comments. */
const KEEP_ALIVE = /^(ping|heartbeat|keep[-_ ]?alive)$/i;

function isKeepAlive(event: string | undefined, data: string): boolean {
  return data === "" || KEEP_ALIVE.test(data) || KEEP_ALIVE.test(event ?? "");
}

class Events {
  readonly decoder = new TextDecoder();
  #found: string[] = [];
  #too_long = false;
  readonly #parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ event, data }) => {
      if (!isKeepAlive(event, data.trim())) this.#found.push(data);
    },
    onError: ({ type }) => {
      this.#too_long ||= type === "max-buffer-size-exceeded";
    },
  });

  take(text: string): readonly string[] {
    this.#parser.feed(text);
    const found = this.#found;
    this.#found = [];
    // One that comes in a single chunk is never buffered, so the parser does not measure it.
    if (this.#too_long || found.some((data) => data.length > MAX_EVENT_CHARS)) {
      throw new ModelFailure("model_bad_response");
    }
    return found;
  }

  /** A last event without its blank line counts if it is whole; half of one is what a cut leaves behind. */
  *rest(): Generator<unknown, void, undefined> {
    try {
      for (const data of this.take("\n\n")) yield parsed(data);
    } catch (cause) {
      if (!(cause instanceof ModelFailure)) throw cause;
    }
  }
}
