/**
 * `POST /v1/auth/token`: a provider's token for one of ours (RFC 8693), for
 * clients whose provider's tokens are short-lived, large, or not to be sent with
 * every request. The new one never says more than the old one did.
 */
import type { Handler } from "hono";
import * as z from "zod/mini";
import { MAX_TOKEN_BYTES } from "../auth/credentials.ts";
import { mintToken, type TokenRequest } from "../auth/mint.ts";
import { loginAt, type Principal } from "../auth/principal.ts";
import { realmsOf } from "../auth/realms.ts";
import { verifyToken } from "../auth/verify.ts";
import { type Settings, settingsOf } from "../config/settings.ts";
import { type Permission, permission } from "../protocol/greeting.ts";
import { statusOf } from "../protocol/refusal.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import { json } from "./answers.ts";
import type { Edge, EdgePorts, Env } from "./env.ts";
import { readForm } from "./form-body.ts";
import { refuseOrigin } from "./origin.ts";
import { refuseAddress, refuseUser } from "./rate.ts";
import { headersFor } from "./refusals.ts";

export const TOKEN_PATH = "/v1/auth/token";

const GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

/** RFC 8693 §3: what may be handed in; all are JWTs of a provider, and verified as such. */
const SUBJECT_TYPES = [
  ACCESS_TOKEN,
  "urn:ietf:params:oauth:token-type:id_token",
  "urn:ietf:params:oauth:token-type:jwt",
] as const;

const REQUESTED_TYPES = [ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt"] as const;

/** Long enough for a session to be renewed calmly, short enough for a sign-out at the provider to matter. */
const MAX_TTL_S = 15 * 60;

/** Powers over others are never had in exchange. */
const EXCHANGEABLE: readonly Permission[] = ["chat", "agents"];

const MAX_BODY_BYTES = MAX_TOKEN_BYTES + 4 * 1024;

const form = z.object({
  grant_type: z.literal(GRANT_TYPE, { error: `must be ${GRANT_TYPE}` }),
  subject_token: z.string({ error: "is required" }).check(z.minLength(1, "is required")),
  subject_token_type: z.enum(SUBJECT_TYPES, { error: `must be one of ${SUBJECT_TYPES.join(", ")}` }),
  requested_token_type: z.optional(
    z.enum(REQUESTED_TYPES, { error: `must be one of ${REQUESTED_TYPES.join(", ")}` }),
  ),
  /** Permissions, separated by spaces; absent: all that may be had. */
  scope: z.optional(z.string()),
  actor_token: z.optional(z.never({ error: "is not supported" })),
});

type Form = z.infer<typeof form>;

export function exchangeToken(ports: EdgePorts): Handler<Edge> {
  return async function exchangeTokenHandler(c) {
    const exchanged = await exchange(c.req.raw, c.env, ports);
    return exchanged.ok ? json(exchanged.value) : refuseExchange(exchanged.refusal);
  };
}

async function exchange(request: Request, env: Env, ports: EdgePorts): Promise<Result<unknown>> {
  const settings = settingsOf(env);
  if (!settings.ok) return settings;
  const refusal = refuseOrigin(request, settings.value) ?? (await refuseAddress(request, env));
  if (refusal !== undefined) return { ok: false, refusal };
  const wanted = await read(request);
  if (!wanted.ok) return wanted;
  const who = await subjectOf(wanted.value, settings.value, ports);
  if (!who.ok) return who;
  const tooMany = await refuseUser(who.value.user_id, env);
  if (tooMany !== undefined) return { ok: false, refusal: tooMany };
  return answer(who.value, wanted.value, settings.value, ports);
}

async function read(request: Request): Promise<Result<Form>> {
  const fields = await readForm(request, MAX_BODY_BYTES);
  if (!fields.ok) return fields;
  const parsed = form.safeParse(fields.value);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  const field = String(issue?.path[0] ?? "body");
  return refuse("invalid_payload", `${field} ${issue?.message ?? "is not valid"}`, { field });
}

/** Ours are refused: exchanged again and again, one login would last for ever. */
async function subjectOf(
  { subject_token }: Form,
  settings: Settings,
  ports: EdgePorts,
): Promise<Result<Principal>> {
  const realms = realmsOf(settings, ports);
  if (realms.isLocal(subject_token)) {
    return refuse("token_issuer", "only tokens of a configured identity provider are exchanged", {
      field: "iss",
    });
  }
  return verifyToken(subject_token, realms, ports.now);
}

async function answer(
  who: Principal,
  { scope }: Form,
  settings: Settings,
  ports: EdgePorts,
): Promise<Result<unknown>> {
  const permissions = narrowed(who, scope);
  if (permissions.length === 0)
    return refuse("forbidden", "the token grants nothing of that", { field: "scope" });
  const now_s = Math.floor(ports.now() / 1000);
  const exp = Math.min(now_s + MAX_TTL_S, who.exp);
  // Accepted within the tolerance for clocks, but nothing is left of it.
  if (exp <= now_s) return refuse("token_expired", "the token has expired");
  const { realm, sub, plan } = who;
  const wanted: TokenRequest = { realm, sub, exp, auth_time: loginAt(who), permissions, plan };
  return ok({
    access_token: await mintToken(wanted, settings, ports.now),
    issued_token_type: ACCESS_TOKEN,
    token_type: "Bearer",
    expires_in: exp - now_s,
    scope: permissions.join(" "),
  });
}

/** Unknown names are ignored (RFC 6749 §3.3); the answer's `scope` says what was given. */
function narrowed(who: Principal, scope: string | undefined): Permission[] {
  const asked = scope === undefined ? EXCHANGEABLE : scope.split(" ");
  return permission.options.filter(
    (one) => EXCHANGEABLE.includes(one) && asked.includes(one) && who.permissions.includes(one),
  );
}

/** The shape of RFC 6749 §5.2, which clients of this grant understand, with our code beside it. */
function refuseExchange(refusal: Refusal): Response {
  const { code, message, ...about } = refusal;
  const status = statusOf(refusal) === 401 ? 400 : statusOf(refusal);
  return json(
    { error: oauthError(refusal, status), error_description: message, code, ...about },
    status,
    headersFor(refusal, status),
  );
}

function oauthError({ field, code }: Refusal, status: number): string {
  if (field === "grant_type") return "unsupported_grant_type";
  if (code === "forbidden") return "invalid_scope";
  // RFC 8693 §2.2.2 wants this one for an unacceptable subject token, too.
  if (status < 500) return "invalid_request";
  return status === 503 ? "temporarily_unavailable" : "server_error";
}
