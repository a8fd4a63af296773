/**
 * The WebSocket upgrade: everything that can be checked without the user's
 * object is checked here, so that a bad upgrade wakes nothing and creates
 * nothing. What is left goes to the object as a new request, without the token.
 */
import type { Handler } from "hono";
import { offeredSubprotocols, tokenIn, upgradeCredential } from "../auth/credentials.ts";
import { settingsOf } from "../config/settings.ts";
import { SUBPROTOCOL } from "../protocol/pure/constants.ts";
import { ok, type Refusal, type Result, refuse } from "../protocol/result.ts";
import { type Handshake, upgradeRequest } from "../session/upgrade-request.ts";
import { authorize, type Holder } from "./authenticate.ts";
import type { Edge, EdgePorts, Env } from "./env.ts";
import { refuseOrigin } from "./origin.ts";
import { refuseLong } from "./query.ts";
import { isUpgrade, methodNotAllowed, refusalAnswer } from "./refusals.ts";
import { sessionAnswer } from "./session-answer.ts";

interface UpgradeRoute {
  /** True where a client that names no version is not ours to serve. */
  readonly versionRequired: boolean;
}

export function upgrade(ports: EdgePorts, route: UpgradeRoute): Handler<Edge> {
  return async function upgradeHandler(c) {
    const request = c.req.raw;
    if (request.method !== "GET") return methodNotAllowed("GET");
    const admitted = await admit(request, c.env, route, ports);
    if (!admitted.ok) return refusalAnswer(admitted.refusal, request);
    const { principal } = admitted.value;
    const session = c.env.USER_SESSION.getByName(principal.user_id);
    const answer = await session.fetch(upgradeRequest(admitted.value, chosenSubprotocol(request)));
    return sessionAnswer(answer, request);
  };
}

async function admit(
  request: Request,
  env: Env,
  { versionRequired }: UpgradeRoute,
  ports: EdgePorts,
): Promise<Result<Handshake>> {
  if (!isUpgrade(request)) {
    return refuse("upgrade_required", "this address is for WebSocket upgrades", { field: "Upgrade" });
  }
  const settings = settingsOf(env);
  if (!settings.ok) return settings;
  const refusal = refuseOrigin(request, settings.value) ?? refuseVersion(request.headers, versionRequired);
  if (refusal !== undefined) return { ok: false, refusal };
  const credential = upgradeCredential(request);
  const holder = await authorize(request, env, credential, settings.value, "chat", ports);
  return holder.ok ? handshakeOf(new URL(request.url).searchParams, holder.value) : holder;
}

/**
 * `Authorization` alone, without any subprotocol, is how servers connect. Whoever
 * speaks of our versions or puts a token among the subprotocols must offer one we know.
 */
function refuseVersion(headers: Headers, versionRequired: boolean): Refusal | undefined {
  const offers = offeredSubprotocols(headers);
  if (offers.includes(SUBPROTOCOL)) return undefined;
  if (!versionRequired && !offers.some(isOurs)) return undefined;
  return refuse("unsupported_version", `the subprotocol ${SUBPROTOCOL} must be offered`, {
    field: "Sec-WebSocket-Protocol",
  }).refusal;
}

function isOurs(offer: string): boolean {
  return offer.startsWith("throughline.") || tokenIn(offer) !== undefined;
}

function chosenSubprotocol(request: Request): string | undefined {
  return offeredSubprotocols(request.headers).includes(SUBPROTOCOL) ? SUBPROTOCOL : undefined;
}

function handshakeOf(query: URLSearchParams, { who, ticket }: Holder): Result<Handshake> {
  // What a client says about itself; the session decides what is valid.
  const said = {
    client_id: query.get("client_id") ?? undefined,
    n: query.get("n") ?? undefined,
    epoch: query.get("epoch") ?? undefined,
    since: query.get("since") ?? undefined,
    state_version: query.get("state_version") ?? undefined,
  };
  const refusal = refuseLong(said);
  if (refusal !== undefined) return { ok: false, refusal };
  return ok({ principal: who, ...(ticket === undefined ? {} : { ticket }), codec: "native", ...said });
}
