import { describe, expect, test } from "vitest";
import { callModel } from "../../../src/agents/models/calling.ts";
import type { ModelFailure } from "../../../src/agents/models/failure.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  CLOSE,
  CUT,
  chunk,
  DONE,
  data,
  finish,
  head,
  open,
  pause,
  stream,
  texts,
  toolPiece,
  USAGE,
} from "../../support/model-script.ts";
import { ask, BASE_URL, failureOf, LOOKUP, partsOf, served, textOf } from "./support.ts";

const FINISH = {
  type: "finish",
  finish_reason: "stop",
  usage: {
    provider: "models.example",
    model: "fake",
    input_tokens: 12,
    output_tokens: 7,
    total_tokens: 19,
    reasoning_tokens: 2,
    cached_input_tokens: 4,
  },
};

describe("what is asked", () => {
  test("[O1] a request has the messages, the tools and the usage that is wanted", async () => {
    const { server, model } = served({ api_key: "sk-1", headers: { "X-Title": "t" } });
    const call = { tool_call_id: "c1", tool_name: "lookup", args_text: '{"n":1}' };
    await partsOf(model, {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hi" },
        { role: "assistant", content: "", tool_calls: [call] },
        { role: "tool", tool_call_id: "c1", tool_name: "lookup", content: "7" },
      ],
      tools: [LOOKUP],
      tool_choice: "required",
      max_output_tokens: 100,
      temperature: 0,
    });
    expect(server.last.url).toBe(`${BASE_URL}/chat/completions`);
    expect(server.last.headers.get("authorization")).toBe("Bearer sk-1");
    expect(server.last.headers.get("x-title")).toBe("t");
    expect(server.last.body).toEqual({
      model: "fake",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: "",
          tool_calls: [{ id: "c1", type: "function", function: { name: "lookup", arguments: '{"n":1}' } }],
        },
        { role: "tool", tool_call_id: "c1", name: "lookup", content: "7" },
      ],
      tools: [{ type: "function", function: LOOKUP }],
      tool_choice: "required",
      max_tokens: 100,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test("[O1] what was not asked for is left out, and a query of the address is kept", async () => {
    const { server, model } = served({
      base_url: "https://azure.example/openai/?api-version=1",
      include_usage: false,
      max_tokens_field: "max_completion_tokens",
    });
    await partsOf(model, ask("hi", { tools: [], tool_choice: "auto", max_output_tokens: 5 }));
    expect(server.last.url).toBe("https://azure.example/openai/chat/completions?api-version=1");
    expect(server.last.headers.has("authorization")).toBe(false);
    expect(Object.keys(server.last.body)).toEqual(["model", "messages", "max_completion_tokens", "stream"]);
  });

  test("[O1] headers of the settings win over our own, however they are spelled", async () => {
    const { server, model } = served({
      api_key: "sk-1",
      headers: { authorization: "Basic x", "api-key": "y" },
    });
    await partsOf(model);
    expect(server.last.headers.get("authorization")).toBe("Basic x");
    expect(server.last.headers.get("api-key")).toBe("y");
  });

  test("[O11] a redirect is not followed, so that the key stays where it belongs", async () => {
    const { server, model } = served({ model: "redirect", api_key: "sk-1" });
    const { failure } = await failureOf(model);
    expect(server.last.redirect).toBe("manual");
    expect(server.requests).toHaveLength(1);
    expect(failure).toMatchObject({ code: "model_refused", status: 302, retryable: false });
  });

  test("[O11] an address that is none is known at once", () => {
    expect(() => served({ base_url: "models.example" })).toThrow(TypeError);
  });

  test.each([{ api_key: "sk\n1" }, { headers: { "no name": "x" } }])(
    "[O11] what cannot be sent as a header is known at once, and not taken for a server that is away: %j",
    (settings) => {
      expect(() => served(settings)).toThrow(TypeError);
    },
  );

  test("[O4] a question that is no JSON is a bug, with its cause, and not a server that is away", async () => {
    const failures: ModelFailure[] = [];
    const { server, model } = served();
    const request = { ...ask("hi"), temperature: 1n as never };
    const outcome = await callModel(model, request, {
      signal: new AbortController().signal,
      clock: new FakeClock(),
      random: () => 0,
      limits: { first_chunk_ms: 1_000, chunk_ms: 1_000, step_ms: 1_000, max_retries: 2 },
      onDelta: () => undefined,
      onFailure: (failure) => failures.push(failure),
    });
    expect(outcome).toMatchObject({ error: { code: "model_failed" } });
    expect(failures.map(({ cause }) => cause)).toEqual([expect.any(TypeError)]);
    expect(server.requests).toEqual([]);
  });
});

describe("what is answered", () => {
  test("[O1] text comes in its deltas, then exactly one finish with the usage", async () => {
    expect(await partsOf(served().model)).toEqual([
      { type: "text", delta: "Hello" },
      { type: "text", delta: ", " },
      { type: "text", delta: "world." },
      FINISH,
    ]);
  });

  test.each(["crlf", "keep-alive:5", "no-done", "whole"])("[O3] %s makes no difference", async (model) => {
    const parts = await partsOf(served({ model, provider: "p" }).model);
    expect(textOf(parts)).toBe("Hello, world.");
    expect(parts.at(-1)).toEqual({ ...FINISH, usage: { ...FINISH.usage, provider: "p", model } });
  });

  test("[O3] an end that is announced needs no reason", async () => {
    expect((await partsOf(served({ model: "no-reason" }).model)).at(-1)).toEqual({
      type: "finish",
      finish_reason: "stop",
      usage: undefined,
    });
  });

  test.each([
    ["stop", "stop"],
    ["length", "length"],
    ["tool_calls", "tool-calls"],
    ["function_call", "tool-calls"],
    ["content_filter", "content-filter"],
    ["a word of 2031", "other"],
  ])("[O3] the finish reason %s is %s", async (said, finish_reason) => {
    const parts = await partsOf(served({}, stream(...texts(["x"]), ...finish(said))).model);
    expect(parts.at(-1)).toMatchObject({ type: "finish", finish_reason });
  });

  test("[O3] reasoning comes under either name, and apart from the text", async () => {
    const script = stream(
      data(chunk({ reasoning_content: "Let " })),
      data(chunk({ reasoning: "me see.", content: "" })),
      ...texts(["42"]),
      ...finish(),
    );
    expect((await partsOf(served({}, script).model)).slice(0, -1)).toEqual([
      { type: "reasoning", delta: "Let " },
      { type: "reasoning", delta: "me see." },
      { type: "text", delta: "42" },
    ]);
  });

  test("[O3] content may be a list of parts", async () => {
    const content = [
      { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
      { type: "text", text: "Four" },
      { type: "reference", reference_ids: [1] },
    ];
    expect(
      (await partsOf(served({}, stream(data(chunk({ content })), ...finish())).model)).slice(0, -1),
    ).toEqual([
      { type: "reasoning", delta: "Hm." },
      { type: "text", delta: "Four" },
    ]);
  });

  test("[O3] a refusal is what the model says", async () => {
    const script = stream(data(chunk({ content: null, refusal: "I will not." })), ...finish());
    expect(textOf(await partsOf(served({}, script).model))).toBe("I will not.");
  });

  test("[O3] chunks that say nothing, and events of other kinds, are nothing", async () => {
    const script = stream(
      data(chunk({ role: "assistant", content: null, tool_calls: null })),
      data({}),
      data({ choices: null, usage: null, error: null }),
      { send: "event: ping\ndata: {}\n\nid: 7\nretry: 3\n\n" },
      ...texts(["x"]),
      data({ choices: [{ index: 1, delta: { content: "another answer" } }] }),
      data({ choices: [{ finish_reason: "stop" }], usage: { prompt_tokens: -1, completion_tokens: "many" } }),
      DONE,
    );
    expect(await partsOf(served({}, script).model)).toEqual([
      { type: "text", delta: "x" },
      { type: "finish", finish_reason: "stop", usage: undefined },
    ]);
  });

  test.each([
    "data:\n\n",
    "data: \n\n",
    "event: ping\ndata: 2026-01-01T00:00:00Z\n\n",
    "event: keep-alive\ndata:\n\n",
    "data: ping\n\n",
    "data: heartbeat\n\n",
  ])("[O3] an event that only keeps the connection open is nothing: %j", async (send) => {
    const script = stream({ send }, ...texts(["x"]), { send }, ...finish());
    expect(textOf(await partsOf(served({}, script).model))).toBe("x");
  });

  test.each([
    ["an error object", data({ error: { code: 500, message: "secret" } })],
    ["something that is no JSON", { send: "data: {\n\n" }],
    ["another shape", data({ choices: 3 })],
  ])("[O3] %s after the finish reason has taken nothing away", async (_, step) => {
    const script = stream(...texts(["x"]), data({ ...chunk({}, "stop"), usage: USAGE }), step, DONE);
    const parts = await partsOf(served({}, script).model);
    expect(textOf(parts)).toBe("x");
    expect(parts.at(-1)).toEqual(FINISH);
  });

  test("[O3] characters and lines may be cut anywhere between two chunks", async () => {
    const bytes = new TextEncoder().encode(`data: ${JSON.stringify(chunk({ content: "Grüße 🙂" }))}\r\n\r\n`);
    const each = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.enqueue(new TextEncoder().encode("data: [DONE]"));
        controller.close();
      },
    });
    const { openAiCompatible } = await import("../../../src/agents/models/openai-compatible.ts");
    const model = openAiCompatible(
      { base_url: BASE_URL, model: "m" },
      { fetch: async () => new Response(each), now: () => 0 },
    );
    expect(textOf(await partsOf(model))).toBe("Grüße 🙂");
  });
});

