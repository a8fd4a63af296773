/** The Worker, the Durable Object class, and what this deployment is made of. */
import { chosenAgents } from "./chosen-agents.ts";
import { native } from "./dialects/native.ts";
import { app } from "./edge/app.ts";
import { SessionObject } from "./session/object.ts";

/** One instance per user, named by `user_id`. */
export class UserSession extends SessionObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env, { agents: chosenAgents(env), codecs: { native } });
  }
}

export default app;
