/** Who calls an HTTP route, and whether they may. */
import { headerCredential } from "../auth/credentials.ts";
import { may, type Principal } from "../auth/principal.ts";
import { realmOf } from "../auth/realms.ts";
import { verifyToken } from "../auth/verify.ts";
import { type Settings, settingsOf } from "../config.ts";
import type { Permission } from "../protocol/greeting.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";

/** @param env the Worker's bindings, variables among them */
export async function authenticate(
  request: Request,
  env: object,
  needed: Permission,
  now: () => number,
): Promise<Result<Principal>> {
  const settings = settingsOf(env);
  if (!settings.ok) return settings;
  return authorize(headerCredential(request.headers), settings.value, needed, now);
}

/** The part that upgrades share: a credential, from wherever it came, must prove someone who may. */
export async function authorize(
  credential: Result<string>,
  settings: Settings,
  needed: Permission,
  now: () => number,
): Promise<Result<Principal>> {
  if (!credential.ok) return credential;
  const who = await verifyToken(credential.value, realmOf(settings), now);
  if (!who.ok) return who;
  if (!may(who.value, needed)) return refuse("forbidden", `the token lacks the permission ${needed}`);
  return ok(who.value);
}
