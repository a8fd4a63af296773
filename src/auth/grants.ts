/** What the claims of a token grant here: permissions and a plan, by the rules of its realm. */

import type { OidcSettings } from "../config/oidc.ts";
import { type Permission, type Plan, permission, plan } from "../protocol/greeting.ts";
import { ok, type Result } from "../protocol/result.ts";
import { type Claims, wrongClaim } from "./claims.ts";

export interface Grants {
  readonly permissions: readonly Permission[];
  readonly plan: Plan;
}

export type Rules = (claims: Claims) => Result<Grants>;

/** Who is known and nothing else is said of. */
const ORDINARY: readonly Permission[] = ["chat", "agents"];

/**
 * A token of ours without `permissions` is an ordinary user's. One that lists them
 * has exactly those we know: names of other systems in it grant nothing.
 */
export const LOCAL_RULES: Rules = (claims) => {
  const listed = texts(claims.permissions);
  if (claims.permissions !== undefined && listed === undefined)
    return wrongClaim("permissions", "must be a list of names");
  const chosen = plan.safeParse(claims.plan ?? "free");
  if (!chosen.success) return wrongClaim("plan", `must be one of ${plan.options.join(", ")}`);
  return ok({
    permissions: listed === undefined ? ORDINARY : permission.options.filter((one) => listed.includes(one)),
    plan: chosen.data,
  });
};

/** A provider's claims mean what the configuration says, and nothing by themselves. */
export function rulesOf({ permissions, plan }: Pick<OidcSettings, "permissions" | "plan">): Rules {
  return (claims) => {
    const granted =
      permissions && valuesOf(claims, permissions.claim).flatMap((v) => own(permissions.grants, v) ?? []);
    const plans =
      plan === undefined ? [] : valuesOf(claims, plan.claim).flatMap((v) => own(plan.plans, v) ?? []);
    return ok({
      permissions:
        granted === undefined ? ORDINARY : permission.options.filter((one) => granted.includes(one)),
      plan: plans[0] ?? "free",
    });
  };
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** A claim's values: a list, a text with spaces as in `scope` (RFC 8693 §4.2), or nested as in `realm_access.roles`. */
function valuesOf(claims: Claims, path: string): readonly string[] {
  const whole = own(claims, path);
  const value = whole === undefined ? path.split(".").reduce<unknown>(member, claims) : whole;
  return typeof value === "string" ? value.split(" ") : (texts(value) ?? []);
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function texts(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) return undefined;
  return value;
}
