/**
 * Pages on an allowed origin may read the HTTP answers too (Fetch standard §3.3).
 * No cookies exist, so nothing is sent that the page did not have. Never on the
 * upgrade routes: the headers of a 101 cannot be changed.
 */
import { createMiddleware } from "hono/factory";
import { settingsOf } from "../config/settings.ts";
import type { Edge } from "./env.ts";

export const cors = createMiddleware<Edge>(async (c, next) => {
  const origin = c.req.header("Origin");
  const settings = settingsOf(c.env);
  if (origin === undefined || !settings.ok || !settings.value.allowed_origins.includes(origin)) return next();
  if (c.req.method === "OPTIONS") return new Response(null, { status: 204, headers: preflight(origin) });
  await next();
  for (const [name, value] of Object.entries(shared(origin))) c.res.headers.set(name, value);
});

function shared(origin: string) {
  return {
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Expose-Headers": "WWW-Authenticate, Retry-After",
    Vary: "Origin",
  };
}

/** The same for every path, so that it tells nothing about which routes exist. */
function preflight(origin: string) {
  return {
    ...shared(origin),
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
    "Access-Control-Max-Age": "600",
  };
}