describe("what goes wrong", () => {
  test.each([
    [429, "rate_limit_exceeded", "model_rate_limited", true],
    [429, "insufficient_quota", "model_quota_exhausted", false],
    [402, "", "model_quota_exhausted", false],
    [400, "context_length_exceeded", "model_context_exceeded", false],
    [413, "", "model_context_exceeded", false],
    [400, "invalid_request_error", "model_refused", false],
    [401, "invalid_api_key", "model_refused", false],
    [403, "", "model_refused", false],
    [404, "model_not_found", "model_refused", false],
    [408, "", "model_unavailable", true],
    [409, "", "model_unavailable", true],
    [500, "server_error", "model_unavailable", true],
    [503, "", "model_unavailable", true],
    [529, "overloaded", "model_unavailable", true],
  ])("[O4] %i %s is %s", async (status, said, code, retryable) => {
    const { failure, parts } = await failureOf(served({ model: `error:${status}:${said}` }).model);
    expect(parts).toEqual([]);
    expect(failure).toMatchObject({ name: "ModelFailure", code, retryable, status });
  });

  test("[O4] nothing the provider says, no address and no key gets into the failure", async () => {
    const asked = [
      served({ model: "error:401:invalid_api_key", api_key: "sk-1" }),
      served({ model: "stream-error" }),
      served({}, [head(200), ...texts(["x"]), CUT]),
      served({ model: "error:400:Incorrect API key sk-1 at https://x" }),
    ];
    for (const { model } of asked) {
      const { failure } = await failureOf(model);
      const all = JSON.stringify([failure.message, { ...failure }, String(failure.cause)]);
      expect(all).not.toMatch(/secret|sk-1|https:/);
    }
  });

  test.each([
    [{ "Retry-After": "2" }, 2_000],
    [{ "Retry-After": "0.5" }, 500],
    [{ "Retry-After": "Thu, 01 Jan 2026 00:00:30 GMT" }, 30_000],
    [{ "Retry-After": "Thu, 01 Jan 2015 00:00:30 GMT" }, 0],
    [{ "Retry-After": "9", "Retry-After-Ms": "250" }, 250],
    [{ "Retry-After": "soon" }, undefined],
    [{}, undefined],
  ])("[O7] %j asks for %s ms", async (headers, ms) => {
    const { failure } = await failureOf(served({}, [head(429, headers as never), CLOSE]).model);
    expect(failure).toMatchObject({ code: "model_rate_limited", retry_after_ms: ms });
  });

  test("[O4] an error object in the stream is a failure, and what came before stays", async () => {
    const { failure, parts } = await failureOf(served({ model: "stream-error:after" }).model);
    expect(textOf(parts)).toBe("Hel");
    expect(failure).toMatchObject({ code: "model_unavailable", status: 502, provider_code: "server_error" });
  });

  test.each([
    [{ code: 429 }, "model_rate_limited"],
    [{ type: "rate_limit_error" }, "model_rate_limited"],
    [{ type: "overloaded_error" }, "model_unavailable"],
    [{ type: "invalid_request_error" }, "model_refused"],
    ["out of memory", "model_unavailable"],
  ])("[O4] the error object %j is %s", async (error, code) => {
    const { failure } = await failureOf(served({}, stream(data({ error }))).model);
    expect(failure).toMatchObject({ code });
  });

  const vllm = {
    message: "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens.",
    type: "BadRequestError",
    param: null,
    code: 400,
  };

  test.each([
    ["vLLM", { error: vllm }],
    ["vLLM, before 0.10", { object: "error", ...vllm }],
    ["Ollama", { error: "the input is too long for the context window" }],
    [
      "llama.cpp",
      { error: { code: 400, message: "too large for the slot", type: "exceed_context_size_error" } },
    ],
    ["Anthropic", { error: { type: "invalid_request_error", message: "prompt is too long: 9 tokens > 8" } }],
  ])("[O4] a request that is too long is told as that, in the words of %s", async (_, body) => {
    const script = [head(400), { send: JSON.stringify(body) }, CLOSE];
    const { failure } = await failureOf(served({}, script).model);
    expect(failure).toMatchObject({ code: "model_context_exceeded", status: 400 });
    expect(JSON.stringify([failure.message, { ...failure }])).not.toMatch(/4096|too long:|However/);
  });

  test("[O4] words change nothing where the status says something else", async () => {
    const body = JSON.stringify({ error: { message: "beyond the context window of what we serve" } });
    const codeAt = async (status: number) =>
      (await failureOf(served({}, [head(status), { send: body }, CLOSE]).model)).failure.code;
    expect(await codeAt(429)).toBe("model_rate_limited");
    expect(await codeAt(503)).toBe("model_unavailable");
  });

  test.each(["cut:2", "cut:0", "no-finish"])("[O5] %s is not taken for a whole answer", async (model) => {
    const { failure } = await failureOf(served({ model }).model);
    expect(failure).toMatchObject({ code: "model_stream_cut", retryable: true });
  });

  test("[O5] half an event at the end is a cut, not nonsense", async () => {
    const { failure } = await failureOf(served({}, [...open(), { send: 'data: {"choi' }, CLOSE]).model);
    expect(failure.code).toBe("model_stream_cut");
  });

  test("[O5] a tool call that was cut is not one", async () => {
    const script = [...open(), toolPiece(0, { id: "a", name: "lookup", args: '{"n":' }), CLOSE];
    const { failure, parts } = await failureOf(served({}, script).model);
    expect(parts).toEqual([{ type: "tool_call_piece", chars: 12 }]);
    expect(failure.code).toBe("model_stream_cut");
  });

  test("[O5] a connection that breaks after the finish reason has taken nothing away", async () => {
    const script = [...open(), ...texts(["x"]), data({ ...chunk({}, "stop"), usage: USAGE }), CUT];
    expect((await partsOf(served({}, script).model)).at(-1)).toEqual(FINISH);
  });

  test.each(["garbage", "html"])("[O4] %s is model_bad_response", async (model) => {
    const { failure } = await failureOf(served({ model }).model);
    expect(failure).toMatchObject({ code: "model_bad_response", retryable: false });
  });

  test.each([
    ["choices that are no list", data({ choices: 3 })],
    ["a chunk that is no object", data("hello")],
    [
      "a tool call without a name",
      data(chunk({ tool_calls: [{ index: 0, id: "a", function: { arguments: "{}" } }] }, "tool_calls")),
    ],
  ])("[O4] %s is model_bad_response", async (_, step) => {
    expect((await failureOf(served({}, stream(step, DONE)).model)).failure.code).toBe("model_bad_response");
  });

  test.each(["{}", "[]", "null", "", "{"])(
    "[O4] the answer %s in one piece is model_bad_response",
    async (body) => {
      const script = [head(200, { "Content-Type": "application/json" }), { send: body }, CLOSE];
      expect((await failureOf(served({}, script).model)).failure.code).toBe("model_bad_response");
    },
  );

  test("[O4] a network that is not there is model_unavailable", async () => {
    const { openAiCompatible } = await import("../../../src/agents/models/openai-compatible.ts");
    const fetch = () => Promise.reject(new TypeError("fetch failed: https://models.example"));
    const model = openAiCompatible({ base_url: BASE_URL, model: "m" }, { fetch, now: () => 0 });
    const { failure } = await failureOf(model);
    expect(failure).toMatchObject({
      code: "model_unavailable",
      message: "the model cannot be reached at the moment",
    });
  });
});

