/**
 * What becomes of each frame: folded into the view and handed to the application
 * exactly once, settled with its command, or, if something is missing, mended.
 */
import type { Event } from "../protocol/events.ts";
import type { ConnectionEstablished } from "../protocol/greeting.ts";
import { MAX_FRAME_BYTES } from "../protocol/pure/constants.ts";
import { field } from "../protocol/pure/json.ts";
import type { ErrorFrame } from "../protocol/replies.ts";
import type { PartialResult, StateSnapshot } from "../protocol/stream.ts";
import type { Acks } from "./acks.ts";
import type { Channels } from "./channels.ts";
import type { Emitter } from "./emitter.ts";
import { ClientError, fromErrorFrame } from "./errors.ts";
import type { Incoming, OtherFrame } from "./frames.ts";
import type { Link } from "./link.ts";
import { DEFAULT_PAUSE_MS, type Outbox, type OutboxLimits } from "./outbox.ts";
import type { Recovery } from "./recovery.ts";
import type { Outcome, View } from "./view.ts";

export interface IntakeOptions {
  readonly emitter: Emitter<Channels>;
  readonly view: View;
  readonly outbox: Outbox;
  readonly acks: Acks;
  readonly recovery: Recovery;
  readonly link: Pick<Link, "reconnect" | "stop" | "delayNext" | "renew">;
}

export class Intake {
  readonly #options: IntakeOptions;
  /** Of the last greeting that was believed: the log that the commands in the outbox are meant for. */
  #epoch: string | undefined;
  /** False once the connection is gone; a listener may end it in the middle of a frame. */
  #connected = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  greeted(frame: ConnectionEstablished): void {
    const { payload: greeting } = frame;
    const { emitter, view, outbox, recovery } = this.#options;
    this.#connected = true;
    emitter.emit("frame", frame);
    if (!this.#connected) return;
    if (!view.greet(greeting)) return this.#contradicted();
    // A client that was away learns here what 43xx told the others.
    if (this.#epoch !== undefined && this.#epoch !== greeting.epoch) this.#dropOutbox("epoch_changed");
    this.#epoch = greeting.epoch;
    if (view.awaits_snapshot) recovery.awaitSnapshot();
    else recovery.whole();
    outbox.opened(limitsOf(greeting));
  }

  received(incoming: Incoming): void {
    try {
      this.#take(incoming);
    } catch (cause) {
      // The frame passed the checks and broke the fold all the same; a snapshot gets past it.
      this.#malformed(cause);
    }
  }

  lost(): void {
    this.#connected = false;
    this.#options.recovery.drop();
    this.#options.outbox.closed();
    this.#options.acks.drop();
  }

  invalidated(reason: string): void {
    this.#options.view.forget();
    this.#epoch = undefined;
    this.#dropOutbox(reason);
  }

  #take(incoming: Incoming): void {
    if (incoming === undefined) return this.#malformed();
    const { event, frame, seq } = incoming;
    if (event !== undefined) this.#takeEvent(event);
    if (frame !== undefined) this.#takeFrame(frame);
    if (seq !== undefined) this.#takeSkip(seq, seq);
  }

  #takeEvent(event: Event): void {
    const { emitter, view } = this.#options;
    emitter.emit("frame", event);
    const outcome = view.takeEvent(event);
    if (outcome === "taken") {
      emitter.emit("event", event);
      emitter.emit(event.type, event);
    }
    this.#advance(event.seq, outcome);
  }

  #takeFrame(frame: OtherFrame): void {
    this.#options.emitter.emit("frame", frame);
    switch (frame.type) {
      case "message_ack":
      case "command_ack":
        return this.#options.outbox.settle(frame);
      case "error":
        return this.#takeError(frame);
      case "events_skipped":
        return this.#takeSkip(frame.payload.from, frame.payload.to);
      case "state_snapshot":
        return this.#takeSnapshot(frame);
      case "partial_result":
        return this.#takeText(frame);
      case "auth_expiring":
        return void this.#options.link.renew();
      default:
        // The application may use it; the view does not.
        return;
    }
  }

  #takeSkip(from: number, to: number): void {
    this.#advance(to, this.#options.view.takeSkip(from, to));
  }

  #takeError(frame: ErrorFrame): void {
    const { outbox, acks, recovery, link, emitter } = this.#options;
    const { reply_to, payload } = frame;
    const { code, fatal, retry_after_ms } = payload;
    outbox.settle(frame);
    if (fatal) link.delayNext(retry_after_ms ?? 0);
    const too_fast = code === "rate_limited" && this.#connected && !fatal;
    const pause = retry_after_ms ?? DEFAULT_PAUSE_MS;
    if (reply_to !== undefined) return too_fast ? recovery.refused(reply_to, pause) : undefined;
    // Of what is paid for, only acknowledgements go out without an id.
    if (too_fast) acks.again(pause);
    else emitter.emit("error", fromErrorFrame(frame));
  }

  #takeSnapshot(frame: StateSnapshot): void {
    this.#options.view.takeSnapshot(frame);
    if (this.#connected) this.#options.recovery.whole();
    this.#handedOver(frame.payload.as_of_seq);
  }

  #takeText(frame: PartialResult): void {
    const { view, emitter } = this.#options;
    const before = view.conversation;
    view.takeText(frame);
    if (view.conversation !== before) emitter.emit("conversation", view.conversation);
  }

  #advance(seq: number, outcome: Outcome): void {
    if (outcome === "hole") return this.#recover();
    if (outcome === "seen") return;
    this.#options.recovery.progressed();
    this.#handedOver(seq);
  }

  #handedOver(seq: number): void {
    this.#options.emitter.emit("conversation", this.#options.view.conversation);
    if (this.#connected) this.#options.acks.note(seq);
  }

  #malformed(cause?: unknown): void {
    this.#options.emitter.emit("error", new ClientError("bad_frame", "bad frame", { cause }));
    this.#recover();
  }

  /** Something before this point is missing: a snapshot replaces what cannot be pieced together. */
  #recover(): void {
    if (!this.#connected) return;
    const { view, recovery, emitter, link } = this.#options;
    view.awaitSnapshot();
    if (recovery.begin()) return;
    emitter.emit("error", new ClientError("resync_failed", "order not restored"));
    link.stop("resync_failed");
  }

  /** The server continues a log this client does not hold: a new start is the only cursor that is surely right. */
  #contradicted(): void {
    this.#options.view.forget();
    this.#options.link.reconnect("bad_greeting");
  }

  #dropOutbox(reason: string): void {
    this.#options.outbox.clear("state_invalidated", `the server dropped its state: ${reason}`);
  }
}

/** The server's limits for commands; what it does not name, or not usably, is as without a greeting. */
function limitsOf(greeting: ConnectionEstablished["payload"]): OutboxLimits {
  const limit = (name: string, otherwise: number) => {
    const value = field(greeting, "limits", name);
    return typeof value === "number" && value > 0 ? value : otherwise;
  };
  return {
    frame_bytes: limit("frame_bytes", MAX_FRAME_BYTES),
    rate: {
      per_s: limit("commands_per_s", Infinity),
      burst: limit("commands_burst", Infinity),
    },
  };
}
