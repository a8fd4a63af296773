import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CallOptions, callModel } from "../../src/agents/models/calling.ts";
import { openAiCompatible } from "../../src/agents/models/openai-compatible.ts";
import { ModelServer } from "../support/model-server.ts";

const LIMITS = { first_chunk_ms: 1_000, chunk_ms: 1_000, step_ms: 10_000, max_retries: 2 };

let server: ModelServer;

beforeAll(async () => {
  server = await ModelServer.start();
});

afterAll(() => server.stop());

function call(model: string, more: Partial<CallOptions> = {}) {
  return callModel(
    openAiCompatible({ base_url: server.base_url, model, api_key: "sk-1" }, { fetch, now: Date.now }),
    { messages: [{ role: "user", content: `ask ${model}` }] },
    {
      signal: new AbortController().signal,
      clock: { now: Date.now, timer: realTimer },
      random: () => 0,
      limits: LIMITS,
      onDelta: () => true,
      ...more,
    },
  );
}

function realTimer(ms: number, due: () => void): () => void {
  const timer = setTimeout(due, ms);
  return () => clearTimeout(timer);
}

describe("a model server over HTTP", () => {
  test("[O15] answers over TCP as it does in memory, and writes down what it was asked", async () => {
    expect(await call("fast")).toMatchObject({
      status: "ok",
      text: "Hello, world.",
      usage: { total_tokens: 19 },
    });
    const asked = server.requests.at(-1);
    expect(asked).toMatchObject({ path: "/v1/chat/completions", model: "fast", aborted: false, ended: true });
    expect(asked?.headers.authorization).toBe("Bearer sk-1");
  });

  test("[O15] 200 deltas, a slow answer and one after two refusals come through", async () => {
    const [many, slow, late] = await Promise.all([
      call("deltas:200"),
      call("slow:5:10"),
      call("rate-limited:2:0"),
    ]);
    expect(many).toMatchObject({ status: "ok", text: expect.stringMatching(/^word0 .*word199 $/) });
    expect(slow).toMatchObject({ status: "ok", text: expect.stringMatching(/word9 $/) });
    expect(late).toMatchObject({ status: "ok", text: "Hello, world." });
    expect(server.requests.filter(({ model }) => model === "rate-limited:2:0")).toHaveLength(3);
  });

  test("[O5] [O15] a socket that is destroyed in the middle is a cut, and the text is kept", async () => {
    expect(await call("cut:2")).toMatchObject({
      status: "error",
      error: { code: "model_stream_cut" },
      text: "Hello, ",
    });
    expect(server.requests.at(-1)?.aborted).toBe(false);
  });

  test("[O7] [O15] one that is destroyed before a word is tried again", async () => {
    expect(await call("cut-once")).toMatchObject({ status: "ok", text: "Hello, world." });
  });

  test("[O10] [O15] a line without end is hung up on", async () => {
    expect(await call("huge:33554432")).toMatchObject({ error: { code: "model_bad_response" } });
    await expect
      .poll(() => server.requests.find(({ model }) => model.startsWith("huge"))?.aborted)
      .toBe(true);
  });

  test.each(["stall", "hang"])("[O6] [O15] a run that ends hangs up: %s", async (model) => {
    const run = new AbortController();
    const outcome = call(model, {
      signal: run.signal,
      limits: { ...LIMITS, first_chunk_ms: 9_000, chunk_ms: 9_000 },
    });
    await expect.poll(() => server.requests.some((each) => each.model === model)).toBe(true);
    run.abort();
    expect(await outcome).toMatchObject({ error: { code: "cancelled" } });
    await expect.poll(() => server.requests.find((each) => each.model === model)?.aborted).toBe(true);
  });

  test("[O15] who is not there is unavailable", async () => {
    const gone = await ModelServer.start();
    const model = openAiCompatible({ base_url: gone.base_url, model: "fast" }, { fetch, now: Date.now });
    await gone.stop();
    const parts = model.stream({ messages: [] }, { signal: new AbortController().signal });
    await expect(parts[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "model_unavailable" });
  });
});
