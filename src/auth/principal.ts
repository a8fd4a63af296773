/** Who is calling, verified. Made by the Worker, handed to the object; the token itself never travels further. */
import * as z from "zod/mini";
import { type Permission, permission, plan } from "../protocol/greeting.ts";

/** Times are seconds since the epoch, as in the token (RFC 7519 §2). */
export const principal = z.object({
  /** `u_…`: the name of the user's object, see user-id.ts. */
  user_id: z.string(),
  /** Configured short name of the key set that verified the token. */
  realm: z.string(),
  sub: z.string(),
  permissions: z.array(permission),
  plan,
  iat: z.number(),
  auth_time: z.optional(z.number()),
  exp: z.number(),
});

export type Principal = Readonly<z.infer<typeof principal>>;

/** When the person signed in, in seconds: where the token names it, but never later than the token itself. */
export function loginAt({ auth_time, iat }: Principal): number {
  return Math.min(auth_time ?? iat, iat);
}

export function may(who: Principal, needed: Permission): boolean {
  return who.permissions.includes(needed);
}
