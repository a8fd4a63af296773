/** What the platform binds to the Worker, and what the edge is handed besides. */
import type { Env as HonoEnv } from "hono";
import type { ProviderPorts } from "../auth/provider-keys.ts";
import type { Logger } from "../session/ports.ts";
import type { SessionRpc } from "../session/rpc.ts";

/** A user's object, as the Worker reaches it: the upgrade and RPC, nothing else. */
export interface SessionStub extends SessionRpc {
  fetch(request: Request): Promise<Response>;
}

/** A counter of the platform's, of so many a minute as wrangler.toml says. */
export interface RateLimit {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

/** Variables are not listed: they are unknown until config.ts has read them. */
export interface Env {
  readonly USER_SESSION: { getByName(name: string): SessionStub };
  readonly ASSETS: { fetch(request: Request): Promise<Response> };
  /** Absent where a deployment does without. */
  readonly RATE_BY_ADDRESS?: RateLimit;
  readonly RATE_BY_USER?: RateLimit;
}

export interface EdgePorts extends ProviderPorts {
  /** 16 or more characters that nobody can guess. */
  readonly random: () => string;
  readonly report: Logger;
}

export interface Edge extends HonoEnv {
  Bindings: Env;
}
