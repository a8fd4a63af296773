/** Models of Workers AI, through the binding: no key, no address, no package. */
import { chatRequest } from "./chat-request.ts";
import { Completion } from "./completion.ts";
import { fromChunks, inOnePiece } from "./completion-parts.ts";
import { type FailureCode, ModelFailure, saysTooLong } from "./failure.ts";
import type { Model, ModelContext, ModelRequest } from "./model.ts";
import { sseValues } from "./sse.ts";

/** The part of `env.AI` that is used. */
export interface AiBinding {
  run(
    model: string,
    inputs: Record<string, unknown>,
    options: { signal?: AbortSignal; gateway?: { id: string } },
  ): Promise<unknown>;
}

export function isAiBinding(value: unknown): value is AiBinding {
  return typeof value === "object" && value !== null && "run" in value && typeof value.run === "function";
}

export interface WorkersAiSettings {
  /** `@cf/…` */
  readonly model: string;
  /** Sends the calls through this AI Gateway. */
  readonly gateway?: string;
}

const PROVIDER = "workers-ai";

export function workersAi(binding: AiBinding, { model, gateway }: WorkersAiSettings): Model {
  return {
    provider: PROVIDER,
    model_id: model,
    async *stream(request, context) {
      const answer = await run(binding, model, gateway, request, context);
      const completion = new Completion({ provider: PROVIDER, model });
      // Some models do not stream, or not when they are given tools.
      yield* answer instanceof ReadableStream
        ? fromChunks(sseValues(answer, context.signal), completion)
        : inOnePiece(answer, completion);
    },
  };
}

async function run(
  binding: AiBinding,
  model: string,
  gateway: string | undefined,
  request: ModelRequest,
  { signal }: ModelContext,
): Promise<unknown> {
  const { max_output_tokens } = request;
  const inputs = {
    ...chatRequest(request),
    ...(max_output_tokens !== undefined && { max_tokens: max_output_tokens }),
    stream: true,
  };
  try {
    return await binding.run(model, inputs, {
      signal,
      ...(gateway !== undefined && { gateway: { id: gateway } }),
    });
  } catch (cause) {
    throw signal.aborted ? new ModelFailure("cancelled") : failureOf(cause);
  }
}

/** https://developers.cloudflare.com/workers-ai/platform/errors/ */
const CODES: Readonly<Record<string, FailureCode>> = {
  "3006": "model_context_exceeded",
  "3007": "model_unavailable",
  "3008": "model_unavailable",
  "3036": "model_quota_exhausted",
  "3040": "model_unavailable",
};

/** What the binding throws begins with a number; the rest is for developers. */
function failureOf(cause: unknown): ModelFailure {
  const message = cause instanceof Error ? cause.message : "";
  const provider_code = /\b([35]\d{3}):/.exec(message)?.[1];
  if (saysTooLong(message)) return new ModelFailure("model_context_exceeded", { provider_code });
  if (provider_code === undefined) return new ModelFailure("model_unavailable");
  return new ModelFailure(CODES[provider_code] ?? "model_refused", { provider_code });
}
