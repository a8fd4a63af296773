/** What an application can listen to: the channels named here, and every event by its type. */
import type { Event, EventType } from "../protocol/events.ts";
import type { Conversation } from "../protocol/pure/conversation.ts";
import type { ServerFrame } from "../protocol/server-frames.ts";
import type { ClientError } from "./errors.ts";
import type { ClientState } from "./state.ts";

export type Channels = {
  /** Each event of the log once, in order. */
  readonly event: Event;
  /** Every frame as it came, duplicates and stream frames included. */
  readonly frame: ServerFrame;
  readonly state: ClientState;
  /** The conversation after each change. */
  readonly conversation: Conversation;
  /** What no promise reports: frames refused or not understood, failed attempts, order lost for good. */
  readonly error: ClientError;
} & { readonly [Type in EventType]: Extract<Event, { readonly type: Type }> };
