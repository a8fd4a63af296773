/** The frames that open a connection: the server speaks first. */
import * as z from "zod/mini";
import { count, id, position, seq, timestamp } from "./primitives.ts";
import { PROTOCOL_VERSION } from "./pure/constants.ts";

export const permission = z.enum(["chat", "agents", "service", "admin"]);
export const plan = z.enum(["free", "pro", "enterprise"]);

/**
 * Exactly one, before anything else. `fresh`: no cursor was given, `resumed`: the
 * events after it follow, `gap`: they cannot all be replayed, a snapshot follows.
 */
export const connectionEstablished = z.object({
  type: z.literal("connection_established"),
  payload: z.object({
    protocol: z.literal(PROTOCOL_VERSION),
    user_id: id,
    connection_id: id,
    client_id: id,
    /** Names this log; a cursor is the pair of `epoch` and seq. */
    epoch: id,
    head_seq: position,
    /** The lowest seq still kept; head + 1 if none is. */
    floor_seq: seq,
    resume: z.enum(["fresh", "resumed", "gap"]),
    gap_reason: z.optional(z.enum(["epoch_changed", "trimmed", "too_far", "ahead"])),
    replay: z.nullable(z.object({ from: seq, to: seq })),
    heartbeat: z.object({
      interval_ms: count,
      timeout_ms: count,
      /** The exact bytes the server answers without waking up. */
      ping: z.string(),
      pong: z.string(),
    }),
    token_expires_in_ms: count,
    server_time: timestamp,
    permissions: z.array(permission),
    plan,
    /** Whole numbers, except what is counted in dollars. */
    limits: z.record(z.string(), z.number().check(z.gte(0))),
  }),
});

/** Once after the greeting and once after each `resync`: everything missed has been sent, from here on it is live. */
export const replayCompleted = z.object({
  type: z.literal("replay_completed"),
  payload: z.object({ seq: position }),
});

export type Permission = z.infer<typeof permission>;
export type Plan = z.infer<typeof plan>;
export type ConnectionEstablished = z.infer<typeof connectionEstablished>;
export type ReplayCompleted = z.infer<typeof replayCompleted>;
export type ResumeOutcome = ConnectionEstablished["payload"]["resume"];
export type GapReason = NonNullable<ConnectionEstablished["payload"]["gap_reason"]>;
