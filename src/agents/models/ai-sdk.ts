/**
 * Any provider of the AI SDK, through the part of its interface that is used
 * (specification v4, of `ai` 7): no package of it is imported.
 */
import * as z from "zod/mini";
import { field } from "../../protocol/pure/json.ts";
import { type AiSdkMessage, promptOf } from "./ai-sdk-prompt.ts";
import { ModelFailure, readError, refusal, retryAfter } from "./failure.ts";
import type { Model, ModelContext, ModelPart, ModelRequest, Usage } from "./model.ts";
import { countedUsage } from "./usage.ts";

/** What `createOpenAI(…)("…")`, `createAnthropic(…)("…")` and the like return. */
export interface LanguageModelV4 {
  readonly specificationVersion: "v4";
  readonly provider: string;
  readonly modelId: string;
  doStream(options: AiSdkOptions): PromiseLike<{ stream: ReadableStream<unknown> }>;
}

export interface AiSdkOptions {
  prompt: AiSdkMessage[];
  tools?: AiSdkTool[];
  toolChoice?: { type: "auto" | "none" | "required" };
  maxOutputTokens?: number;
  temperature?: number;
  abortSignal?: AbortSignal;
}

interface AiSdkTool {
  type: "function";
  name: string;
  description: string;
  inputSchema: Record<string, unknown>;
}

const delta = z.object({ delta: z.string() });

/** The parts that mean something here. Others are passed over: sources, files, warnings, raw chunks, pings. */
const PARTS = {
  "text-delta": delta,
  "reasoning-delta": delta,
  "tool-input-delta": delta,
  "tool-call": z.object({
    toolCallId: z.string().check(z.minLength(1)),
    toolName: z.string().check(z.minLength(1)),
    input: z.string(),
    /** The provider runs it itself, and tells the model what came of it. */
    providerExecuted: z.optional(z.boolean()),
  }),
  finish: z.object({ finishReason: z.object({ unified: z.string() }), usage: z.optional(z.unknown()) }),
};

export interface AiSdkPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function aiSdkModel(model: LanguageModelV4, { now }: AiSdkPorts): Model {
  return {
    provider: model.provider,
    model_id: model.modelId,
    async *stream(request, context) {
      for await (const value of parts(model, request, context, now)) {
        const said = partOf(value, model, now());
        if (said === undefined) continue;
        yield said;
        if (said.type === "finish") return;
      }
      throw new ModelFailure("model_stream_cut");
    },
  };
}

/** What the provider's stream holds, read when it is wanted; aborting cancels it at once. */
async function* parts(
  model: LanguageModelV4,
  request: ModelRequest,
  { signal }: ModelContext,
  now: () => number,
): AsyncGenerator<unknown, void, undefined> {
  let reader: ReadableStreamDefaultReader<unknown> | undefined;
  // Whether the other side hears it is its own affair.
  const stop = () => void reader?.cancel().catch(() => {});
  signal.addEventListener("abort", stop);
  try {
    const { stream } = await model.doStream(optionsOf(request, signal));
    reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) throw new ModelFailure("cancelled");
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw signal.aborted ? new ModelFailure("cancelled") : failureOf(cause, now(), reader !== undefined);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

function optionsOf(request: ModelRequest, signal: AbortSignal): AiSdkOptions {
  const { messages, tools = [], tool_choice, max_output_tokens, temperature } = request;
  return {
    prompt: promptOf(messages),
    abortSignal: signal,
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, parameters }) => ({
        type: "function",
        name,
        description,
        inputSchema: { ...parameters },
      })),
    }),
    ...(tools.length > 0 && tool_choice !== undefined && { toolChoice: { type: tool_choice } }),
    ...(max_output_tokens !== undefined && { maxOutputTokens: max_output_tokens }),
    ...(temperature !== undefined && { temperature }),
  };
}

/** @throws ModelFailure if it is an error, or cannot be understood */
function partOf(value: unknown, model: LanguageModelV4, now: number): ModelPart | undefined {
  const type = field(value, "type");
  switch (type) {
    case "text-delta":
    case "reasoning-delta": {
      const { delta } = understood(PARTS[type], value);
      return delta === "" ? undefined : { type: type === "text-delta" ? "text" : "reasoning", delta };
    }
    case "tool-input-start":
      return { type: "tool_call_piece", chars: 0 };
    case "tool-input-delta":
      return { type: "tool_call_piece", chars: understood(PARTS[type], value).delta.length };
    case "tool-call": {
      const { toolCallId, toolName, input, providerExecuted } = understood(PARTS[type], value);
      if (providerExecuted === true) return undefined;
      const args_text = input === "" ? "{}" : input;
      return { type: "tool_call", tool_call_id: toolCallId, tool_name: toolName, args_text };
    }
    case "finish": {
      const { finishReason, usage } = understood(PARTS[type], value);
      return { type, finish_reason: reasonOf(finishReason.unified), usage: usageOf(usage, model) };
    }
    case "error":
      throw failureOf(field(value, "error"), now, true);
    default:
      return undefined;
  }
}

function understood<T extends z.ZodMiniType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ModelFailure("model_bad_response");
}

function reasonOf(unified: string) {
  switch (unified) {
    case "stop":
    case "length":
    case "content-filter":
    case "tool-calls":
      return unified;
    case "interrupted":
      throw new ModelFailure("model_stream_cut");
    case "error":
      throw new ModelFailure("model_unavailable");
    default:
      return "other";
  }
}

function usageOf(usage: unknown, { provider, modelId }: LanguageModelV4): Usage | undefined {
  return countedUsage(
    { provider, model: modelId },
    {
      input: field(usage, "inputTokens", "total"),
      output: field(usage, "outputTokens", "total"),
      total: undefined,
      reasoning: field(usage, "outputTokens", "reasoning"),
      cached: field(usage, "inputTokens", "cacheRead"),
      cache_write: field(usage, "inputTokens", "cacheWrite"),
    },
  );
}

/**
 * `APICallError` has a status and headers, other errors of the SDK have a name;
 * error objects of providers are passed on as they came.
 */
function failureOf(error: unknown, now: number, begun: boolean): ModelFailure {
  if (error instanceof ModelFailure) return error;
  const { name, message } = error instanceof Error ? error : { name: "", message: "" };
  if (/without a finish reason/.test(message)) return new ModelFailure("model_stream_cut");
  if (/JSONParse|TypeValidation|InvalidResponseData/.test(name))
    return new ModelFailure("model_bad_response");
  if (/LoadAPIKey|InvalidPrompt|InvalidArgument|UnsupportedFunctionality|NoSuchModel/.test(name)) {
    return new ModelFailure("model_refused", { provider_code: name });
  }
  const { status, provider_code, too_long } = readError(field(error, "data", "error") ?? error);
  const told = field(error, "statusCode") ?? status;
  // What fails although it was answered with success broke off, or was not what it should be.
  const answered = typeof told === "number" ? told < 300 : begun && error instanceof Error;
  if (answered) return new ModelFailure(begun ? "model_stream_cut" : "model_bad_response");
  return refusal({
    status: typeof told === "number" ? told : undefined,
    provider_code,
    too_long,
    retry_after_ms: retryAfter(headersOf(error), now),
  });
}

function headersOf(error: unknown) {
  return {
    get(name: string): string | null {
      const value = field(error, "responseHeaders", name);
      return typeof value === "string" ? value : null;
    },
  };
}
