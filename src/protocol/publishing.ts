/** What another service may send a user, or many: `POST /v1/users/{user_id}/events`, `POST /v1/users/events`. */
import * as z from "zod/mini";
import { MAX_NOTICE_BYTES, MAX_NOTICES, MAX_USERS } from "./limits.ts";
import { fitsBytes, id } from "./primitives.ts";

/** A month: what nobody has read by then is trimmed anyway. */
const MAX_TTL_S = 30 * 24 * 60 * 60;

const data = z.unknown().check(
  z.refine((value) => fitsBytes(JSON.stringify(value) ?? "", MAX_NOTICE_BYTES), {
    params: { limit_bytes: MAX_NOTICE_BYTES },
  }),
);

export const notice = z.object({
  /** What it is about, for the application to choose by. */
  topic: id,
  data,
  /** Not delivered from then on; absent: as long as events are kept. */
  ttl_s: z.optional(z.int().check(z.gte(1), z.lte(MAX_TTL_S))),
});

const events = z.array(notice).check(z.minLength(1), z.maxLength(MAX_NOTICES));

export const publication = z.object({ events });

/** The same to each of them. */
export const broadcast = z.object({
  user_ids: z.array(z.string()).check(z.minLength(1), z.maxLength(MAX_USERS)),
  events,
});

export type Notice = Readonly<z.infer<typeof notice>>;
