import { describe, expect, test } from "vitest";
import { type AiBinding, workersAi } from "../../../src/agents/models/workers-ai.ts";
import { ModelFetch } from "../../support/model-fetch.ts";
import {
  CLOSE,
  CUT,
  DONE,
  data,
  finish,
  HANG,
  open,
  type Script,
  stream,
  texts,
  toolPiece,
} from "../../support/model-script.ts";
import { ask, failureOf, LOOKUP, partsOf, textOf } from "./support.ts";

const MODEL = "@cf/meta/llama-4";

/** A binding that plays a script, gives a value, or throws. */
function bound(does: { script: Script } | { value: unknown } | { throws: Error }, gateway?: string) {
  const calls: { model: string; inputs: any; options: any }[] = [];
  const server = new ModelFetch("script" in does ? does.script : undefined);
  const binding: AiBinding = {
    async run(model, inputs, options) {
      calls.push({ model, inputs, options });
      if ("throws" in does) throw does.throws;
      if ("value" in does) return does.value;
      const { signal } = options;
      const { body } = await server.fetch("https://binding", { body: "{}", ...(signal && { signal }) });
      return body;
    },
  };
  const model = workersAi(binding, { model: MODEL, ...(gateway !== undefined && { gateway }) });
  return { model, calls, server };
}

const USED = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };

describe("Workers AI", () => {
  test("[O14] the older form: responses, usage, the end", async () => {
    const script = stream(
      data({ response: "The answer is " }),
      // A token that is a number comes as one.
      data({ response: 42 }),
      data({ response: "", usage: USED }),
      DONE,
    );
    const { model, calls } = bound({ script });
    expect(await partsOf(model, ask("hi", { max_output_tokens: 64, tools: [LOOKUP] }))).toEqual([
      { type: "text", delta: "The answer is " },
      { type: "text", delta: "42" },
      {
        type: "finish",
        finish_reason: "stop",
        usage: { provider: "workers-ai", model: MODEL, input_tokens: 5, output_tokens: 3, total_tokens: 8 },
      },
    ]);
    expect(calls).toEqual([
      {
        model: MODEL,
        inputs: {
          messages: [{ role: "user", content: "hi" }],
          tools: [{ type: "function", function: LOOKUP }],
          max_tokens: 64,
          stream: true,
        },
        options: { signal: expect.any(AbortSignal) },
      },
    ]);
  });

  test("[O14] the newer form is that of chat completions", async () => {
    const script = stream(
      ...texts(["Hello"]),
      toolPiece(0, { id: "a", name: "lookup", args: '{"n":' }),
      toolPiece(0, { args: "1}" }),
      ...finish("tool_calls"),
    );
    const parts = await partsOf(bound({ script }).model);
    expect(textOf(parts)).toBe("Hello");
    expect(parts.slice(-2)).toEqual([
      { type: "tool_call", tool_call_id: "a", tool_name: "lookup", args_text: '{"n":1}' },
      { type: "finish", finish_reason: "tool-calls", usage: expect.objectContaining({ input_tokens: 12 }) },
    ]);
  });

  test("[O14] tool calls of the older form have no ids, and arguments that are objects", async () => {
    const tool_calls = [
      { name: "lookup", arguments: { n: 1 } },
      { name: "lookup", arguments: { n: 2 } },
    ];
    const parts = await partsOf(bound({ script: stream(data({ response: null, tool_calls }), DONE) }).model);
    expect(parts).toEqual([
      { type: "tool_call_piece", chars: 13 },
      { type: "tool_call_piece", chars: 13 },
      { type: "tool_call", tool_call_id: "call_0", tool_name: "lookup", args_text: '{"n":1}' },
      { type: "tool_call", tool_call_id: "call_1", tool_name: "lookup", args_text: '{"n":2}' },
      { type: "finish", finish_reason: "tool-calls", usage: undefined },
    ]);
  });

  test("[O14] a model that does not stream answers in one piece", async () => {
    const value = { response: "Hello", tool_calls: [], usage: USED };
    const parts = await partsOf(bound({ value }).model);
    expect(textOf(parts)).toBe("Hello");
    expect(parts.at(-1)).toMatchObject({ finish_reason: "stop", usage: { total_tokens: 8 } });
  });

  test("[O14] calls go through the gateway that is named", async () => {
    const { model, calls } = bound({ value: { response: "x" } }, "my-gateway");
    await partsOf(model);
    expect(calls[0]?.options).toMatchObject({ gateway: { id: "my-gateway" } });
  });

  test.each([
    ["3040: Capacity temporarily exceeded, please try again.", "model_unavailable", true],
    ["InferenceUpstreamError: 3007: request timeout", "model_unavailable", true],
    ["3036: you have used up your daily free allocation of 10,000 neurons", "model_quota_exhausted", false],
    ["3006: Request is too large", "model_context_exceeded", false],
    [
      "AiError: 5021: The estimated number of tokens exceeded this model context window limit",
      "model_context_exceeded",
      false,
    ],
    ["5007: No such model @cf/x or task", "model_refused", false],
    ["Network connection lost.", "model_unavailable", true],
  ])("[O14] %s is %s", async (message, code, retryable) => {
    const { failure } = await failureOf(bound({ throws: new Error(message) }).model);
    expect(failure).toMatchObject({ code, retryable });
    expect(JSON.stringify([failure.message, failure.cause])).not.toContain("neurons");
  });

  test("[O14] a stream that is cut, or says something else, is a failure", async () => {
    const said = [...open(), data({ response: "Hel" })];
    expect((await failureOf(bound({ script: [...said, CUT] }).model)).failure.code).toBe("model_stream_cut");
    expect((await failureOf(bound({ script: [...said, CLOSE] }).model)).failure.code).toBe(
      "model_stream_cut",
    );
    expect((await failureOf(bound({ value: "hello" }).model)).failure.code).toBe("model_bad_response");
    expect((await failureOf(bound({ value: {} }).model)).failure.code).toBe("model_bad_response");
  });

  test("[O6] [O14] aborting cancels the stream of the binding", async () => {
    const { model, server } = bound({ script: [...open(), data({ response: "Hel" }), HANG] });
    const run = new AbortController();
    const parts = model.stream(ask("hi"), { signal: run.signal })[Symbol.asyncIterator]();
    await parts.next();
    const waiting = parts.next();
    run.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
    expect(server.last.cancelled).toBe(true);
  });

  test("[O14] the platform's own binding is one", () => {
    const platform = (ai: Ai) => workersAi(ai, { model: MODEL });
    expect(platform).toBeTypeOf("function");
  });
});
