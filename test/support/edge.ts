/** Requests to the real Worker, and what came back of a refused one. */

import { listDurableObjectIds } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { app } from "../../src/edge/app.ts";

export const HOST = "https://chat.example";

export type Variables = Readonly<Record<string, unknown>>;

/** @param variables put over those of vitest.config.ts; `undefined` unsets one */
export async function send(request: Request, variables?: Variables): Promise<Response> {
  if (variables === undefined) return exports.default.fetch(request);
  return app.fetch(request, { ...env, ...variables });
}

export interface UpgradeInit {
  readonly path?: string;
  readonly method?: string;
  /** Offered subprotocols. */
  readonly offers?: readonly string[];
  readonly token?: string;
  readonly origin?: string;
  /** False: a request without `Upgrade`. */
  readonly upgrade?: boolean;
}

/** A WebSocket upgrade as a client would send it; `token` goes into the header. */
export function upgradeOf({
  path = "/v1/ws",
  method = "GET",
  offers = [],
  token,
  origin,
  upgrade = true,
}: UpgradeInit) {
  const headers = new Headers();
  if (upgrade) headers.set("Upgrade", "websocket");
  if (offers.length > 0) headers.set("Sec-WebSocket-Protocol", offers.join(", "));
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  if (origin !== undefined) headers.set("Origin", origin);
  return new Request(new URL(path, HOST), { method, headers });
}

export interface Told {
  readonly subprotocol: string | null;
  readonly frames: readonly unknown[];
  readonly code: number;
  readonly reason: string;
}

/** What a socket is told until it is closed. */
export function listen(response: Response): Promise<Told> {
  const socket = response.webSocket;
  if (socket === null) throw new Error(`status ${response.status} instead of a socket`);
  const subprotocol = response.headers.get("Sec-WebSocket-Protocol");
  const frames: unknown[] = [];
  return new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      frames.push(JSON.parse(String(data)));
    });
    socket.addEventListener("close", ({ code, reason }) => resolve({ subprotocol, frames, code, reason }));
    socket.accept();
  });
}

/** The first thing a socket is told; it is closed after that. */
export function firstFrame(response: Response): Promise<unknown> {
  const socket = response.webSocket;
  if (socket === null) throw new Error(`status ${response.status} instead of a socket`);
  return new Promise((resolve) => {
    socket.addEventListener("message", ({ data }) => {
      resolve(JSON.parse(String(data)));
      socket.close(1000);
    });
    socket.accept();
  });
}

/** How many users' objects there are. */
export async function countSessions(): Promise<number> {
  return (await listDurableObjectIds(env.USER_SESSION)).length;
}
