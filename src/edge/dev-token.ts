/**
 * `POST /v1/dev/token`: a token for the asking, so that a checkout can be tried
 * at once. Exists only in development and only on this machine; anywhere else
 * the answer is that of a route that does not exist.
 */
import type { Handler } from "hono";
import * as z from "zod/mini";
import { subject } from "../auth/claims.ts";
import { mintToken } from "../auth/mint.ts";
import { LOCAL_REALM } from "../auth/realms.ts";
import { userId } from "../auth/user-id.ts";
import { type Settings, settingsOf } from "../config/settings.ts";
import { permission, plan } from "../protocol/greeting.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { json } from "./answers.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { readJson } from "./json-body.ts";
import { isLoopback, refuseOrigin } from "./origin.ts";
import { methodNotAllowed, refuseHttp, routeNotFound } from "./refusals.ts";

export function devTokensExist(request: Request, settings: Settings): boolean {
  return settings.environment === "development" && isLoopback(request);
}

export function devToken({ now }: EdgePorts): Handler<Edge> {
  return async function devTokenHandler(c) {
    const request = c.req.raw;
    // Before the settings: a wrong variable must not give the route away either.
    if (!isLoopback(request)) return routeNotFound();
    const settings = settingsOf(c.env);
    if (!settings.ok) return refuseHttp(settings.refusal);
    if (!devTokensExist(request, settings.value)) return routeNotFound();
    if (request.method !== "POST") return methodNotAllowed("POST");
    const wanted = await read(request, settings.value);
    return wanted.ok ? json(await issue(wanted.value, settings.value, now)) : refuseHttp(wanted.refusal);
  };
}

async function issue(wanted: Wanted, settings: Settings, now: () => number) {
  return {
    token: await mintToken(
      { ...wanted, realm: LOCAL_REALM, exp: Math.floor(now() / 1000) + wanted.ttl_s },
      settings,
      now,
    ),
    user_id: await userId(LOCAL_REALM, wanted.sub),
    expires_in_ms: wanted.ttl_s * 1000,
  };
}

const MAX_BODY_BYTES = 4 * 1024;
const DEFAULT_TTL_S = 60 * 60;
const MAX_TTL_S = 24 * 60 * 60;

const TTL_RULE = `must be a whole number of seconds from 1 to ${MAX_TTL_S}`;
const PERMISSIONS_RULE = `must be a list of ${permission.options.join(", ")}`;

const tokenRequest = z.object({
  sub: subject,
  ttl_s: z.optional(z.int({ error: TTL_RULE }).check(z.gte(1, TTL_RULE), z.lte(MAX_TTL_S, TTL_RULE))),
  permissions: z.optional(
    z.array(z.enum(permission.options, { error: PERMISSIONS_RULE }), { error: PERMISSIONS_RULE }),
  ),
  plan: z.optional(z.enum(plan.options, { error: `must be one of ${plan.options.join(", ")}` })),
});

type Wanted = ReturnType<typeof withDefaults>;

function withDefaults({ sub, ttl_s, permissions, plan }: z.infer<typeof tokenRequest>) {
  return {
    sub,
    ttl_s: ttl_s ?? DEFAULT_TTL_S,
    // `service` and `admin` are powers over others: only who names them gets them.
    permissions: permissions ?? (["chat", "agents"] as const),
    plan: plan ?? ("free" as const),
  };
}

async function read(request: Request, settings: Settings): Promise<Result<Wanted>> {
  const foreign = refuseOrigin(request, settings);
  if (foreign !== undefined) return { ok: false, refusal: foreign };
  const body = await readJson(request, MAX_BODY_BYTES);
  if (!body.ok) return body;
  const parsed = tokenRequest.safeParse(body.value);
  return parsed.success ? ok(withDefaults(parsed.data)) : refuseBody(parsed.error);
}

function refuseBody(error: z.core.$ZodError) {
  const issue = error.issues[0];
  if (issue === undefined || issue.path.length === 0)
    return refuse("bad_json", "the body must be a JSON object");
  return refuse("invalid_payload", `${String(issue.path[0])} ${issue.message}`, {
    field: issue.path.map(String).join("."),
  });
}
