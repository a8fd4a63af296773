/** How each candidate is spoken to, and what its frames mean to the bench. */
import type { CandidateName } from "./runtime.ts";

/** What a frame is: `ready` when everything missed has been sent, `message` and the rest as they are called. */
export type Kind = "ready" | "ack" | "message" | "delta" | "done" | "other";

export interface Cursor {
  readonly epoch: string | undefined;
  readonly seq: number;
}

export interface Turn {
  readonly deltas: number;
  readonly pace_ms: number;
  readonly standard?: boolean;
}

export interface Dialect {
  path(cursor: Cursor | undefined): string;
  /** A message, which asks for an answer if there is a `turn`. */
  say(id: string, content: string, turn: Turn | undefined): string;
  /** By the type a frame begins with; nothing is parsed that need not be. */
  readonly kinds: Readonly<Record<string, Kind>>;
  /** An acknowledgement up to `seq`, where the protocol asks for one. */
  ack?(seq: number): string;
}

const bare: Dialect = {
  path: (cursor) => (cursor === undefined ? "/" : `/?since=${cursor.seq}`),
  say: (id, content, turn) => JSON.stringify({ type: "message", id, content, ...turn }),
  kinds: {
    ready: "ready",
    ack: "ack",
    message: "message",
    messages: "message",
    delta: "delta",
    done: "done",
  },
};

const product: Dialect = {
  path(cursor) {
    const since = cursor === undefined ? "" : `?epoch=${cursor.epoch}&since=${cursor.seq}`;
    return `/v1/ws${since}`;
  },
  say(id, content, turn) {
    const payload = turn === undefined ? { content, respond: false } : { content, data: turn };
    return JSON.stringify({ type: "user_message", id, payload });
  },
  kinds: {
    replay_completed: "ready",
    message_ack: "ack",
    user_message: "message",
    partial_result: "delta",
    agent_completed: "done",
  },
  ack: (seq) => `{"type":"ack","payload":{"seq":${seq}}}`,
};

export const DIALECTS: Readonly<Record<CandidateName, Dialect>> = {
  durable: bare,
  grouped: bare,
  product,
  metered: product,
};
