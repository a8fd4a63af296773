/** What one attempt at a call has brought so far. */
import type { FinishReason } from "../../protocol/run-events.ts";
import { type FailureCode, ModelFailure } from "./failure.ts";
import type { Model, ModelPart, ModelRequest, RequestedCall, Usage } from "./model.ts";
import { BYTES_PER_TOKEN, callTokens, messageTokens, textTokens, toolTokens } from "./tokens.ts";

/** Text, reasoning and calls together, whole or not: an answer that never ends must not fill memory. UTF-16 code units. */
export const MAX_OUTPUT_CHARS = 1024 * 1024;

export class Heard {
  readonly #tool_calls: RequestedCall[] = [];
  #chars = 0;
  /** Of calls that are not whole yet. */
  #pending_chars = 0;
  #begun = false;
  #text = "";
  #reasoning = "";
  #finish_reason: FinishReason | undefined;
  #usage: Usage | undefined;

  /** Whether any of the answer has come: from then on it is not asked for again. */
  get begun(): boolean {
    return this.#begun;
  }

  get text(): string {
    return this.#text;
  }

  get reasoning(): string {
    return this.#reasoning;
  }

  get tool_calls(): readonly RequestedCall[] {
    return this.#tool_calls;
  }

  /** Whether it is to be paid for. */
  get paid(): boolean {
    return this.#begun || this.#usage !== undefined;
  }

  /**
   * Why an answer that has ended is none.
   * @param silent nothing need be said any more
   */
  missing(silent: boolean): FailureCode | undefined {
    if (this.#text !== "" || this.#tool_calls.length > 0) return undefined;
    if (this.#finish_reason === "content-filter") return "model_filtered";
    return silent || this.#reasoning !== "" ? undefined : "model_empty_answer";
  }

  /** Undefined until the answer has ended. */
  get finish_reason(): FinishReason | undefined {
    return this.#finish_reason;
  }

  /** @throws ModelFailure if it is more than any answer has */
  take(part: ModelPart): void {
    if (part.type === "finish") return this.#finish(part.finish_reason, part.usage);
    this.#begun = true;
    // Of an attempt before this one, which came to nothing.
    this.#usage = undefined;
    this.#count(part);
    if (this.#chars + this.#pending_chars > MAX_OUTPUT_CHARS) throw new ModelFailure("model_bad_response");
    if (part.type === "text") this.#text += part.delta;
    else if (part.type === "reasoning") this.#reasoning += part.delta;
    else if (part.type === "tool_call") this.#tool_calls.push(callOf(part));
  }

  /** Nobody wants more of it. */
  cutShort(): void {
    this.#finish("length", undefined);
  }

  /** As the provider says, or counted by us. */
  usage({ provider, model_id }: Model, { messages, tools = [] }: ModelRequest): Usage {
    if (this.#usage !== undefined) return this.#usage;
    const input_tokens = messages.reduce((sum, message) => sum + messageTokens(message), toolTokens(tools));
    const pending_tokens = Math.ceil(this.#pending_chars / BYTES_PER_TOKEN);
    const output_tokens =
      textTokens(this.#text) + textTokens(this.#reasoning) + callTokens(this.#tool_calls) + pending_tokens;
    const total_tokens = input_tokens + output_tokens;
    return { provider, model: model_id, input_tokens, output_tokens, total_tokens, estimated: true };
  }

  #count(part: Exclude<ModelPart, { type: "finish" }>): void {
    if (part.type === "tool_call_piece") this.#pending_chars += part.chars;
    else if (part.type !== "tool_call") this.#chars += part.delta.length;
    else {
      const chars = part.tool_call_id.length + part.tool_name.length + part.args_text.length;
      this.#chars += chars;
      this.#pending_chars = Math.max(0, this.#pending_chars - chars);
    }
  }

  #finish(reason: FinishReason, usage: Usage | undefined): void {
    this.#finish_reason = reason;
    this.#usage = usage;
  }
}

function callOf({ tool_call_id, tool_name, args_text }: RequestedCall): RequestedCall {
  return { tool_call_id, tool_name, args_text };
}
