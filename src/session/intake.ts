/**
 * How a frame is taken in: from the socket to its connection, through the
 * dialect, then control at once and commands through the inbox.
 */
import type { ClientFrame, ControlFrame } from "../protocol/commands.ts";
import { CLOSE_CODES, type CloseName } from "../protocol/pure/close-codes.ts";
import { errorPayload } from "../protocol/refusal.ts";
import { type Refusal, refuse } from "../protocol/result.ts";
import { type Connection, type Connections, endsAt } from "./connections.ts";
import type { Inbox } from "./inbox.ts";
import type { Log } from "./log.ts";
import type { Clock, Socket } from "./ports.ts";
import type { Pump } from "./pump.ts";
import type { Reception } from "./reception.ts";

/** A client that so often acknowledges what it was never sent is broken. */
const MAX_ACKS_AHEAD = 3;

interface Parts {
  readonly log: Log;
  readonly connections: Connections;
  readonly pump: Pump;
  readonly inbox: Inbox;
  readonly reception: Reception;
  readonly clock: Clock;
}

export class Intake {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Resolves when nothing is left to do for this message. */
  async receive(socket: Socket, message: string | ArrayBuffer): Promise<void> {
    const { connections, reception, clock } = this.#parts;
    const connection = connections.of(socket);
    if (connection === undefined) {
      return connections.drop(socket, CLOSE_CODES.restarting, "restarting" satisfies CloseName);
    }
    if (clock.now() >= endsAt(connection)) return reception.end(connection, TOKEN_EXPIRED);
    if (typeof message !== "string") {
      return this.#refuse(connection, refuse("binary_unsupported", "a frame is text, not binary").refusal);
    }
    const decoded = connection.codec.decode(message, connection.codec_state);
    if (!decoded.ok) return this.#refuse(connection, decoded.refusal, decoded.reply_to);
    await this.#take(connection, decoded.frame);
  }

  async #take(connection: Connection, frame: ClientFrame): Promise<void> {
    if (frame.type !== "user_message" && frame.type !== "run_cancel") return this.#control(connection, frame);
    const { inbox, pump } = this.#parts;
    const { who, client_id } = connection;
    await inbox.submit({ who, client_id, command: frame, reply: (reply) => pump.send(connection, reply) });
  }

  /** Without effect on the log, so there is nothing to queue for. */
  #control(connection: Connection, frame: ControlFrame): void {
    const { pump, reception } = this.#parts;
    switch (frame.type) {
      case "ping":
        return pump.send(connection, { type: "pong", ...about(frame.id), payload: {} });
      case "ack":
        return this.#acknowledge(connection, frame.payload.seq, frame.id);
      case "resync":
        pump.send(connection, { type: "command_ack", reply_to: frame.id, payload: { duplicate: false } });
        return reception.resync(connection);
    }
  }

  #acknowledge(connection: Connection, seq: number, reply_to?: string): void {
    const { log, connections } = this.#parts;
    if (seq > connection.cursor) return this.#refuseAck(connection, reply_to);
    if (seq > connection.ack) {
      connection.ack = seq;
      connections.save(connection);
      log.acknowledge(seq);
    }
    if (reply_to === undefined) return;
    this.#parts.pump.send(connection, { type: "command_ack", reply_to, payload: { duplicate: false } });
  }

  #refuseAck(connection: Connection, reply_to?: string): void {
    const { connections, reception } = this.#parts;
    const { refusal } = refuse("ack_ahead", `this connection was sent events up to ${connection.cursor}`, {
      field: "payload.seq",
      limit: connection.cursor,
    });
    connection.acks_ahead += 1;
    connections.save(connection);
    if (connection.acks_ahead >= MAX_ACKS_AHEAD) return reception.end(connection, refusal, reply_to);
    this.#refuse(connection, refusal, reply_to);
  }

  #refuse(connection: Connection, refusal: Refusal, reply_to?: string): void {
    this.#parts.pump.send(connection, { type: "error", ...about(reply_to), payload: errorPayload(refusal) });
  }
}

function about(id: string | undefined) {
  return id === undefined ? {} : { reply_to: id };
}

export const TOKEN_EXPIRED = refuse("token_expired", "the token has expired").refusal;
