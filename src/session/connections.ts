/**
 * The user's sockets. The platform's list, read once on wake, and what happens
 * since then are the only registry; nothing about a connection is in storage.
 */
import type { Principal } from "../auth/principal.ts";
import { CLOSE_CODES, type CloseName } from "../protocol/pure/close-codes.ts";
import { type Attachment, readAttachment } from "./attachment.ts";
import type { Codec, CodecState } from "./codec.ts";
import type { Weight } from "./log-reader.ts";
import type { Socket } from "./ports.ts";

/** A token outlives its `exp` by this much on an open socket, so that a late renewal costs no reconnect. */
export const TOKEN_GRACE_MS = 30_000;

const OPEN = 1;

export interface Connection {
  readonly socket: Socket;
  readonly connection_id: string;
  readonly client_id: string;
  readonly n: number;
  readonly codec: Codec;
  readonly codec_state: CodecState;
  /** As its newest token says. */
  who: Principal;
  /** Seq of the last event sent. */
  cursor: number;
  /** Seq of the last event acknowledged; 0 until the client has said that it has any. */
  ack: number;
  /** The cursor it began with: nothing up to here needs an acknowledgement. */
  base: number;
  /** The version of the shared state it has; undefined if nobody knows. */
  state_version: number | undefined;
  /** While its replay is on the way: the seq at which `replay_completed` is due. */
  replay_to: number | undefined;
  /** Since when its window is full, with events waiting; milliseconds since the epoch. */
  stalled_at: number | undefined;
  acks_ahead: number;
  /** When it was last heard, to within `HEARD_PRECISION_MS`. */
  heard_at: number;
  /** When it was asked whether it is there; undefined once it has said anything. */
  pinged_at: number | undefined;
  /** When its client is to be told that its token ends; undefined once it was. */
  warn_at: number | undefined;
  /** When its latest bad frames came. */
  bad_at: readonly number[];
  /** A sum over the log, not kept with the socket: undefined until it is needed. */
  unacknowledged: Weight | undefined;
}

export type NewConnection = Pick<
  Connection,
  | "socket"
  | "connection_id"
  | "client_id"
  | "n"
  | "codec"
  | "codec_state"
  | "who"
  | "cursor"
  | "ack"
  | "state_version"
  | "heard_at"
  | "warn_at"
>;

export class Connections {
  readonly #bySocket = new Map<Socket, Connection>();

  /** @param codecs by name; a socket of a codec that is gone is closed with `restarting` */
  constructor(sockets: readonly Socket[], codecs: Readonly<Record<string, Codec>>) {
    for (const socket of sockets) this.#recover(socket, codecs);
  }

  all(): Connection[] {
    return [...this.#bySocket.values()];
  }

  /** What goes wrong with one connection costs no other one its turn. */
  each(
    work: (connection: Connection) => void,
    failed: (connection: Connection, cause: unknown) => void,
  ): void {
    for (const connection of this.all()) {
      try {
        work(connection);
      } catch (cause) {
        failed(connection, cause);
      }
    }
  }

  of(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket);
  }

  add(fresh: NewConnection): Connection {
    const connection: Connection = {
      ...fresh,
      base: fresh.cursor,
      replay_to: undefined,
      stalled_at: undefined,
      acks_ahead: 0,
      pinged_at: undefined,
      bad_at: [],
      unacknowledged: undefined,
    };
    this.save(connection);
    this.#bySocket.set(fresh.socket, connection);
    return connection;
  }

  /** Must follow every change of a connection: memory can be gone at the next `await`. */
  save(connection: Connection): void {
    const { socket, codec, unacknowledged: _sum, bad_at, ...facts } = connection;
    const attachment: Attachment = { v: 1, ...facts, codec: codec.name, bad_at: [...bad_at] };
    socket.serializeAttachment(attachment);
  }

  /** Forgets a socket and closes it: the one way out, behind close, error and refusal alike. */
  drop(socket: Socket, code: number, reason: string): void {
    this.#bySocket.delete(socket);
    close(socket, code, reason);
  }

  #recover(socket: Socket, codecs: Readonly<Record<string, Codec>>): void {
    if (socket.readyState !== OPEN) return;
    const attachment = readAttachment(socket.deserializeAttachment());
    const codec = attachment === undefined ? undefined : codecs[attachment.codec];
    if (attachment === undefined || codec === undefined) {
      // Nothing is known of it, its dialect included: this close alone has no `error` frame before it.
      return close(socket, CLOSE_CODES.restarting, "restarting" satisfies CloseName);
    }
    const {
      v: _version,
      codec: _name,
      codec_state,
      state_version,
      replay_to,
      stalled_at,
      pinged_at,
      warn_at,
      ...facts
    } = attachment;
    const kept = { ...facts, codec_state, state_version, replay_to, stalled_at, pinged_at, warn_at };
    this.#bySocket.set(socket, { ...kept, socket, codec, unacknowledged: undefined });
  }
}

/** Milliseconds since the epoch at which a connection ends unless its token is renewed. */
export function endsAt({ who }: Connection): number {
  return who.exp * 1_000 + TOKEN_GRACE_MS;
}

/** 1005, 1006 and 1015 only describe a close, they cannot be sent (RFC 6455 §7.4.1). */
function close(socket: Socket, code: number, reason: string): void {
  const sendable = code === 1_000 || (code >= 3_000 && code < 5_000);
  try {
    socket.close(sendable ? code : 1_000, sendable ? reason : "");
  } catch {
    // Already closed by the platform: there is nothing left to do.
  }
}
