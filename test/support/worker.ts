/** The Worker under test: the real one, with an agent that can be scripted and ids that can be made to throw. */
import { native } from "../../src/dialects/native.ts";
import { app } from "../../src/edge/app.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { SessionObject } from "../../src/session/object.ts";
import { platformIds } from "../../src/session/platform.ts";
import { probe } from "./probe.ts";
import { scripted } from "./scripted-agent.ts";

/** A hundred times the default rates. */
const UNHURRIED = {
  commands_per_s: 3_000,
  commands_burst: 6_000,
  user_commands_per_s: 6_000,
  user_commands_burst: 12_000,
};

export class UserSession extends SessionObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env, {
      agents: [scripted],
      codecs: { native },
      // Tests are faster than people; what the real rates do is tested with a clock that stands still.
      limits: { ...DEFAULT_LIMITS, ...UNHURRIED },
      ids: { random: () => probe.nextId() ?? platformIds.random() },
      report: (level, message, facts) => probe.reported({ level, message, facts }),
    });
  }
}

export default app;
