/**
 * One answer in the form of OpenAI's chat completions, as a stream of chunks or
 * in one piece, turned into parts. Read leniently: every server that claims
 * this form leaves out, adds or misspells something else.
 */
import * as z from "zod/mini";
import { field } from "../../protocol/pure/json.ts";
import type { FinishReason } from "../../protocol/run-events.ts";
import { ModelFailure, readError, refusal } from "./failure.ts";
import type { ModelPart, Usage } from "./model.ts";
import { ToolCalls, toolCallPiece } from "./tool-calls.ts";
import { countedUsage, type Origin } from "./usage.ts";

const message = z.object({
  content: z.optional(z.unknown()),
  /** DeepSeek, vLLM and others; OpenRouter and Ollama call it `reasoning`. */
  reasoning_content: z.optional(z.unknown()),
  reasoning: z.optional(z.unknown()),
  /** What OpenAI's models say instead of an answer that they will not give. */
  refusal: z.optional(z.unknown()),
  tool_calls: z.nullish(z.array(toolCallPiece)),
});

const chunk = z.object({
  choices: z.nullish(
    z.array(
      z.object({
        index: z.optional(z.unknown()),
        /** Of a stream; an answer in one piece has `message`. */
        delta: z.nullish(message),
        message: z.nullish(message),
        finish_reason: z.nullish(z.string()),
      }),
    ),
  ),
  usage: z.optional(z.unknown()),
  error: z.optional(z.unknown()),
  /** The older form of Workers AI: no choices, and what a token is may be a number. */
  response: z.optional(z.unknown()),
  tool_calls: z.nullish(z.array(toolCallPiece)),
});

type Message = z.infer<typeof message>;

export class Completion {
  readonly #origin: Origin;
  readonly #calls = new ToolCalls();
  #begun = false;
  #usage: Usage | undefined;
  #finish_reason: FinishReason | undefined;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  /** @throws ModelFailure if it is an error, or cannot be understood */
  *take(value: unknown): Generator<ModelPart, void, undefined> {
    const parsed = chunk.safeParse(value);
    if (!parsed.success) throw new ModelFailure("model_bad_response");
    const { choices, error, response, tool_calls, usage } = parsed.data;
    if (error !== undefined && error !== null) throw refusal(readError(error));
    this.#usage = usageOf(usage, this.#origin) ?? this.#usage;
    this.#begun ||= (response ?? choices?.[0]) !== undefined;
    yield* this.#say({ content: response, tool_calls });
    // We ask for one answer; whoever sends more is heard in the first.
    const [choice] = choices ?? [];
    if (choice === undefined || Number(choice.index ?? 0) !== 0) return;
    const said = choice.delta ?? choice.message;
    if (said) yield* this.#say(said);
    if (choice.finish_reason) this.#finish_reason = reasonOf(choice.finish_reason);
  }

  /** @param done the provider said so; otherwise only a finish reason tells a whole answer from a cut one */
  *end(done: boolean): Generator<ModelPart, void, undefined> {
    if (!done && this.#finish_reason === undefined) throw new ModelFailure("model_stream_cut");
    const calls = this.#calls.finished();
    for (const call of calls) yield { type: "tool_call", ...call };
    const finish_reason = this.#finish_reason ?? "stop";
    yield {
      type: "finish",
      // Some servers stop for tools and call it "stop".
      finish_reason: calls.length > 0 && finish_reason === "stop" ? "tool-calls" : finish_reason,
      usage: this.#usage,
    };
  }

  /** Whether there was any answer, be it an empty one. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether the provider has said how the answer ended. */
  get complete(): boolean {
    return this.#finish_reason !== undefined;
  }

  *#say(said: Message): Generator<ModelPart, void, undefined> {
    yield* textParts("reasoning", said.reasoning_content ?? said.reasoning);
    yield* textParts("text", said.content);
    yield* textParts("text", said.refusal);
    for (const piece of said.tool_calls ?? []) {
      const chars = this.#calls.add(piece);
      if (chars !== undefined) yield { type: "tool_call_piece", chars };
    }
  }
}

/** Content is a text, or a list of parts of which some are texts and some, at Mistral, thoughts. */
function* textParts(type: "text" | "reasoning", content: unknown): Generator<ModelPart, void, undefined> {
  if (Array.isArray(content)) {
    for (const part of content) {
      if (field(part, "type") === "thinking") yield* textParts("reasoning", field(part, "thinking"));
      else yield* textParts(type, field(part, "text"));
    }
    return;
  }
  const delta = typeof content === "number" ? String(content) : content;
  if (typeof delta === "string" && delta !== "") yield { type, delta };
}

function reasonOf(reason: string): FinishReason {
  switch (reason) {
    case "stop":
    case "length":
      return reason;
    case "tool_calls":
    case "function_call":
      return "tool-calls";
    case "content_filter":
      return "content-filter";
    case "error":
      throw new ModelFailure("model_unavailable");
    default:
      return "other";
  }
}

function usageOf(given: unknown, origin: Origin): Usage | undefined {
  return countedUsage(origin, {
    input: field(given, "prompt_tokens"),
    output: field(given, "completion_tokens"),
    total: field(given, "total_tokens"),
    reasoning: field(given, "completion_tokens_details", "reasoning_tokens"),
    cached: field(given, "prompt_tokens_details", "cached_tokens"),
    cache_write: field(given, "prompt_tokens_details", "cache_write_tokens"),
  });
}
