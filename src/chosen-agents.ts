/** The agents of a deployment, from its settings: the first answers, the others finish what they have begun. */
import { advisor } from "./agents/advisor/advisor.ts";
import { ADVISOR_PROMPT, advisorTools } from "./agents/advisor/offer.ts";
import type { Agent } from "./agents/agent.ts";
import { modelAgent } from "./agents/model-agent.ts";
import type { Model } from "./agents/models/model.ts";
import { openAiCompatible } from "./agents/models/openai-compatible.ts";
import { isAiBinding, workersAi } from "./agents/models/workers-ai.ts";
import type { ModelSource } from "./config/model.ts";
import { settingsOf } from "./config/settings.ts";
import { field } from "./protocol/pure/json.ts";

/** With settings that are wrong the Worker lets nobody in, and nobody is answered. */
export function chosenAgents(env: object): readonly [Agent, ...Agent[]] {
  const settings = settingsOf(env);
  const chosen = settings.ok ? settings.value.model : undefined;
  const model = chosen === undefined ? undefined : modelOf(chosen.source, env);
  if (chosen === undefined || model === undefined) return [advisor];
  const { system_prompt = ADVISOR_PROMPT, context_tokens, max_output_tokens } = chosen;
  const window = { context_tokens, max_output_tokens };
  return [
    modelAgent({ name: "model", model, system_prompt, tools: advisorTools, reports: true, ...window }),
    advisor,
  ];
}

function modelOf(source: ModelSource, env: object): Model | undefined {
  if (source.kind === "workers_ai") {
    const binding = field(env, "AI");
    return isAiBinding(binding) ? workersAi(binding, { model: source.model }) : undefined;
  }
  const { base_url, model, api_key } = source;
  return openAiCompatible(
    {
      base_url,
      model,
      ...(api_key !== undefined && { api_key }),
      // Its newer models take no other, and its older ones take it too.
      ...(new URL(base_url).hostname === "api.openai.com" && { max_tokens_field: "max_completion_tokens" }),
    },
    { fetch: (url, init) => fetch(url, init), now: Date.now },
  );
}
