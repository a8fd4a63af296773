/**
 * What a language model is to the rest: something that takes messages and
 * answers in parts. Adapters make one of a URL, a binding or a provider object;
 * `callModel` (calling.ts) adds time limits and retries, the same for all.
 */
import type { FinishReason } from "../../protocol/run-events.ts";

export interface Model {
  readonly provider: string;
  readonly model_id: string;
  /**
   * One call: parts in the order they come, and after exactly one `finish` the
   * end. Throws `ModelFailure`. Nothing is asked of the provider, or read from
   * it, before the consumer wants the next part. Aborting `signal` closes the
   * provider's stream.
   */
  stream(request: ModelRequest, context: ModelContext): AsyncIterable<ModelPart>;
}

export interface ModelContext {
  readonly signal: AbortSignal;
}

export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  readonly tools?: readonly ToolSpec[];
  /** Without it the model decides. */
  readonly tool_choice?: "auto" | "none" | "required";
  readonly max_output_tokens?: number;
  readonly temperature?: number;
}

export type ModelMessage =
  | { readonly role: "system"; readonly content: string }
  | { readonly role: "user"; readonly content: string }
  | {
      readonly role: "assistant";
      readonly content: string;
      readonly tool_calls?: readonly RequestedCall[];
    }
  | {
      readonly role: "tool";
      readonly tool_call_id: string;
      readonly tool_name: string;
      readonly content: string;
    };

/** A tool as a model is told of it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A tool call as a model asks for it: the arguments are text that nobody has checked. */
export interface RequestedCall {
  readonly tool_call_id: string;
  readonly tool_name: string;
  readonly args_text: string;
}

export type ModelPart =
  | { readonly type: "text"; readonly delta: string }
  | { readonly type: "reasoning"; readonly delta: string }
  /** A piece of a tool call that is not whole yet: the model is at work, and there is nothing to show. */
  | {
      readonly type: "tool_call_piece";
      /** How much of its id, name and arguments it has brought: UTF-16 code units. */
      readonly chars: number;
    }
  | ({ readonly type: "tool_call" } & RequestedCall)
  | { readonly type: "finish"; readonly finish_reason: FinishReason; readonly usage: Usage | undefined };

/** Of one call, in AG-UI's words. */
export interface Usage {
  readonly provider: string;
  readonly model: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
  readonly reasoning_tokens?: number | undefined;
  readonly cached_input_tokens?: number | undefined;
  readonly cache_write_input_tokens?: number | undefined;
  /** US dollars; absent if nobody knows the price. */
  readonly cost_usd?: number | undefined;
  /** The provider said nothing: counted by the rule of tokens.ts. */
  readonly estimated?: true | undefined;
}

/** What one call of a model has cost, by the step of its run. */
export interface ModelUsage extends Usage {
  readonly step?: number | undefined;
}
