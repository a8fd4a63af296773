/** The Worker's routes. */
import { Hono } from "hono/tiny";
import { refuse } from "../protocol/result.ts";
import { faultOf } from "../session/faults.ts";
import { platformIds, platformLogger, platformProvider } from "../session/platform.ts";
import { withSafeHeaders } from "./answers.ts";
import { COMMAND_ROUTES, command } from "./commands.ts";
import { cors } from "./cors.ts";
import { devToken } from "./dev-token.ts";
import { discoveryHandler } from "./discovery.ts";
import type { Edge, EdgePorts } from "./env.ts";
import { EVENTS_PATH, listEvents } from "./events.ts";
import { healthHandler } from "./health.ts";
import { JOURNAL_PATH, showJournal, showUserJournal, USER_JOURNAL_PATH } from "./journal.ts";
import { EXPORT_PATH, eraseMe, exportMe, ME_PATH, readUsage, USAGE_PATH } from "./me.ts";
import { methodNotAllowed, refusalAnswer, routeNotFound } from "./refusals.ts";
import { FEED_PATH, feedRun, RUNS_PATH, startRun } from "./runs.ts";
import { SIGN_OUT_PATH, SIGN_OUT_USER_PATH, signOut, signOutUser } from "./sign-out.ts";
import { readState, STATE_PATH } from "./state.ts";
import { listMessages, listThreads, MESSAGES_PATH, THREADS_PATH } from "./threads.ts";
import { issueTicket, TICKET_PATH } from "./tickets.ts";
import { exchangeToken, TOKEN_PATH } from "./token-exchange.ts";
import { upgrade } from "./upgrade.ts";
import {
  BROADCAST_PATH,
  broadcastEvents,
  INVALIDATE_PATH,
  invalidateUser,
  PUBLISH_PATH,
  publishEvents,
  showUser,
  USER_PATH,
} from "./users.ts";
import { answerUserWait, USER_WAIT_PATH } from "./waits.ts";

export const app = createApp({
  ...platformProvider,
  random: platformIds.random,
  report: platformLogger,
});

export function createApp(ports: EdgePorts): Hono<Edge> {
  const routes = new Hono<Edge>();
  // First, so that the middleware below never sees an upgrade.
  routes.all("/v1/ws", upgrade(ports, { versionRequired: false }));
  routes.all("/ws", upgrade(ports, { versionRequired: true }));

  routes.use("/v1/*", cors);
  routes.get("/health", healthHandler);
  routes.get("/v1/config", discoveryHandler);
  for (const route of COMMAND_ROUTES) routes.on(route.method, route.path, command(ports, route));
  routes.get(THREADS_PATH, listThreads(ports));
  routes.get(MESSAGES_PATH, listMessages(ports));
  routes.get(EVENTS_PATH, listEvents(ports));
  routes.get(STATE_PATH, readState(ports));
  routes.get(EXPORT_PATH, exportMe(ports));
  routes.get(USAGE_PATH, readUsage(ports));
  routes.delete(ME_PATH, eraseMe(ports));
  routes.get(USER_PATH, showUser(ports));
  routes.get(JOURNAL_PATH, showJournal(ports));
  routes.get(USER_JOURNAL_PATH, showUserJournal(ports));
  routes.post(BROADCAST_PATH, broadcastEvents(ports));
  routes.post(RUNS_PATH, startRun(ports));
  routes.post(FEED_PATH, feedRun(ports));
  routes.post(USER_WAIT_PATH, answerUserWait(ports));
  routes.post(PUBLISH_PATH, publishEvents(ports));
  routes.post(INVALIDATE_PATH, invalidateUser(ports));
  routes.post(SIGN_OUT_USER_PATH, signOutUser(ports));
  routes.post(SIGN_OUT_PATH, signOut(ports));
  routes.post(TICKET_PATH, issueTicket(ports));
  routes.post(TOKEN_PATH, exchangeToken(ports));
  routes.all("/v1/dev/token", devToken(ports));
  refuseOtherMethods(routes);

  routes.notFound(async (c) => {
    if (c.req.path === "/v1" || c.req.path.startsWith("/v1/")) return routeNotFound();
    return withSafeHeaders(await c.env.ASSETS.fetch(c.req.raw));
  });
  routes.onError((cause, c) => {
    ports.report("error", "request failed", { path: c.req.path, ...faultOf(cause) });
    return refusalAnswer(
      refuse("internal", "something went wrong here; the same request may succeed later").refusal,
      c.req.raw,
    );
  });
  return routes;
}

/** Whatever else comes to a path that has its methods has the wrong one. */
function refuseOtherMethods(routes: Hono<Edge>): void {
  const methods = new Map<string, string[]>();
  for (const { path, method } of routes.routes) {
    if (method !== "ALL") methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  for (const [path, known] of methods) {
    const allow = known.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
    routes.all(path, () => methodNotAllowed(allow));
  }
}
