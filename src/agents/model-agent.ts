/**
 * An agent that is a language model with tools: it asks the model, executes the
 * calls of its answer in parallel, tells it what came of them, and goes on until
 * it answers without a call. docs/agents.md has its rules.
 */
import { canonicalJson } from "../protocol/canonical.ts";
import type { Agent } from "./agent.ts";
import { model as ask, type Effect, ModelCallFailed, steering, text } from "./effects.ts";
import { fingerprint } from "./fingerprint.ts";
import { opening, round } from "./model-messages.ts";
import { carryOut, type Offer, offerOf, type Round, stepsOfARound } from "./model-offer.ts";
import type { CallLimits } from "./models/calling.ts";
import { fitToWindow } from "./models/context-window.ts";
import { ModelFailure } from "./models/failure.ts";
import type { Model, ModelMessage, ModelRequest } from "./models/model.ts";
import type { OfferedTool } from "./registry.ts";

export interface ModelAgentSettings {
  readonly name: string;
  readonly model: Model;
  /** What the model is to be; the date is added. */
  readonly system_prompt: string;
  readonly tools?: readonly OfferedTool[];
  /** Whether it may publish a `final_report`, once. */
  readonly reports?: boolean;
  /** What the model can take at once, its answer included. */
  readonly context_tokens: number;
  /** Kept free for the answer, and the most it may have. */
  readonly max_output_tokens: number;
  /** Other time limits than those of every model. */
  readonly limits?: Partial<CallLimits>;
}

/** A question's data, and the results of one answer's calls together, may take this part of what there is room for. */
const PART = 4;

/** @throws TypeError naming the tool that cannot be offered */
export function modelAgent(settings: ModelAgentSettings): Agent {
  const { name, model, system_prompt, limits } = settings;
  const offer = offerOf(settings);
  const room = Math.floor((settings.context_tokens - settings.max_output_tokens) / PART);
  return {
    name,
    version: versionOf(settings, offer),
    uses_models: true,
    *run(input) {
      const messages = opening(system_prompt, input, room);
      let published = false;
      for (let step = 1; ; step += 1) {
        // To hear something is a step, too, and the last one is for an answer.
        const heard = step < input.max_steps ? yield* steering() : [];
        if (heard.length > 0) step += 1;
        messages.push(...heard.map(({ content }) => ({ role: "user" as const, content })));
        const last: boolean = step + stepsOfARound(offer, published) > input.max_steps;
        const answer = yield* ask(model, requestOf(settings, offer, messages, last), limits);
        const { tool_calls } = answer;
        if (tool_calls.length === 0) return { finish_reason: answer.finish_reason };
        if (last) throw new ModelCallFailed(TOOL_LOOP);
        const done: Round = yield* carryOut(offer, tool_calls, published);
        messages.push(...round(answer, done.outcomes, Math.floor(room / tool_calls.length)));
        published = done.published;
        step += done.steps;
        yield* paragraph(answer.text);
      }
    },
  };
}

/** What is said between two rounds of tools is one answer to its reader. */
function* paragraph(said: string): Generator<Effect, void, unknown> {
  if (said !== "" && !said.endsWith("\n")) yield* text("\n\n");
}

/** @throws ModelCallFailed if not even the question has room */
function requestOf(
  settings: ModelAgentSettings,
  { specs: tools }: Offer,
  conversation: readonly ModelMessage[],
  last: boolean,
): ModelRequest {
  const { context_tokens, max_output_tokens } = settings;
  const { messages, fits } = fitToWindow(conversation, { context_tokens, max_output_tokens, tools });
  if (!fits) throw new ModelCallFailed(new ModelFailure("model_context_exceeded"));
  // Still told of its tools: providers want to know those that earlier answers called.
  return { messages, tools, max_output_tokens, ...(last && { tool_choice: "none" as const }) };
}

/** Another model, prompt, tool or window: the same question may get other effects. */
function versionOf(settings: ModelAgentSettings, { specs }: Offer): string {
  const { model, system_prompt, context_tokens, max_output_tokens } = settings;
  const { provider, model_id } = model;
  const parts = { provider, model_id, system_prompt, specs, context_tokens, max_output_tokens };
  return `1-${fingerprint(canonicalJson(parts))}`;
}

const TOOL_LOOP = {
  code: "model_tool_loop",
  message: "the model did not stop calling tools",
  retryable: false,
};
