/** The Worker under test: the real one, with an agent that can be scripted and ids that can be made to throw. */
import { native } from "../../src/dialects/native.ts";
import { app } from "../../src/edge/app.ts";
import { DEFAULT_PLANS, type Limits } from "../../src/protocol/limits.ts";
import { SessionObject } from "../../src/session/object.ts";
import { platformIds } from "../../src/session/platform.ts";
import { probe } from "./probe.ts";
import { scripted } from "./scripted-agent.ts";

/** A hundred times the default rates. */
function unhurried(plan: keyof typeof DEFAULT_PLANS): Limits {
  const limits = DEFAULT_PLANS[plan];
  return {
    ...limits,
    commands_per_s: 100 * limits.commands_per_s,
    commands_burst: 100 * limits.commands_burst,
    user_commands_per_s: 100 * limits.user_commands_per_s,
    user_commands_burst: 100 * limits.user_commands_burst,
  };
}

export class UserSession extends SessionObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env, {
      agents: [scripted],
      codecs: { native },
      // Tests are faster than people; what the real rates do is tested with a clock that stands still.
      plans: { free: unhurried("free"), pro: unhurried("pro"), enterprise: unhurried("enterprise") },
      ids: { random: () => probe.nextId() ?? platformIds.random() },
      report: (level, message, facts) => probe.reported({ level, message, facts }),
    });
  }
}

export default app;
