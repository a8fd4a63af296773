import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, type LanguageModelV4StreamPart, LoadAPIKeyError } from "@ai-sdk/provider";
import { convertArrayToReadableStream, MockLanguageModelV4 } from "ai/test";
import { describe, expect, test } from "vitest";
import { aiSdkModel } from "../../../src/agents/models/ai-sdk.ts";
import { ModelFetch } from "../../support/model-fetch.ts";
import type { Script } from "../../support/model-script.ts";
import { ask, BASE_URL, failureOf, LOOKUP, NOW, partsOf, textOf } from "./support.ts";

const PORTS = { now: () => NOW };

const USAGE = {
  inputTokens: { total: 12, noCache: 7, cacheRead: 4, cacheWrite: 1 },
  outputTokens: { total: 7, text: 5, reasoning: 2 },
};

function finish(unified = "stop", usage: object = USAGE): LanguageModelV4StreamPart {
  return { type: "finish", finishReason: { unified, raw: unified }, usage } as never;
}

function mock(...parts: LanguageModelV4StreamPart[]) {
  const provider = new MockLanguageModelV4({
    provider: "mock",
    modelId: "m",
    doStream: async () => ({ stream: convertArrayToReadableStream(parts) }),
  });
  return { provider, model: aiSdkModel(provider, PORTS) };
}

/** The real provider for OpenAI's form, at our server. */
function real(behaviour: string, script?: Script) {
  const server = new ModelFetch(script);
  const provider = createOpenAICompatible({
    name: "served",
    baseURL: BASE_URL,
    apiKey: "sk-1",
    includeUsage: true,
    fetch: ((url: string, init: RequestInit) => server.fetch(url, init)) as never,
  });
  return { server, model: aiSdkModel(provider(behaviour), PORTS) };
}

describe("a provider of the AI SDK", () => {
  test("[O13] its parts are ours; what means nothing here is passed over", async () => {
    const { model } = mock(
      { type: "stream-start", warnings: [] },
      { type: "response-metadata", id: "r1" },
      { type: "raw", rawValue: { any: "thing" } },
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta: "Hm." },
      { type: "reasoning-end", id: "0" },
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", delta: "Hel" },
      { type: "text-delta", id: "1", delta: "" },
      { type: "text-delta", id: "1", delta: "lo" },
      { type: "text-end", id: "1" },
      { type: "source", sourceType: "url", id: "s", url: "https://x.example" },
      { type: "tool-input-start", id: "c", toolName: "lookup" },
      { type: "tool-input-delta", id: "c", delta: '{"n":1}' },
      { type: "tool-input-end", id: "c" },
      { type: "tool-call", toolCallId: "c", toolName: "lookup", input: '{"n":1}' },
      { type: "tool-call", toolCallId: "d", toolName: "search", input: "{}", providerExecuted: true },
      finish("tool-calls"),
    );
    expect(await partsOf(model)).toEqual([
      { type: "reasoning", delta: "Hm." },
      { type: "text", delta: "Hel" },
      { type: "text", delta: "lo" },
      { type: "tool_call_piece", chars: 0 },
      { type: "tool_call_piece", chars: 7 },
      { type: "tool_call", tool_call_id: "c", tool_name: "lookup", args_text: '{"n":1}' },
      {
        type: "finish",
        finish_reason: "tool-calls",
        usage: {
          provider: "mock",
          model: "m",
          input_tokens: 12,
          output_tokens: 7,
          total_tokens: 19,
          reasoning_tokens: 2,
          cached_input_tokens: 4,
          cache_write_input_tokens: 1,
        },
      },
    ]);
  });

  test("[O13] our messages are its prompt, the results of one answer's calls in one message", async () => {
    const { provider, model } = mock(finish());
    const result = (tool_call_id: string) =>
      ({ role: "tool", tool_call_id, tool_name: "lookup", content: "7" }) as const;
    await partsOf(model, {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: "Looking.",
          tool_calls: [
            { tool_call_id: "a", tool_name: "lookup", args_text: '{"n":1}' },
            { tool_call_id: "b", tool_name: "lookup", args_text: "not JSON" },
          ],
        },
        result("a"),
        result("b"),
        { role: "assistant", content: "Seven." },
      ],
      tools: [LOOKUP],
      tool_choice: "required",
      max_output_tokens: 9,
      temperature: 0.5,
    });
    const output = { type: "text", value: "7" };
    expect(provider.doStreamCalls).toEqual([
      {
        prompt: [
          { role: "system", content: "Be brief." },
          { role: "user", content: [{ type: "text", text: "hi" }] },
          {
            role: "assistant",
            content: [
              { type: "text", text: "Looking." },
              { type: "tool-call", toolCallId: "a", toolName: "lookup", input: { n: 1 } },
              { type: "tool-call", toolCallId: "b", toolName: "lookup", input: {} },
            ],
          },
          {
            role: "tool",
            content: [
              { type: "tool-result", toolCallId: "a", toolName: "lookup", output },
              { type: "tool-result", toolCallId: "b", toolName: "lookup", output },
            ],
          },
          { role: "assistant", content: [{ type: "text", text: "Seven." }] },
        ],
        tools: [
          {
            type: "function",
            name: "lookup",
            description: LOOKUP.description,
            inputSchema: LOOKUP.parameters,
          },
        ],
        toolChoice: { type: "required" },
        maxOutputTokens: 9,
        temperature: 0.5,
        abortSignal: expect.any(AbortSignal),
      },
    ]);
  });

  test("[O13] usage that is not there is not made up here", async () => {
    const nothing = { inputTokens: { total: undefined }, outputTokens: { total: undefined } };
    expect(await partsOf(mock(finish("content-filter", nothing)).model)).toEqual([
      { type: "finish", finish_reason: "content-filter", usage: undefined },
    ]);
  });

  test.each([
    [finish("interrupted"), "model_stream_cut"],
    [finish("error"), "model_unavailable"],
    [{ type: "error", error: "overloaded" } as const, "model_unavailable"],
    [
      { type: "error", error: { type: "rate_limit_error", message: "secret" } } as const,
      "model_rate_limited",
    ],
    [
      { type: "error", error: { data: { error: { code: "insufficient_quota" } } } } as const,
      "model_quota_exhausted",
    ],
    [{ type: "text-delta", id: "1", delta: 7 } as never, "model_bad_response"],
    [{ type: "tool-call", toolName: "lookup", input: "{}" } as never, "model_bad_response"],
  ])("[O13] %j is %s", async (part, code) => {
    const { failure } = await failureOf(mock(part, finish()).model);
    expect(failure).toMatchObject({ code });
  });

  test("[O5] [O13] a stream that ends without a finish was cut", async () => {
    const { failure, parts } = await failureOf(mock({ type: "text-delta", id: "1", delta: "Hel" }).model);
    expect(textOf(parts)).toBe("Hel");
    expect(failure.code).toBe("model_stream_cut");
  });

  test("[O13] what the SDK throws is told by its status and headers", async () => {
    const thrown = new APICallError({
      message: "secret",
      url: BASE_URL,
      requestBodyValues: {},
      statusCode: 429,
      responseHeaders: { "retry-after": "3" },
    });
    const provider = new MockLanguageModelV4({ doStream: () => Promise.reject(thrown) });
    const { failure } = await failureOf(aiSdkModel(provider, PORTS));
    expect(failure).toMatchObject({ code: "model_rate_limited", retry_after_ms: 3_000, status: 429 });
  });

  test("[O13] what the SDK itself refuses is told by the name of its error", async () => {
    const thrown = new LoadAPIKeyError({ message: "secret" });
    const provider = new MockLanguageModelV4({ doStream: () => Promise.reject(thrown) });
    const { failure } = await failureOf(aiSdkModel(provider, PORTS));
    expect(failure).toMatchObject({ code: "model_refused", provider_code: "AI_LoadAPIKeyError" });
    expect(failure.cause).toBeUndefined();
  });

  test("[O6] [O13] aborting cancels its stream at once, and nothing is asked before it is wanted", async () => {
    const { server, model } = real("stall");
    const run = new AbortController();
    const parts = model.stream(ask("hi"), { signal: run.signal })[Symbol.asyncIterator]();
    expect(server.requests).toHaveLength(0);
    await parts.next();
    await parts.next();
    const waiting = parts.next();
    run.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
    expect(server.last.cancelled).toBe(true);
  });
});

