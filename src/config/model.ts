/** The variables that name a language model: with one, it answers instead of the advisor. */
import * as z from "zod/mini";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { wholeNumber } from "./numbers.ts";
import { bearerToken } from "./secrets.ts";
import { isSafeUrl } from "./urls.ts";

export interface ModelSettings {
  readonly source: ModelSource;
  readonly system_prompt: string | undefined;
  readonly context_tokens: number;
  readonly max_output_tokens: number;
}

export type ModelSource =
  | {
      /** A server with OpenAI's chat completions. */
      readonly kind: "llm";
      readonly base_url: string;
      readonly model: string;
      readonly api_key: string | undefined;
    }
  | { readonly kind: "workers_ai"; readonly model: string };

const DEFAULT_CONTEXT_TOKENS = 32_000;
const DEFAULT_MAX_OUTPUT_TOKENS = 4_096;

const URL_RULE = "must be an https URL without credentials or fragment (http only on this machine)";
const BINDING_RULE = "must be the binding of Workers AI (wrangler.toml: [ai])";

const text = z.string({ error: "must be a text" }).check(z.minLength(1, "must not be empty"));

export const MODEL_VARIABLES = {
  LLM_BASE_URL: z.optional(z.string({ error: URL_RULE }).check(z.refine(isSafeUrl, { error: URL_RULE }))),
  LLM_MODEL: z.optional(text),
  LLM_API_KEY: z.optional(bearerToken),
  LLM_SYSTEM_PROMPT: z.optional(text),
  LLM_CONTEXT_TOKENS: z.optional(wholeNumber(1_000, 10_000_000)),
  LLM_MAX_OUTPUT_TOKENS: z.optional(wholeNumber(1, 1_000_000)),
  WORKERS_AI_MODEL: z.optional(text),
  AI: z.optional(z.custom<object>(canRun, BINDING_RULE)),
};

/** What chosen-agents.ts can use: otherwise another agent would answer without a word. The platform's `run` is inherited. */
function canRun(value: unknown): boolean {
  return typeof value === "object" && value !== null && "run" in value && typeof value.run === "function";
}

const variables = z.object(MODEL_VARIABLES);

/** Undefined where no model is named. Half of what a model needs is refused, naming the other half. */
export function modelSettings(given: z.infer<typeof variables>): Result<ModelSettings | undefined> {
  const source = sourceOf(given);
  if (!source.ok) return source;
  const context_tokens = Number(given.LLM_CONTEXT_TOKENS ?? DEFAULT_CONTEXT_TOKENS);
  const max_output_tokens = Number(given.LLM_MAX_OUTPUT_TOKENS ?? DEFAULT_MAX_OUTPUT_TOKENS);
  if (source.value === undefined) return ok(undefined);
  if (max_output_tokens > context_tokens / 2) {
    return wrong("LLM_MAX_OUTPUT_TOKENS", `must be at most half of LLM_CONTEXT_TOKENS (${context_tokens})`);
  }
  return ok({
    source: source.value,
    system_prompt: given.LLM_SYSTEM_PROMPT,
    context_tokens,
    max_output_tokens,
  });
}

function sourceOf({
  LLM_BASE_URL: base_url,
  LLM_MODEL: model,
  LLM_API_KEY: api_key,
  WORKERS_AI_MODEL,
  AI,
}: z.infer<typeof variables>): Result<ModelSource | undefined> {
  if (WORKERS_AI_MODEL !== undefined) {
    if (base_url !== undefined) return wrong("WORKERS_AI_MODEL", "must not be set beside LLM_BASE_URL");
    if (model !== undefined) return wrong("WORKERS_AI_MODEL", "must not be set beside LLM_MODEL");
    if (AI === undefined) return wrong("AI", `${BINDING_RULE} where WORKERS_AI_MODEL is set`);
    return ok({ kind: "workers_ai", model: WORKERS_AI_MODEL });
  }
  if (base_url === undefined && model === undefined) return ok(undefined);
  if (base_url === undefined) return wrong("LLM_BASE_URL", "must be set where LLM_MODEL is");
  if (model === undefined) return wrong("LLM_MODEL", "must be set where LLM_BASE_URL is");
  return ok({ kind: "llm", base_url, model, api_key });
}

function wrong(field: string, rule: string) {
  return refuse("not_configured", `${field} ${rule}`, { field });
}
