/** Everything a server may send: the union of greeting, events, replies and stream frames. */
import * as z from "zod/mini";
import { event, eventsSkipped } from "./events.ts";
import { connectionEstablished, replayCompleted } from "./greeting.ts";
import { commandAck, errorFrame, messageAck } from "./replies.ts";
import {
  authExpiring,
  partialResult,
  ping,
  pong,
  statePatch,
  stateSnapshot,
  toolProgress,
} from "./stream.ts";

export const serverFrame = z.union([
  event,
  eventsSkipped,
  connectionEstablished,
  replayCompleted,
  messageAck,
  commandAck,
  errorFrame,
  partialResult,
  toolProgress,
  stateSnapshot,
  statePatch,
  authExpiring,
  ping,
  pong,
]);

export type ServerFrame = z.infer<typeof serverFrame>;