describe("how much is read", () => {
  test("[O10] a line over 1 MiB is refused, and not read to its end", async () => {
    const { server, model } = served({ model: "huge:4194304" });
    const { failure } = await failureOf(model);
    expect(failure.code).toBe("model_bad_response");
    expect(server.last.cancelled).toBe(true);
    expect(server.last.played).toBeLessThan(25);
  });

  test("[O10] one that comes in one piece is refused too, and one of half of that is taken", async () => {
    const line = (length: number) => served({}, stream(...texts(["x".repeat(length)]), ...finish())).model;
    expect((await failureOf(line(1_048_576))).failure.code).toBe("model_bad_response");
    expect(textOf(await partsOf(line(524_288)))).toHaveLength(524_288);
  });

  test("[O10] an answer in one piece has at most 4 MiB", async () => {
    const script = [
      head(200, { "Content-Type": "application/json" }),
      ...Array.from({ length: 80 }, () => ({ send: "x".repeat(65_536) })),
      CLOSE,
    ];
    const { server, model } = served({}, script);
    expect((await failureOf(model)).failure.code).toBe("model_bad_response");
    expect(server.last.cancelled).toBe(true);
  });

  test("[O10] arguments that never end are not kept in memory", async () => {
    const piece = toolPiece(0, { id: "a", name: "lookup", args: "x".repeat(65_536) });
    const { server, model } = served({}, [...open(), ...Array.from({ length: 200 }, () => piece), CLOSE]);
    const outcome = await callModel(model, ask("hi"), {
      signal: new AbortController().signal,
      clock: new FakeClock(),
      random: () => 0,
      limits: { first_chunk_ms: 1_000, chunk_ms: 1_000, step_ms: 1_000, max_retries: 0 },
      onDelta: () => undefined,
    });
    expect(outcome).toMatchObject({ status: "error", error: { code: "model_bad_response" } });
    expect(server.last.played).toBeLessThan(20);
  });

  test("[O10] of an error that never ends only the beginning is read", async () => {
    const script = [head(400), ...Array.from({ length: 100 }, () => ({ send: "x".repeat(4_096) })), CLOSE];
    const { server, model } = served({}, script);
    expect((await failureOf(model)).failure.code).toBe("model_refused");
    expect(server.last.played).toBeLessThan(10);
    expect(server.last.cancelled).toBe(true);
  });

  test("[O10] a server in trouble is not listened to", async () => {
    const { server, model } = served({}, [head(500), { send: "x" }, { end: "hang" }]);
    expect((await failureOf(model)).failure.code).toBe("model_unavailable");
    expect(server.last.cancelled).toBe(true);
  });

  test("[O6] nothing is asked before the first part is wanted, nothing read before the next one is", async () => {
    const { server, model } = served({ model: "deltas:200" });
    const parts = model.stream(ask("hi"), { signal: new AbortController().signal })[Symbol.asyncIterator]();
    expect(server.requests).toHaveLength(0);
    await parts.next();
    await parts.next();
    expect(server.last.played).toBeLessThanOrEqual(3);
    await parts.return?.();
    expect(server.last.cancelled).toBe(true);
  });

  test("[O6] aborting closes the stream at once, also while it is waited for", async () => {
    const { server, model } = served({ model: "stall" });
    const run = new AbortController();
    const parts = model.stream(ask("hi"), { signal: run.signal })[Symbol.asyncIterator]();
    await parts.next();
    await parts.next();
    const waiting = parts.next();
    run.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
    expect(server.last.cancelled).toBe(true);
  });

  test("[O6] aborting ends a call that has had no answer at all", async () => {
    const { model } = served({ model: "hang" });
    const run = new AbortController();
    const waiting = model.stream(ask("hi"), { signal: run.signal })[Symbol.asyncIterator]().next();
    run.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
  });

  test("[O6] after the last part the stream is closed, whether the server closes it or not", async () => {
    const { server, model } = served({}, [
      ...open(),
      ...texts(["x"]),
      ...finish(),
      pause(1),
      { end: "hang" },
    ]);
    await partsOf(model);
    expect(server.last.cancelled).toBe(true);
  });
});
