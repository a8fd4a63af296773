/** The first frame of a connection. */
import type { ConnectionEstablished } from "../protocol/greeting.ts";
import type { Limits } from "../protocol/limits.ts";
import {
  PING_AFTER_SILENCE_MS,
  PING_TEXT,
  PONG_TEXT,
  PONG_TIMEOUT_MS,
  PROTOCOL_VERSION,
} from "../protocol/pure/constants.ts";
import type { Connection } from "./connections.ts";
import type { LogFacts, Resume } from "./resume.ts";

export const HEARTBEAT = {
  interval_ms: PING_AFTER_SILENCE_MS,
  timeout_ms: PONG_TIMEOUT_MS,
  ping: PING_TEXT,
  pong: PONG_TEXT,
} as const;

export function greeting(
  { who, connection_id, client_id }: Connection,
  { outcome, gap_reason, replay }: Resume,
  facts: { readonly log: LogFacts; readonly limits: Limits; readonly now: number },
): ConnectionEstablished {
  return {
    type: "connection_established",
    payload: {
      protocol: PROTOCOL_VERSION,
      user_id: who.user_id,
      connection_id,
      client_id,
      epoch: facts.log.epoch,
      head_seq: facts.log.head,
      floor_seq: facts.log.floor(),
      resume: outcome,
      ...(gap_reason === undefined ? {} : { gap_reason }),
      replay,
      heartbeat: HEARTBEAT,
      token_expires_in_ms: Math.max(0, Math.round(who.exp * 1_000 - facts.now)),
      server_time: new Date(facts.now).toISOString(),
      permissions: who.permissions,
      plan: who.plan,
      limits: { ...facts.limits },
    },
  };
}
