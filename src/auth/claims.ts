/** What a verified token says, as typed claims, or the name of the claim that is wrong. */
import * as z from "zod/mini";
import { ok, type Result, refuse } from "../protocol/result.ts";

/** OpenID Connect Core §2 bounds `sub` to 255 characters. */
export const MAX_SUB_CHARS = 255;

const SUB_RULE = `must be a text of 1 to ${MAX_SUB_CHARS} characters`;

export const subject = z
  .string({ error: SUB_RULE })
  .check(z.minLength(1, SUB_RULE), z.maxLength(MAX_SUB_CHARS, SUB_RULE));

/** The last second a clock can show (ECMA-262 §21.4.1.1); beyond it no timer can be set. */
const MAX_TIME_S = 8.64e12;

const TIME_RULE = "must be a number of seconds";

/** Seconds since the epoch (RFC 7519 §2, NumericDate). */
const time = z.number({ error: TIME_RULE }).check(z.lte(MAX_TIME_S, TIME_RULE));

const AUDIENCE_RULE = "must be a text or a list of texts";

/** The claims with a meaning of their own; what others mean is for the rules of the realm (grants.ts). */
const claims = z.looseObject({
  sub: subject,
  iat: time,
  exp: time,
  aud: z.optional(z.union([z.string(), z.array(z.string())], { error: AUDIENCE_RULE })),
  /** When the person signed in; kept when a token is renewed or exchanged. */
  auth_time: z.optional(time),
  /** To whom a provider issued the token (OpenID Connect Core §2). */
  azp: z.optional(z.string({ error: "must be a text" })),
  /** In tokens of ours: the realm they speak for. */
  realm: z.optional(z.string({ error: "must be a text" })),
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
