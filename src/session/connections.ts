/**
 * The user's sockets. The platform's list, read once on wake, and what happens
 * since then are the only registry; nothing about a connection is in storage.
 */
import type { Principal } from "../auth/principal.ts";
import { CLOSE_CODES, type CloseName } from "../protocol/pure/close-codes.ts";
import { type Attachment, readAttachment } from "./attachment.ts";
import type { Codec, CodecState } from "./codec.ts";
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
  readonly who: Principal;
  /** Seq of the last event sent. */
  cursor: number;
  /** Seq of the last event acknowledged; 0 until the client has said that it has any. */
  ack: number;
  acks_ahead: number;
}

export type NewConnection = Omit<Connection, "acks_ahead">;

export class Connections {
  readonly #bySocket = new Map<Socket, Connection>();

  /** @param codecs by name; a socket of a codec that is gone is closed with `restarting` */
  constructor(sockets: readonly Socket[], codecs: Readonly<Record<string, Codec>>) {
    for (const socket of sockets) this.#recover(socket, codecs);
  }

  all(): Connection[] {
    return [...this.#bySocket.values()];
  }

  of(socket: Socket): Connection | undefined {
    return this.#bySocket.get(socket);
  }

  add(fresh: NewConnection): Connection {
    const connection = { ...fresh, acks_ahead: 0 };
    this.save(connection);
    this.#bySocket.set(fresh.socket, connection);
    return connection;
  }

  /** Must follow every change of a connection: memory can be gone at the next `await`. */
  save(connection: Connection): void {
    const { connection_id, client_id, n, codec, codec_state, cursor, ack, acks_ahead, who } = connection;
    const attachment: Attachment = {
      v: 1,
      connection_id,
      client_id,
      n,
      codec: codec.name,
      ...(codec_state === undefined ? {} : { codec_state }),
      cursor,
      ack,
      acks_ahead,
      who,
    };
    connection.socket.serializeAttachment(attachment);
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
    const { v: _version, codec: _name, codec_state, ...facts } = attachment;
    this.#bySocket.set(socket, { ...facts, socket, codec, codec_state });
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
