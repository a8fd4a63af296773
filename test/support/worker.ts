/** The Worker under test: the real one, with an agent that can be scripted and ids that can be made to throw. */
import { native } from "../../src/dialects/native.ts";
import { app } from "../../src/edge/app.ts";
import { SessionObject } from "../../src/session/object.ts";
import { platformIds } from "../../src/session/platform.ts";
import { probe } from "./probe.ts";
import { scripted } from "./scripted-agent.ts";

export class UserSession extends SessionObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env, {
      agents: [scripted],
      codecs: { native },
      ids: { random: () => probe.nextId() ?? platformIds.random() },
      report: (level, message, facts) => probe.reported({ level, message, facts }),
    });
  }
}

export default app;
