/** Who calls, and whether they may: the same for every route, whatever the credential. */
import { type Credential, headerCredential } from "../auth/credentials.ts";
import { may, type Principal } from "../auth/principal.ts";
import { realmsOf } from "../auth/realms.ts";
import { type TicketHolder, verifyTicket } from "../auth/ticket.ts";
import { verifyToken } from "../auth/verify.ts";
import { type Settings, settingsOf } from "../config/settings.ts";
import type { Permission } from "../protocol/greeting.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { EdgePorts, Env } from "./env.ts";
import { refuseAddress, refuseUser } from "./rate.ts";

/** Who it is, and the ticket that says so, if it was one. */
export type Holder = Pick<TicketHolder, "who"> & Partial<TicketHolder>;

/**
 * Of an HTTP route: a token in the header.
 * @param counted whose requests the rate counts, if not the caller's
 */
export async function authenticate(
  request: Request,
  env: Env,
  needed: Permission,
  ports: EdgePorts,
  counted?: string,
): Promise<Result<Principal>> {
  const settings = settingsOf(env);
  if (!settings.ok) return settings;
  const token = headerCredential(request.headers);
  const credential = token.ok ? ok({ kind: "token", text: token.value } as const) : token;
  const holder = await authorize(request, env, credential, settings.value, needed, ports, counted);
  return holder.ok ? ok(holder.value.who) : holder;
}

/** The part that upgrades share: a credential, from wherever it came, must prove someone who may. */
export async function authorize(
  request: Request,
  env: Env,
  credential: Result<Credential>,
  settings: Settings,
  needed: Permission,
  ports: EdgePorts,
  counted?: string,
): Promise<Result<Holder>> {
  if (!credential.ok) return credential;
  const tooManyThere = await refuseAddress(request, env);
  if (tooManyThere !== undefined) return { ok: false, refusal: tooManyThere };
  const holder = await verify(credential.value, settings, ports);
  if (!holder.ok) return holder;
  const { who } = holder.value;
  if (!may(who, needed)) return refuse("forbidden", `the token lacks the permission ${needed}`);
  const tooManyOfThem = await refuseUser(counted ?? who.user_id, env);
  return tooManyOfThem === undefined ? holder : { ok: false, refusal: tooManyOfThem };
}

async function verify({ kind, text }: Credential, settings: Settings, ports: EdgePorts) {
  if (kind === "ticket") return verifyTicket(text, settings, ports.now);
  const who = await verifyToken(text, realmsOf(settings, ports), ports.now);
  return who.ok ? ok({ who: who.value }) : who;
}
