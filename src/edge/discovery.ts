/** `GET /v1/config`: what a client must know before it connects. */
import type { Handler } from "hono";
import { type Settings, settingsOf } from "../config/settings.ts";
import { COMMANDS } from "../protocol/commands.ts";
import type { Discovery } from "../protocol/discovery.ts";
import { EVENTS } from "../protocol/events.ts";
import { CLOSE_CODES } from "../protocol/pure/close-codes.ts";
import { PROTOCOL_VERSION, SUBPROTOCOL, TOKEN_SUBPROTOCOL_PREFIXES } from "../protocol/pure/constants.ts";
import { HEARTBEAT } from "../session/greeting.ts";
import { json } from "./answers.ts";
import { devTokensExist } from "./dev-token.ts";
import type { Edge } from "./env.ts";
import { refuseHttp } from "./refusals.ts";
import { TICKET_PATH } from "./tickets.ts";
import { TOKEN_PATH } from "./token-exchange.ts";

export const discoveryHandler: Handler<Edge> = (c) => {
  const settings = settingsOf(c.env);
  if (!settings.ok) return refuseHttp(settings.refusal);
  return json(discoveryOf(c.req.raw, settings.value));
};

function discoveryOf(request: Request, settings: Settings): Discovery {
  return {
    protocol: { name: SUBPROTOCOL, version: PROTOCOL_VERSION },
    websocket: { url: websocketUrl(request), subprotocols: [SUBPROTOCOL] },
    auth: {
      methods: ["subprotocol", "header", "ticket"],
      subprotocol_prefixes: [...TOKEN_SUBPROTOCOL_PREFIXES],
      ticket_url: new URL(TICKET_PATH, request.url).href,
      ...(settings.oidc_realms.length > 0 && { exchange_url: new URL(TOKEN_PATH, request.url).href }),
      ...(devTokensExist(request, settings) && {
        dev_token_url: new URL("/v1/dev/token", request.url).href,
      }),
    },
    heartbeat: HEARTBEAT,
    limits: { ...settings.plans.free },
    events: Object.keys(EVENTS),
    commands: Object.keys(COMMANDS),
    close_codes: { ...CLOSE_CODES },
  };
}

/** `https` → `wss`, `http` → `ws`, on the host that was asked. */
function websocketUrl(request: Request): string {
  const url = new URL("/v1/ws", request.url);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}
