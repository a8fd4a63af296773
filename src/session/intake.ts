/**
 * How a frame is taken in: from the socket to its connection, through the
 * dialect, then control at once and commands through the inbox.
 */
import { type ClientFrame, type ControlFrame, isEffect } from "../protocol/commands.ts";
import { BAD_FRAMES_MS, MAX_BAD_FRAMES, MAX_WAITING_BYTES, MAX_WAITING_FRAMES } from "../protocol/limits.ts";
import { fitsBytes, utf8Length } from "../protocol/primitives.ts";
import { CLOSE_CODES, type CloseName } from "../protocol/pure/close-codes.ts";
import { MAX_FRAME_BYTES } from "../protocol/pure/constants.ts";
import { errorPayload } from "../protocol/refusal.ts";
import { type Refusal, refuse } from "../protocol/result.ts";
import type { Decoded } from "./codec.ts";
import { type Outcome, replyTo } from "./commands/dispatch.ts";
import { type Connection, type Connections, endsAt } from "./connections.ts";
import { TOKEN_EXPIRED } from "./duties.ts";
import { costOf, type Flood, MUCH_TOO_FAST } from "./flood.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Inbox } from "./inbox.ts";
import type { Log } from "./log.ts";
import type { Clock, Socket } from "./ports.ts";
import type { Pump } from "./pump.ts";
import type { Reception } from "./reception.ts";
import type { Pending, Renewal } from "./renewal.ts";

/** A client that so often acknowledges what it was never sent is broken. */
const MAX_ACKS_AHEAD = 3;

interface Parts {
  readonly log: Log;
  readonly connections: Connections;
  readonly pump: Pump;
  readonly inbox: Inbox;
  readonly reception: Reception;
  readonly heartbeat: Heartbeat;
  readonly flood: Flood;
  readonly renewal: Renewal;
  readonly clock: Clock;
}

export class Intake {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Resolves when nothing is left to do for this message. */
  async receive(socket: Socket, message: string | ArrayBuffer): Promise<void> {
    const { connections, reception, heartbeat, clock, renewal } = this.#parts;
    const connection = connections.of(socket);
    if (connection === undefined) {
      return connections.drop(socket, CLOSE_CODES.restarting, "restarting" satisfies CloseName);
    }
    const pending = renewal.pending(connection);
    // What cannot be valid is refused by any token.
    if (pending !== undefined && mayBeFrame(message)) return await this.#wait(connection, pending, message);
    const now = clock.now();
    if (now >= endsAt(connection)) return reception.end(connection, TOKEN_EXPIRED);
    heartbeat.heard(connection, now);
    const decoded = decode(connection, message);
    // Decoded first, so that the refusal can name the frame it answers.
    if (!this.#admit(connection, decoded, now)) return;
    if (decoded.ok) return await this.#take(connection, decoded.frame);
    this.#refuseBadFrame(connection, decoded, now);
  }

  /** It is paid for when its turn comes, so that until then only so much may wait. */
  async #wait(connection: Connection, pending: Pending, message: string): Promise<void> {
    pending.frames += 1;
    pending.bytes += utf8Length(message);
    if (pending.frames > MAX_WAITING_FRAMES || pending.bytes > MAX_WAITING_BYTES)
      return this.#parts.reception.end(connection, MUCH_TOO_FAST);
    await pending.decided;
    return await this.receive(connection.socket, message);
  }

  /** False if the frame comes too fast: its sender has been told. */
  #admit(connection: Connection, decoded: Decoded, now: number): boolean {
    const { flood, reception } = this.#parts;
    const verdict = flood.admit(connection, costOf(decoded.ok ? decoded.frame.type : undefined), now);
    if (verdict.ok) return true;
    const reply_to = decoded.ok ? decoded.frame.id : decoded.reply_to;
    if (verdict.fatal) reception.end(connection, verdict.refusal, reply_to);
    else this.#refuse(connection, verdict.refusal, reply_to);
    return false;
  }

  /** A bad frame costs nobody anything; too many in a row are no accident. */
  #refuseBadFrame(connection: Connection, { refusal, reply_to }: Decoded & { ok: false }, now: number): void {
    const { connections, reception } = this.#parts;
    connection.bad_at = [...connection.bad_at.filter((at) => at > now - BAD_FRAMES_MS), now];
    connections.save(connection);
    if (connection.bad_at.length >= MAX_BAD_FRAMES) return reception.end(connection, refusal, reply_to);
    this.#refuse(connection, refusal, reply_to);
  }

  async #take(connection: Connection, frame: ClientFrame): Promise<void> {
    if (!isEffect(frame)) return await this.#control(connection, frame);
    const { inbox, pump } = this.#parts;
    const { who, client_id } = connection;
    const reply = (outcome: Outcome) => pump.send(connection, replyTo(frame, outcome));
    await inbox.submit({ who, client_id, command: frame, reply });
  }

  /** Without effect on the log, so there is nothing to queue for. */
  async #control(connection: Connection, frame: ControlFrame): Promise<void> {
    const { pump, reception, renewal } = this.#parts;
    switch (frame.type) {
      case "ping":
        return pump.send(connection, { type: "pong", ...about(frame.id), payload: {} });
      case "pong":
        return this.#acknowledged(connection, frame.id);
      case "ack":
        return this.#acknowledge(connection, frame.payload.seq, frame.id);
      case "resync":
        this.#acknowledged(connection, frame.id);
        return reception.resync(connection);
      case "auth_refresh":
        return await renewal.renew(connection, frame);
    }
  }

  #acknowledge(connection: Connection, seq: number, reply_to?: string): void {
    const { log, connections, pump } = this.#parts;
    if (seq > connection.cursor) return this.#refuseAck(connection, reply_to);
    this.#acknowledged(connection, reply_to);
    if (seq <= connection.ack) return;
    connection.ack = seq;
    connection.unacknowledged = undefined;
    connections.save(connection);
    log.acknowledge(seq);
    // Its window may have been what held the rest back.
    if (connection.stalled_at !== undefined) pump.pump(connection);
  }

  /** A control frame with an `id` gets its reply, too. */
  #acknowledged(connection: Connection, reply_to: string | undefined): void {
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

function mayBeFrame(message: string | ArrayBuffer): message is string {
  return typeof message === "string" && fitsBytes(message, MAX_FRAME_BYTES);
}

function decode({ codec, codec_state }: Connection, message: string | ArrayBuffer): Decoded {
  if (typeof message === "string") return codec.decode(message, codec_state);
  return refuse("binary_unsupported", "a frame is text, not binary");
}

function about(id: string | undefined) {
  return id === undefined ? {} : { reply_to: id };
}
