import { describe, expect, test } from "vitest";
import { type CallOptions, callModel, type Delta } from "../../../src/agents/models/calling.ts";
import { ModelFailure } from "../../../src/agents/models/failure.ts";
import { MAX_OUTPUT_CHARS } from "../../../src/agents/models/heard.ts";
import type { Model, ModelPart, ModelRequest } from "../../../src/agents/models/model.ts";
import { FakeClock, turn, until } from "../../support/fake-clock.ts";
import {
  CLOSE,
  DONE,
  data,
  finish,
  HANG,
  head,
  open,
  type Script,
  stream,
  texts,
} from "../../support/model-script.ts";
import { ask, LOOKUP, served } from "./support.ts";

const LIMITS = { first_chunk_ms: 10_000, chunk_ms: 5_000, step_ms: 30_000, max_retries: 2 };
const ENDS = { type: "finish", finish_reason: "stop", usage: undefined } as const;

/** A call under way, and everything a test may do to it. */
class Call {
  readonly clock: FakeClock;
  readonly run = new AbortController();
  readonly heard: Delta[] = [];
  readonly failures: ModelFailure[] = [];
  readonly outcome;
  over = false;

  constructor(model: Model, request: ModelRequest = ask("hi"), more: Partial<CallOptions> = {}) {
    this.clock = more.clock instanceof FakeClock ? more.clock : new FakeClock();
    this.outcome = callModel(model, request, {
      signal: this.run.signal,
      clock: this.clock,
      random: () => 0.5,
      limits: LIMITS,
      onDelta: (part) => {
        this.heard.push(part);
        return true;
      },
      onFailure: (failure) => this.failures.push(failure),
      ...more,
    }).finally(() => {
      this.over = true;
    });
  }

  get text(): string {
    return this.heard.map(({ delta }) => delta).join("");
  }

  /** The outcome, once everything that waits for time has been given it. */
  async ended() {
    while (!this.over) {
      for (let turns = 0; turns < 20; turns += 1) await turn();
      if (!this.over) this.clock.advance(this.clock.next_ms ?? 0);
    }
    return await this.outcome;
  }

  codes(): string[] {
    return this.failures.map(({ code }) => code);
  }
}

/** A model that is a list of parts; `stream` runs once for each attempt. */
function modelOf(
  stream: (context: { signal: AbortSignal }, attempt: number) => AsyncIterable<ModelPart>,
): Model {
  let attempts = 0;
  return {
    provider: "p",
    model_id: "m",
    stream: (_, context) => {
      attempts += 1;
      return stream(context, attempts);
    },
  };
}

async function* list(...parts: ModelPart[]): AsyncGenerator<ModelPart> {
  yield* parts;
}

describe("a call that succeeds", () => {
  test("[O1] has text, reasoning, calls, the reason it ended and usage, and leaves no timer", async () => {
    const call = new Call(served({ model: "reasoning" }).model);
    expect(await call.outcome).toEqual({
      status: "ok",
      text: "Hello, world.",
      reasoning: "Let me see.",
      tool_calls: [],
      finish_reason: "stop",
      usage: expect.objectContaining({ input_tokens: 12, output_tokens: 7, total_tokens: 19 }),
    });
    expect(call.heard.map(({ type }) => type)).toEqual(["reasoning", "text", "text", "text"]);
    expect(call.clock.timers).toBe(0);
    expect(call.failures).toEqual([]);
  });

  test("[O2] tool calls are in the outcome, and are no deltas", async () => {
    const call = new Call(served({ model: "tools:2" }).model, ask("hi", { tools: [LOOKUP] }));
    expect(await call.outcome).toMatchObject({
      status: "ok",
      text: "",
      finish_reason: "tool-calls",
      tool_calls: [
        { tool_call_id: "call_0_x", tool_name: "lookup", args_text: '{"n":0}' },
        { tool_call_id: "call_1_x", tool_name: "lookup", args_text: '{"n":1}' },
      ],
    });
    expect(call.heard).toEqual([]);
  });

  test("[O9] usage that the provider keeps to itself is estimated, and says so", async () => {
    const call = new Call(served({ model: "no-usage" }).model, ask("12345678"));
    expect(await call.outcome).toMatchObject({
      // 4 for the message and 8 bytes of it; 13 bytes of answer.
      usage: { input_tokens: 6, output_tokens: 4, total_tokens: 10, estimated: true },
    });
  });

  test("[O6] nothing more is read until the last delta has been taken", async () => {
    const { server, model } = served({ model: "deltas:50" });
    const taken = Promise.withResolvers<boolean>();
    const call = new Call(model, ask("hi"), { onDelta: () => taken.promise });
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(server.last.played).toBe(1);
    taken.resolve(true);
    expect(await call.outcome).toMatchObject({ status: "ok" });
    expect(server.last.played).toBeGreaterThan(50);
  });

  test("[O8] the time a delta takes to be taken is not the model's", async () => {
    const { model } = served({ model: "deltas:2" });
    const clock = new FakeClock();
    const onDelta = async () => {
      clock.advance(LIMITS.chunk_ms * 2);
      return true;
    };
    expect(await new Call(model, ask("hi"), { clock, onDelta }).outcome).toMatchObject({ status: "ok" });
  });

  test("[O9] who has enough ends the call, and what has come is the answer", async () => {
    const { server, model } = served({ model: "deltas:50" });
    let left = 3;
    const onDelta = () => {
      left -= 1;
      return left > 0;
    };
    const outcome = await new Call(model, ask("hi"), { onDelta }).outcome;
    expect(outcome).toMatchObject({
      status: "ok",
      text: "word0 word1 word2 ",
      finish_reason: "length",
      usage: { estimated: true },
    });
    await until(() => server.last.cancelled);
  });
});

