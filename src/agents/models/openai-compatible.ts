/**
 * Any server that speaks OpenAI's chat completions: OpenAI, vLLM, Ollama, Groq,
 * OpenRouter, LiteLLM, Cloudflare AI Gateway, and the compatible endpoints of
 * others.
 */
import { readBytes } from "../../protocol/bytes.ts";
import { field, parseJson } from "../../protocol/pure/json.ts";
import { chatRequest } from "./chat-request.ts";
import { Completion } from "./completion.ts";
import { fromChunks, inOnePiece } from "./completion-parts.ts";
import { ModelFailure, readError, refusal, retryAfter } from "./failure.ts";
import type { Model, ModelContext, ModelPart, ModelRequest } from "./model.ts";
import { sseValues } from "./sse.ts";

export interface OpenAiSettings {
  /** Up to and without `/chat/completions`; a query is kept. */
  readonly base_url: string;
  readonly model: string;
  readonly api_key?: string;
  /** Sent with each request; they win over our own. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What usage is counted under; the host of `base_url` if not given. */
  readonly provider?: string;
  /** OpenAI's own newer models take `max_completion_tokens` only. */
  readonly max_tokens_field?: "max_tokens" | "max_completion_tokens";
  /** False for a server that refuses `stream_options`; usage is then estimated. */
  readonly include_usage?: boolean;
}

export interface HttpPorts {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** An answer in one piece; UTF-8 bytes. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Of an answer that is an error, for its code. */
export const MAX_ERROR_BYTES = 16 * 1024;

/** @throws TypeError if `base_url` is no URL, or something cannot be sent as a header */
export function openAiCompatible(settings: OpenAiSettings, ports: HttpPorts): Model {
  const url = new URL(settings.base_url);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/chat/completions`;
  const provider = settings.provider ?? url.host;
  const model_id = settings.model;
  const headers = headersOf(settings);
  return {
    provider,
    model_id,
    async *stream(request, context) {
      const response = await post(url.href, headers, bodyOf(settings, request), ports, context);
      const completion = new Completion({ provider, model: model_id });
      yield* isJson(response) ? wholeAnswer(response, completion) : chunks(response, completion, context);
    },
  };
}

async function post(
  url: string,
  headers: Headers,
  asked: object,
  { fetch, now }: HttpPorts,
  { signal }: ModelContext,
): Promise<Response> {
  const init: RequestInit = {
    method: "POST",
    headers,
    body: JSON.stringify(asked),
    // The key must not follow a redirect to somewhere else.
    redirect: "manual",
    signal,
  };
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch {
    throw new ModelFailure(signal.aborted ? "cancelled" : "model_unavailable");
  }
  if (response.ok) return response;
  const retry_after_ms = retryAfter(response.headers, now());
  throw refusal({ ...(await errorOf(response)), status: response.status, retry_after_ms });
}

function headersOf({ api_key, headers = {} }: OpenAiSettings): Headers {
  const sent = new Headers({ "Content-Type": "application/json", Accept: "text/event-stream" });
  if (api_key !== undefined) sent.set("Authorization", `Bearer ${api_key}`);
  for (const [name, value] of Object.entries(headers)) sent.set(name, value);
  return sent;
}

function bodyOf(settings: OpenAiSettings, request: ModelRequest) {
  const { model, max_tokens_field = "max_tokens", include_usage = true } = settings;
  return {
    model,
    ...chatRequest(request),
    ...(request.max_output_tokens !== undefined && { [max_tokens_field]: request.max_output_tokens }),
    stream: true,
    ...(include_usage && { stream_options: { include_usage: true } }),
  };
}

/** The rest the status says. */
type Said = Pick<ReturnType<typeof readError>, "provider_code" | "too_long">;

/** Only what is refused for a reason is worth reading: a server in trouble may never finish its page. */
async function errorOf({ status, body }: Response): Promise<Said> {
  try {
    if (status >= 400 && status < 500) {
      const bytes = await readBytes(body, MAX_ERROR_BYTES);
      const answer = parseJson(new TextDecoder().decode(bytes));
      // Older servers of vLLM answer with the error itself.
      const { provider_code, too_long } = readError(field(answer, "error") ?? answer);
      return { provider_code, too_long };
    }
    await body?.cancel();
  } catch {
    // The status says enough.
  }
  return {};
}

function mediaType(response: Response): string {
  return response.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase() ?? "";
}

function isJson(response: Response): boolean {
  return mediaType(response) === "application/json";
}

/** The server does not stream, or not this answer. */
async function* wholeAnswer(
  { body }: Response,
  completion: Completion,
): AsyncGenerator<ModelPart, void, undefined> {
  const bytes = await readBytes(body, MAX_ANSWER_BYTES).catch(() => {
    throw new ModelFailure("model_stream_cut");
  });
  if (bytes === undefined) throw new ModelFailure("model_bad_response");
  yield* inOnePiece(parseJson(new TextDecoder().decode(bytes)), completion);
}

async function* chunks(
  response: Response,
  completion: Completion,
  { signal }: ModelContext,
): AsyncGenerator<ModelPart, void, undefined> {
  // A page for people: a proxy's, or the wrong address.
  if (mediaType(response) === "text/html") {
    await response.body?.cancel();
    throw new ModelFailure("model_bad_response");
  }
  if (response.body === null) throw new ModelFailure("model_stream_cut");
  yield* fromChunks(sseValues(response.body, signal), completion);
}
