/** What a verified token says, as typed claims, or the name of the claim that is wrong. */
import * as z from "zod/mini";
import { type Permission, permission, plan } from "../protocol/greeting.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";

/** OpenID Connect Core §2 bounds `sub` to 255 characters. */
export const MAX_SUB_CHARS = 255;

const SUB_RULE = `must be a text of 1 to ${MAX_SUB_CHARS} characters`;
const PERMISSIONS_RULE = "must be a list of names";

export const subject = z
  .string({ error: SUB_RULE })
  .check(z.minLength(1, SUB_RULE), z.maxLength(MAX_SUB_CHARS, SUB_RULE));

/** Seconds since the epoch (RFC 7519 §2, NumericDate). */
const time = z.number({ error: "must be a number of seconds" });

const claims = z.object({
  sub: subject,
  iat: time,
  exp: time,
  /** When the person signed in; kept when a token is renewed or exchanged. */
  auth_time: z.optional(time),
  /** In tokens minted here: the realm they speak for. */
  realm: z.optional(z.string({ error: "must be a text" })),
  permissions: z.optional(z.array(z.string({ error: PERMISSIONS_RULE }), { error: PERMISSIONS_RULE })),
  plan: z.optional(z.enum(plan.options, { error: `must be one of ${plan.options.join(", ")}` })),
});

export type Claims = Readonly<z.infer<typeof claims>>;

export function parseClaims(payload: unknown): Result<Claims> {
  const parsed = claims.safeParse(payload);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  const field = String(issue?.path[0] ?? "token");
  return wrongClaim(field, issue?.message ?? "is not valid");
}

export function wrongClaim(field: string, rule: string) {
  return refuse("token_claims", `${field} ${rule}`, { field });
}

/**
 * A token without `permissions` is an ordinary user's. One that lists them has
 * exactly those we know: names of other systems in it grant nothing.
 */
export function permissionsOf(claimed: Claims): Permission[] {
  const listed = claimed.permissions;
  if (listed === undefined) return ["chat", "agents"];
  return permission.options.filter((known) => listed.includes(known));
}
