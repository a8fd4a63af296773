/** A dialect: how one family of clients spells the session's events and commands. */
import type { ClientFrame } from "../protocol/commands.ts";
import type { EventsSkipped } from "../protocol/events.ts";
import type { ConnectionEstablished, ReplayCompleted } from "../protocol/greeting.ts";
import type { Reply } from "../protocol/replies.ts";
import type { Refusal } from "../protocol/result.ts";
import type {
  AuthExpiring,
  PartialResult,
  Ping,
  Pong,
  StatePatch,
  StateSnapshot,
  ToolProgress,
} from "../protocol/stream.ts";
import type { StoredEvent } from "./stored-event.ts";

/** Everything a connection is sent besides events. */
export type Frame =
  | ConnectionEstablished
  | ReplayCompleted
  | EventsSkipped
  | Reply
  | StateSnapshot
  | PartialResult
  | ToolProgress
  | StatePatch
  | AuthExpiring
  | Ping
  | Pong;

export type Decoded =
  | { readonly ok: true; readonly frame: ClientFrame }
  | { readonly ok: false; readonly refusal: Refusal; readonly reply_to?: string };

/** Small and JSON; kept in the socket's attachment between frames. */
export type CodecState = unknown;

export interface Codec {
  readonly name: string;
  /** True if its clients acknowledge; otherwise what was sent counts as acknowledged. */
  readonly acks: boolean;
  decode(text: string, state: CodecState): Decoded;
  /** The frames for one event of the log, in order; none if this family has no word for it. */
  event(event: StoredEvent, state: CodecState): readonly string[];
  frame(frame: Frame, state: CodecState): readonly string[];
}
