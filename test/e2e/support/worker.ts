/** The real Worker with the real advisor, which takes its time: a run lasts long enough to be interrupted. */
import { advisor } from "../../../src/agents/advisor/advisor.ts";
import type { Agent } from "../../../src/agents/agent.ts";
import { native } from "../../../src/dialects/native.ts";
import { app } from "../../../src/edge/app.ts";
import { SessionObject } from "../../../src/session/object.ts";

/** Per piece of text; an answer has about a hundred. */
const PACE_MS = 60;

const unhurried: Agent = {
  ...advisor,
  *run(input) {
    const generator = advisor.run(input);
    let next = generator.next();
    while (next.done !== true) {
      const effect = next.value;
      next = generator.next(yield effect.kind === "text" ? { ...effect, pace_ms: PACE_MS } : effect);
    }
    return next.value;
  },
};

export class UserSession extends SessionObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env, { agents: [unhurried], codecs: { native } });
  }
}

export default app;