describe("the real openai-compatible provider", () => {
  test.each(["fast", "crlf", "keep-alive", "no-done"])("[O13] %s is an answer", async (behaviour) => {
    const parts = await partsOf(real(behaviour).model);
    expect(textOf(parts)).toBe("Hello, world.");
    expect(parts.at(-1)).toEqual({
      type: "finish",
      finish_reason: "stop",
      usage: {
        provider: "served.chat",
        model: behaviour,
        input_tokens: 12,
        output_tokens: 7,
        total_tokens: 19,
        reasoning_tokens: 2,
        cached_input_tokens: 4,
      },
    });
  });

  test("[O13] reasoning and parallel tool calls come through", async () => {
    expect((await partsOf(real("reasoning").model))[0]).toEqual({ type: "reasoning", delta: "Let me see." });
    const parts = await partsOf(real("tools:2").model, ask("hi", { tools: [LOOKUP] }));
    expect(parts.filter(({ type }) => type !== "tool_call_piece")).toEqual([
      { type: "tool_call", tool_call_id: "call_0_x", tool_name: "lookup", args_text: '{"n":0}' },
      { type: "tool_call", tool_call_id: "call_1_x", tool_name: "lookup", args_text: '{"n":1}' },
      expect.objectContaining({ type: "finish", finish_reason: "tool-calls" }),
    ]);
  });

  test("[O13] a conversation with calls and results is taken", async () => {
    const { server, model } = real("tools:1");
    const parts = await partsOf(model, {
      messages: [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: "",
          tool_calls: [{ tool_call_id: "a", tool_name: "lookup", args_text: "{}" }],
        },
        { role: "tool", tool_call_id: "a", tool_name: "lookup", content: "7" },
      ],
    });
    expect(textOf(parts)).toBe("1 results.");
    expect(server.last.body.messages.at(-1)).toMatchObject({ role: "tool", tool_call_id: "a", content: "7" });
  });

  test.each([
    ["error:503:x", "model_unavailable", 503],
    ["rate-limited:9:4", "model_rate_limited", 429],
    ["error:401:invalid_api_key", "model_refused", 401],
    ["error:429:insufficient_quota", "model_quota_exhausted", 429],
    ["error:400:context_length_exceeded", "model_context_exceeded", 400],
  ])("[O13] %s is %s", async (behaviour, code, status) => {
    const { failure } = await failureOf(real(behaviour).model);
    expect(failure).toMatchObject({ code, status });
    expect(JSON.stringify([failure.message, { ...failure }])).not.toMatch(/secret|sk-1|https:/);
  });

  test.each([
    ["cut:2", "model_stream_cut"],
    ["no-finish", "model_stream_cut"],
    ["garbage", "model_bad_response"],
    ["stream-error:after", "model_unavailable"],
  ])("[O13] %s is %s, and what came before stays", async (behaviour, code) => {
    const { failure, parts } = await failureOf(real(behaviour).model);
    expect(textOf(parts)).toMatch(/^Hel/);
    expect(failure.code).toBe(code);
  });
});
