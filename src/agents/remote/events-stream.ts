/** Bytes of `text/event-stream` → the events of AG-UI in them. What is no event is passed over. */
import { createParser } from "eventsource-parser";
import { MAX_FED_RUN_CHARS } from "../../protocol/limits.ts";
import { type AgUiEvent, agUiEvent } from "./ag-ui-events.ts";

/** One event may hold a whole conversation. */
export const MAX_EVENT_CHARS = MAX_FED_RUN_CHARS;

export class EventsStream {
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ data }) => {
      // One that comes in a single chunk is never buffered, so the parser does not measure it.
      this.#overflown ||= data.length > MAX_EVENT_CHARS;
      if (!this.#overflown) this.#data.push(data);
    },
    onError: ({ type }) => {
      if (type === "max-buffer-size-exceeded") this.#overflown = true;
    },
  });
  #data: string[] = [];
  #overflown = false;

  /** An event was too large: nothing after it can be read. */
  get overflown(): boolean {
    return this.#overflown;
  }

  *read(bytes: Uint8Array): Generator<AgUiEvent> {
    if (!this.#overflown) this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    yield* this.#events();
  }

  /** The last event counts also without the empty line after it. */
  *end(): Generator<AgUiEvent> {
    if (!this.#overflown) this.#parser.feed(`${this.#decoder.decode()}\n\n`);
    yield* this.#events();
  }

  *#events(): Generator<AgUiEvent> {
    const lines = this.#data;
    this.#data = [];
    for (const data of lines) {
      const event = agUiEvent(data);
      if (event !== undefined) yield event;
    }
  }
}
