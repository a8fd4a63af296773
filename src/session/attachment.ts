/** What is known about a connection, kept on its socket: it survives hibernation and goes when the socket goes. */
import * as z from "zod/mini";
import { principal } from "../auth/principal.ts";

const attachment = z.object({
  v: z.literal(1),
  connection_id: z.string(),
  client_id: z.string(),
  /** Connection attempt counter of this client. */
  n: z.number(),
  codec: z.string(),
  codec_state: z.optional(z.unknown()),
  /** Seq of the last event sent. */
  cursor: z.number(),
  /** Seq of the last event the client acknowledged. */
  ack: z.number(),
  /** The cursor it began with. */
  base: z.number(),
  /** The version of the shared state it has; absent if nobody knows. */
  state_version: z.optional(z.number()),
  /** While its replay is on the way: the seq at which `replay_completed` is due. */
  replay_to: z.optional(z.number()),
  /** Since when its window is full, with events waiting; milliseconds since the epoch. */
  stalled_at: z.optional(z.number()),
  /** How often it acknowledged more than it was sent. */
  acks_ahead: z.number(),
  /** When it was last heard, to within a few seconds; pings the platform answers by itself not counted. */
  heard_at: z.number(),
  /** When it was asked whether it is there; absent once it has said anything. */
  pinged_at: z.optional(z.number()),
  /** When its client is to be told that its token ends, milliseconds since the epoch; absent once it was. */
  warn_at: z.optional(z.number()),
  /** When its latest bad frames came. */
  bad_at: z.array(z.number()),
  who: principal,
});

export type Attachment = Readonly<z.infer<typeof attachment>>;

/** Undefined for a socket that is not ours, or of a version this Worker does not know. */
export function readAttachment(value: unknown): Attachment | undefined {
  const parsed = attachment.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
