/** What the platform binds to the Worker, and what the edge is handed besides. */
import type { Env as HonoEnv } from "hono";
import type { Logger } from "../session/ports.ts";
import type { SessionRpc } from "../session/rpc.ts";

/** A user's object, as the Worker reaches it: the upgrade and RPC, nothing else. */
export interface SessionStub extends SessionRpc {
  fetch(request: Request): Promise<Response>;
}

/** Variables are not listed: they are unknown until config.ts has read them. */
export interface Env {
  readonly USER_SESSION: { getByName(name: string): SessionStub };
  readonly ASSETS: { fetch(request: Request): Promise<Response> };
}

export interface EdgePorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly report: Logger;
}

export interface Edge extends HonoEnv {
  Bindings: Env;
}