describe("trying again", () => {
  test("[O7] a call that fails before its answer begins is tried twice more", async () => {
    const { server, model } = served({ model: "failing:2:503" });
    const call = new Call(model);
    expect(await call.ended()).toMatchObject({ status: "ok", text: "Hello, world." });
    expect(call.codes()).toEqual(["model_unavailable", "model_unavailable"]);
    expect(server.requests).toHaveLength(3);
    expect(call.clock.timers).toBe(0);
  });

  test("[O7] the third failure is the last", async () => {
    const { server, model } = served({ model: "failing:3:503" });
    const outcome = await new Call(model).ended();
    expect(outcome).toEqual({
      status: "error",
      error: {
        code: "model_unavailable",
        message: "the model cannot be reached at the moment",
        retryable: true,
      },
      text: "",
      reasoning: "",
    });
    expect(server.requests).toHaveLength(3);
  });

  test.each([
    "error:400:invalid_request_error",
    "error:429:insufficient_quota",
    "error:401:",
    "html",
    "huge",
  ])("[O7] %s is not tried again", async (behaviour) => {
    const { server, model } = served({ model: behaviour });
    expect(await new Call(model).outcome).toMatchObject({ status: "error", error: { retryable: false } });
    expect(server.requests).toHaveLength(1);
  });

  test.each(["cut:2", "stream-error:after"])(
    "[O7] %s is not tried again once it has begun",
    async (behaviour) => {
      const { server, model } = served({ model: behaviour });
      expect(await new Call(model).outcome).toMatchObject({ status: "error", error: { retryable: true } });
      expect(server.requests).toHaveLength(1);
    },
  );

  test.each<ModelPart>([
    { type: "reasoning", delta: "Hm" },
    { type: "tool_call_piece", chars: 0 },
  ])("[O7] %j is the beginning of an answer", async (part) => {
    const model = modelOf(async function* (_, attempt) {
      yield part;
      throw new ModelFailure("model_stream_cut", { status: attempt });
    });
    const call = new Call(model);
    expect(await call.outcome).toMatchObject({ status: "error", error: { code: "model_stream_cut" } });
    expect(call.failures).toHaveLength(1);
  });

  test("[O7] a stream that is cut before it says anything is tried again", async () => {
    const { server, model } = served({ model: "cut-once" });
    expect(await new Call(model).ended()).toMatchObject({ status: "ok", text: "Hello, world." });
    expect(server.requests).toHaveLength(2);
  });

  test.each([
    [0, [0, 0]],
    [0.5, [250, 500]],
    [0.999, [499.5, 999]],
  ])("[O7] the pauses are drawn from 0 to 500 and to 1000 ms (%d)", async (draw, pauses) => {
    const { model } = served({ model: "failing:9:503" });
    const call = new Call(model, ask("hi"), { random: () => draw });
    for (const [index, pause] of pauses.entries()) {
      await until(() => call.failures.length === index + 1);
      expect(call.clock.next_ms).toBeCloseTo(pause);
      call.clock.advance(pause);
    }
    await call.outcome;
    expect(call.failures).toHaveLength(3);
  });

  test("[O7] Retry-After is waited for, and a little more", async () => {
    const { model } = served({ model: "rate-limited:1:20" });
    const call = new Call(model);
    await until(() => call.failures.length === 1);
    expect(call.clock.next_ms).toBe(20_250);
    call.clock.advance(20_249);
    await turn();
    expect(call.over).toBe(false);
    call.clock.advance(1);
    expect(await call.outcome).toMatchObject({ status: "ok" });
  });

  test("[O7] a Retry-After that leaves no time fails at once, and says when to come back", async () => {
    const { server, model } = served({ model: "rate-limited:1:30" });
    expect(await new Call(model).outcome).toMatchObject({
      status: "error",
      error: { code: "model_rate_limited", retryable: true, retry_after_ms: 30_000 },
    });
    expect(server.requests).toHaveLength(1);
  });

  test("[O7] a run that ends during the pause asks no more", async () => {
    const { server, model } = served({ model: "failing:2:503" });
    const call = new Call(model);
    await until(() => call.failures.length === 1);
    call.run.abort();
    expect(await call.outcome).toMatchObject({
      status: "error",
      error: { code: "cancelled", retryable: false },
    });
    expect(server.requests).toHaveLength(1);
    expect(call.clock.timers).toBe(0);
  });
});

