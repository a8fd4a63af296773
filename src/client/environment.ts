/**
 * What the SDK needs from its surroundings, each with a default: tests hand in
 * their own clock, timers and sockets and never sleep.
 */
import { uuidv7 } from "./uuid.ts";

/** The part of `WebSocket` that is used, alike in browsers and in Node. */
export interface Socket {
  readonly protocol: string;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: SocketClose) => void): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
}

export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

export interface FetchedDocument {
  readonly ok: boolean;
  readonly status: number;
  json(): Promise<unknown>;
}

export type Cancel = () => void;

/** What a browser tells a page about itself; Node tells nothing. */
export type Signal = "online" | "visible" | "hidden";

export interface Environment {
  readonly WebSocket: new (url: string, protocols: string[]) => Socket;
  readonly fetch: (url: string) => Promise<FetchedDocument>;
  /** Milliseconds on a clock that never jumps. */
  readonly now: () => number;
  /** At once, though not in this turn, if `ms` has passed already. */
  readonly setTimer: (ms: number, run: () => void) => Cancel;
  /** In [0, 1). */
  readonly random: () => number;
  readonly uuid: () => string;
  readonly onSignal: (listener: (signal: Signal) => void) => Cancel;
}

const FETCH_TIMEOUT_MS = 10_000;

export function environment(given: Partial<Environment> = {}): Environment {
  return {
    WebSocket: globalThis.WebSocket,
    fetch: fetchInTime,
    now: () => performance.now(),
    setTimer,
    random: Math.random,
    uuid: uuidv7,
    onSignal: onPageSignal,
    ...given,
  };
}

/** A request that is never answered must not hold up reconnecting. */
function fetchInTime(url: string): Promise<FetchedDocument> {
  return globalThis.fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
}

function setTimer(ms: number, run: () => void): Cancel {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

function onPageSignal(listener: (signal: Signal) => void): Cancel {
  const stop = new AbortController();
  const listen = (name: "window" | "document", type: string, signalOf: (target: EventTarget) => Signal) => {
    const target = globalTarget(name);
    target?.addEventListener(type, () => listener(signalOf(target)), { signal: stop.signal });
  };
  listen("window", "online", () => "online");
  listen("window", "pagehide", () => "hidden");
  listen("document", "visibilitychange", (page) =>
    Reflect.get(page, "visibilityState") === "visible" ? "visible" : "hidden",
  );
  return () => stop.abort();
}

/** The browser's global of that name; absent in Node and in workers. */
function globalTarget(name: "window" | "document"): EventTarget | undefined {
  const value: unknown = Reflect.get(globalThis, name);
  return value instanceof EventTarget ? value : undefined;
}
