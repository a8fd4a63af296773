/** Asking a model of ours in a test. */
import type { ModelFailure } from "../../../src/agents/models/failure.ts";
import type { Model, ModelPart, ModelRequest } from "../../../src/agents/models/model.ts";
import { type OpenAiSettings, openAiCompatible } from "../../../src/agents/models/openai-compatible.ts";
import { ModelFetch } from "../../support/model-fetch.ts";
import type { Script } from "../../support/model-script.ts";

export const NOW = Date.parse("2026-01-01T00:00:00.000Z");
export const BASE_URL = "https://models.example/v1";

export const LOOKUP = {
  name: "lookup",
  description: "looks something up",
  parameters: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
};

export function ask(content: string, more: Partial<ModelRequest> = {}): ModelRequest {
  return { messages: [{ role: "user", content }], ...more };
}

/** A model at a server that does what `script` says or, without one, what it is asked for. */
export function served(settings: Partial<OpenAiSettings> = {}, script?: Script) {
  const server = new ModelFetch(script);
  const model = openAiCompatible(
    { base_url: BASE_URL, model: "fake", ...settings },
    { fetch: server.fetch, now: () => NOW },
  );
  return { server, model };
}

export async function partsOf(model: Model, request: ModelRequest = ask("hi")): Promise<ModelPart[]> {
  const parts: ModelPart[] = [];
  for await (const part of model.stream(request, { signal: new AbortController().signal })) parts.push(part);
  return parts;
}

/** What the call throws, and the parts that came before. */
export async function failureOf(model: Model, request: ModelRequest = ask("hi")) {
  const parts: ModelPart[] = [];
  try {
    for await (const part of model.stream(request, { signal: new AbortController().signal }))
      parts.push(part);
  } catch (cause) {
    return { parts, failure: cause as ModelFailure };
  }
  throw new Error("the call did not fail");
}

export function textOf(parts: readonly ModelPart[]): string {
  return parts.map((part) => (part.type === "text" ? part.delta : "")).join("");
}