describe("time", () => {
  test("[O8] a model that does not begin to answer is tried again, each time for as long", async () => {
    const { server, model } = served({ model: "hang" });
    const call = new Call(model, ask("hi"), { limits: { ...LIMITS, step_ms: 60_000 } });
    const begun = call.clock.now();
    expect(await call.ended()).toMatchObject({ status: "error", error: { code: "model_no_answer" } });
    expect(call.codes()).toEqual(["model_no_answer", "model_no_answer", "model_no_answer"]);
    expect(server.requests).toHaveLength(3);
    expect(call.clock.now() - begun).toBe(3 * LIMITS.first_chunk_ms + 250 + 500);
    expect(call.clock.timers).toBe(0);
  });

  test("[O8] comments that keep the connection alive are not the beginning of an answer", async () => {
    const comments: Script = [...open(), { send: ": PROCESSING\n\n" }, { send: ": PROCESSING\n\n" }, HANG];
    const call = new Call(served({}, comments).model, ask("hi"), { limits: { ...LIMITS, max_retries: 0 } });
    expect(await call.ended()).toMatchObject({ error: { code: "model_no_answer" } });
  });

  test("[O8] a model that falls silent in the middle is stalled; the text is kept, the stream closed", async () => {
    const { server, model } = served({ model: "stall" });
    const call = new Call(model);
    await until(() => call.text === "Hello, ");
    call.clock.advance(LIMITS.chunk_ms - 1);
    await turn();
    expect(call.over).toBe(false);
    call.clock.advance(1);
    expect(await call.outcome).toMatchObject({
      status: "error",
      error: {
        code: "model_stalled",
        message: "the model stopped in the middle of its answer",
        retryable: true,
      },
      text: "Hello, ",
      usage: { output_tokens: 2, estimated: true },
    });
    expect(server.last.cancelled).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  test("[O8] an answer that keeps coming ends with the time of the step", async () => {
    const clock = new FakeClock();
    const model = modelOf(async function* () {
      for (;;) {
        await clock.wait(4_000);
        yield { type: "text", delta: "x" };
      }
    });
    const call = new Call(model, ask("hi"), { clock });
    while (!call.over) {
      for (let turns = 0; turns < 5; turns += 1) await turn();
      clock.advance(1_000);
    }
    expect(await call.outcome).toMatchObject({
      status: "error",
      error: { code: "model_timeout", retryable: true },
      text: "xxxxxxx",
    });
  });

  test("[O8] retries share the time of the step", async () => {
    const { server, model } = served({ model: "hang" });
    const call = new Call(model, ask("hi"), { limits: { ...LIMITS, step_ms: 15_000 } });
    const begun = call.clock.now();
    expect(await call.ended()).toMatchObject({ error: { code: "model_timeout" } });
    expect(call.clock.now() - begun).toBe(15_000);
    expect(server.requests).toHaveLength(2);
  });

  test("[O8] pieces of a tool call are a sign of life", async () => {
    const clock = new FakeClock();
    const model = modelOf(async function* () {
      for (let piece = 0; piece < 4; piece += 1) {
        await clock.wait(4_000);
        yield { type: "tool_call_piece", chars: 1 };
      }
      yield { type: "tool_call", tool_call_id: "a", tool_name: "lookup", args_text: "{}" };
      yield ENDS;
    });
    const call = new Call(model, ask("hi"), { clock });
    expect(await call.ended()).toMatchObject({ status: "ok", tool_calls: [{ tool_name: "lookup" }] });
  });
});

describe("ending", () => {
  test("[O6] a run that ends closes the stream at once and keeps the text", async () => {
    const { server, model } = served({ model: "stall" });
    const call = new Call(model);
    await until(() => call.text === "Hello, ");
    call.run.abort();
    expect(await call.outcome).toMatchObject({
      status: "error",
      error: { code: "cancelled", message: "the run ended", retryable: false },
      text: "Hello, ",
    });
    expect(server.last.cancelled).toBe(true);
    expect(call.clock.timers).toBe(0);
  });

  test("[O6] a run that has ended already asks nobody", async () => {
    const { server, model } = served();
    const run = new AbortController();
    run.abort();
    const outcome = await new Call(model, ask("hi"), { signal: run.signal }).outcome;
    expect(outcome).toMatchObject({ status: "error", error: { code: "cancelled" } });
    expect(server.requests).toHaveLength(0);
  });

  test("[O6] a model that does not hear of it holds up nobody", async () => {
    const model = modelOf(async function* () {
      yield { type: "text", delta: "x" };
      await new Promise(() => {});
    });
    const call = new Call(model);
    await until(() => call.text === "x");
    call.run.abort();
    expect(await call.outcome).toMatchObject({ error: { code: "cancelled" }, text: "x" });
  });

  test("[O6] a run that ends while a delta is being taken ends the call", async () => {
    const call = new Call(served().model, ask("hi"), { onDelta: () => new Promise(() => {}) });
    for (let turns = 0; turns < 5; turns += 1) await turn();
    call.run.abort();
    expect(await call.outcome).toMatchObject({ error: { code: "cancelled" }, text: "Hello" });
  });

  test("[O5] a stream that is cut ends honestly: an error, and the text that had come", async () => {
    expect(await new Call(served({ model: "cut:2" }).model, ask("12345678")).outcome).toEqual({
      status: "error",
      error: { code: "model_stream_cut", message: "the connection to the model broke off", retryable: true },
      text: "Hello, ",
      reasoning: "",
      usage: expect.objectContaining({ input_tokens: 6, output_tokens: 2, estimated: true }),
    });
  });

  test("[O5] a model that ends without saying so was cut", async () => {
    const call = new Call(modelOf(() => list({ type: "text", delta: "x" })));
    expect(await call.outcome).toMatchObject({ error: { code: "model_stream_cut" }, text: "x" });
  });

  test("[O4] whatever else a model throws is model_failed, and its cause is for the log alone", async () => {
    const thrown = new Error("secret");
    for (const stream of [
      () => {
        throw thrown;
      },
      async function* (): AsyncGenerator<ModelPart> {
        yield await Promise.reject(thrown);
      },
    ]) {
      const call = new Call(modelOf(stream));
      const outcome = await call.outcome;
      expect(outcome).toMatchObject({ status: "error", error: { code: "model_failed", retryable: false } });
      expect(JSON.stringify(outcome)).not.toContain("secret");
      expect(call.failures.map(({ cause }) => cause)).toEqual([thrown]);
    }
  });

  test("[O4] nothing is read after the finish", async () => {
    const parts: ModelPart[] = [{ type: "text", delta: "x" }, ENDS, { type: "text", delta: "too late" }];
    const call = new Call(modelOf(() => list(...parts)));
    expect(await call.outcome).toMatchObject({ status: "ok", text: "x" });
  });

  test.each([
    ["a lone finish reason", stream(...finish())],
    ["a lone [DONE]", stream(DONE)],
    ["nothing but empty text", stream(...texts(["", ""]), ...finish("length"))],
  ])("[O5] %s is no answer: it is asked for twice more, and then told", async (_, script) => {
    const { server, model } = served({}, script);
    expect(await new Call(model).ended()).toMatchObject({
      status: "error",
      error: { code: "model_empty_answer", message: "the model gave no answer", retryable: true },
    });
    expect(server.requests).toHaveLength(3);
  });

  test("[O5] [O9] an empty answer that the provider counts is paid for", async () => {
    const outcome = await new Call(served({}, stream(...finish())).model).ended();
    expect(outcome.usage).toMatchObject({ input_tokens: 12, output_tokens: 7 });
  });

  test("[O5] where everything has been said, or a thought has come, an end without a word is one", async () => {
    const empty = served({}, stream(...finish())).model;
    const silent = new Call(empty, ask("hi"), { silent: true });
    expect(await silent.outcome).toMatchObject({ status: "ok", text: "", finish_reason: "stop" });
    const thought = modelOf(() => list({ type: "reasoning", delta: "Hm." }, ENDS));
    expect(await new Call(thought).outcome).toMatchObject({ status: "ok", reasoning: "Hm." });
  });

  test("[O5] what the provider withholds whole is model_filtered, and not asked for again", async () => {
    for (const silent of [false, true]) {
      const { server, model } = served({}, stream(...finish("content_filter")));
      expect(await new Call(model, ask("hi"), { silent }).ended()).toMatchObject({
        status: "error",
        error: {
          code: "model_filtered",
          message: "the model's provider withheld the answer",
          retryable: false,
        },
      });
      expect(server.requests).toHaveLength(1);
    }
  });

  test("[O5] what the provider withholds after some text is an answer that says so", async () => {
    const { model } = served({}, stream(...texts(["Hel"]), ...finish("content_filter")));
    expect(await new Call(model).outcome).toMatchObject({
      status: "ok",
      text: "Hel",
      finish_reason: "content-filter",
    });
  });

  test("[O10] an answer that never ends is not kept in memory", async () => {
    const model = modelOf(async function* () {
      for (;;) yield { type: "reasoning", delta: "x".repeat(65_536) };
    });
    const outcome = await new Call(model, ask("hi"), { onDelta: () => true }).outcome;
    expect(outcome).toMatchObject({ status: "error", error: { code: "model_bad_response" } });
    expect(outcome.reasoning).toHaveLength(MAX_OUTPUT_CHARS);
  });

  test("[O10] [O9] nor is a tool call that never ends; what had come of it is counted", async () => {
    let pieces = 0;
    const model = modelOf(async function* () {
      for (; pieces < 1_000; pieces += 1) yield { type: "tool_call_piece", chars: 65_536 };
    });
    const outcome = await new Call(model).outcome;
    expect(outcome).toMatchObject({
      status: "error",
      error: { code: "model_bad_response" },
      usage: { output_tokens: (MAX_OUTPUT_CHARS + 65_536) / 4, estimated: true },
    });
    expect(pieces).toBe(16);
  });

  test("[O10] what has come in pieces is not counted twice when it is whole", async () => {
    const args_text = "x".repeat(MAX_OUTPUT_CHARS - 10);
    const whole = { type: "tool_call", tool_call_id: "a", tool_name: "f", args_text } as const;
    const model = modelOf(() =>
      list({ type: "tool_call_piece", chars: args_text.length }, whole, { ...ENDS, usage: undefined }),
    );
    expect(await new Call(model).outcome).toMatchObject({
      status: "ok",
      usage: { output_tokens: 1 + args_text.length / 4 + 0.5 },
    });
  });

  test("[O4] what the host throws is the host's: it is thrown on, once the stream is closed", async () => {
    const { server, model } = served({ model: "deltas:50" });
    const onDelta = () => {
      throw new RangeError("the disk is full");
    };
    await expect(new Call(model, ask("hi"), { onDelta }).outcome).rejects.toThrow(RangeError);
    await until(() => server.last.cancelled);
    expect(server.requests).toHaveLength(1);
  });

  test("[O8] ten thousand deltas leave no timer and no listener behind", async () => {
    const call = new Call(modelOf(() => list(...Array(10_000).fill({ type: "text", delta: "x" }), ENDS)));
    expect(await call.outcome).toMatchObject({ status: "ok", text: "x".repeat(10_000) });
    expect(call.clock.timers).toBe(0);
  });

  test("[O4] an error object before any text is tried again, and then told", async () => {
    const { server, model } = served({}, [...open(), data({ error: { code: 502 } }), ...texts(["x"]), CLOSE]);
    expect(await new Call(model).ended()).toMatchObject({ error: { code: "model_unavailable" }, text: "" });
    expect(server.requests).toHaveLength(3);
  });

  test("[O4] a refusal without a body is told by its status", async () => {
    expect(await new Call(served({}, [head(403), CLOSE]).model).outcome).toMatchObject({
      error: { code: "model_refused", message: "the model refused the request" },
    });
  });
});
