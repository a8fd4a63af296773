/** The product: the real edge and session, an agent that streams what it is told to, and rates that never bind. */

import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import { report, text, think, tool } from "../../src/agents/effects.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { native } from "../../src/dialects/native.ts";
import { app } from "../../src/edge/app.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { SessionObject } from "../../src/session/object.ts";
import { piece } from "./words.ts";

const NEVER = Number.MAX_SAFE_INTEGER;

const UNLIMITED = {
  ...DEFAULT_LIMITS,
  commands_per_s: NEVER,
  commands_burst: NEVER,
  user_commands_per_s: NEVER,
  user_commands_burst: NEVER,
};

const wanted = z.object({
  deltas: z.number(),
  pace_ms: z.number(),
  /** With a thought, a tool call and a report, as in the budget of rows. */
  standard: z.optional(z.boolean()),
});

const anything = z.unknown();

const echo: Tool<unknown, unknown> = {
  name: "echo",
  description: "answers with its arguments",
  input: anything,
  output: anything,
  idempotent: true,
  execute: (args) => args,
};

const paced: Agent = {
  name: "paced",
  version: "1",
  *run({ data }) {
    const { deltas, pace_ms, standard } = wanted.parse(data);
    if (standard === true) {
      yield* think("what does this ask for?");
      yield* tool(echo, { deltas });
    }
    for (let index = 0; index < deltas; index += 1) yield* text(piece(index), { pace_ms });
    if (standard === true) {
      yield* report({ summary: "done", findings: [], recommendations: [], assumptions: [], questions: [] });
    }
    return { finish_reason: "stop" };
  },
};

export class UserSession extends SessionObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env, {
      agents: [paced],
      codecs: { native },
      plans: { free: UNLIMITED, pro: UNLIMITED, enterprise: UNLIMITED },
    });
  }
}

export default app;
