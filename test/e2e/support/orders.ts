/** The real Worker with a model agent of three tools, each of which does something outside that can be counted. */
import * as z from "zod/mini";
import { modelAgent } from "../../../src/agents/model-agent.ts";
import { openAiCompatible } from "../../../src/agents/models/openai-compatible.ts";
import type { OfferedTool } from "../../../src/agents/registry.ts";
import { native } from "../../../src/dialects/native.ts";
import { app } from "../../../src/edge/app.ts";
import { SessionObject } from "../../../src/session/object.ts";

interface Places {
  readonly LLM_BASE_URL: string;
  readonly TOOLS_URL: string;
}

const input = z.object({ order: z.string() });

function outside(name: string, idempotent: boolean, { TOOLS_URL }: Places): OfferedTool {
  const tool = {
    name,
    description: `${name} an order`,
    input,
    output: z.object({ done: z.string() }),
    idempotent,
    async execute({ order }: z.infer<typeof input>, { signal }: { signal: AbortSignal }) {
      const response = await fetch(`${TOOLS_URL}/${name}/${order}`, { method: "POST", signal });
      return { done: await response.text() };
    },
  };
  return { ...tool, parameters: z.toJSONSchema(input) } as OfferedTool;
}

export class UserSession extends SessionObject {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env & Places) {
    const model = openAiCompatible(
      { base_url: env.LLM_BASE_URL, model: "fake" },
      { fetch: (url, init) => fetch(url, init), now: Date.now },
    );
    const tools = [
      outside("reserve", true, env),
      outside("charge", false, env),
      outside("notify", true, env),
    ];
    const window = { context_tokens: 32_000, max_output_tokens: 4_096 };
    const agent = modelAgent({ name: "orders", model, system_prompt: "You take orders.", tools, ...window });
    super(ctx, env, { agents: [agent], codecs: { native } });
  }
}

export default app;
