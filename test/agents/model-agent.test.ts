/** The model agent, as a generator and in a session, with a model server that does what the question says. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import type { Effect, ModelCall } from "../../src/agents/effects.ts";
import { type ModelAgentSettings, modelAgent } from "../../src/agents/model-agent.ts";
import { openAiCompatible } from "../../src/agents/models/openai-compatible.ts";
import type { OfferedTool } from "../../src/agents/registry.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, type RecordingSocket } from "../support/desk.ts";
import { ask } from "../support/drive-agent.ts";
import { ModelFetch } from "../support/model-fetch.ts";
import { finish, type Script, stream, texts, toolPiece } from "../support/model-script.ts";

const input = z.object({ n: z.number() });

function toolOf(more: Partial<Tool<{ n: number }, unknown>> = {}): OfferedTool {
  const lookup: Tool<{ n: number }, unknown> = {
    name: "lookup",
    description: "looks something up",
    input,
    output: z.unknown(),
    idempotent: true,
    execute: ({ n }) => ({ found: n }),
    ...more,
  };
  return { ...lookup, parameters: z.toJSONSchema(input) };
}

function agentAt(server: ModelFetch, more: Partial<ModelAgentSettings> = {}): Agent {
  const settings = { base_url: "https://models.example/v1", model: "fake" };
  const model = openAiCompatible(settings, { fetch: server.fetch, now: () => 0 });
  const window = { context_tokens: 32_000, max_output_tokens: 4_096 };
  return modelAgent({
    name: "model",
    model,
    system_prompt: "Be brief.",
    tools: [toolOf()],
    ...window,
    ...more,
  });
}

const USAGE = { provider: "p", model: "m", input_tokens: 1, output_tokens: 1, total_tokens: 2 };

function answered(more: object = {}) {
  const whole = {
    status: "ok",
    text: "",
    reasoning: "",
    tool_calls: [],
    finish_reason: "stop",
    usage: USAGE,
  };
  return { ...whole, ...more };
}

function called(...args: string[]) {
  const tool_calls = args.map((args_text, i) => ({ tool_call_id: `c${i}`, tool_name: "lookup", args_text }));
  return answered({ tool_calls, finish_reason: "tool-calls" });
}

/** The agent as if nobody said anything more to it. */
function undisturbed(run: ReturnType<Agent["run"]>) {
  return {
    next(value?: unknown) {
      let step = run.next(value);
      while (step.done !== true && step.value.kind === "steer") step = run.next([]);
      return step;
    },
  };
}

function requestIn(effect: Effect | { finish_reason: string } | undefined): ModelCall["request"] {
  if (effect === undefined || !("kind" in effect) || effect.kind !== "model")
    throw new Error("no model call");
  return effect.request;
}

describe("the effects of the model agent", () => {
  test("[O17] asks with the prompt, the day, the history, the question and its data", () => {
    const history = [
      { role: "user", content: "hi" },
      { role: "assistant", content: "" },
    ] as const;
    const run = undisturbed(agentAt(new ModelFetch()).run(ask("why?", { data: { rows: [1] }, history })));
    const { messages, tools, tool_choice, max_output_tokens } = requestIn(run.next().value);
    expect(messages).toEqual([
      { role: "system", content: "Be brief.\n\nToday is 2026-07-01." },
      { role: "user", content: "hi" },
      { role: "user", content: 'why?\n\nData:\n{"rows":[1]}' },
    ]);
    expect(tools?.map(({ name }) => name)).toEqual(["lookup"]);
    expect([tool_choice, max_output_tokens]).toEqual([undefined, 4_096]);
    expect(run.next(answered({ finish_reason: "length" }))).toEqual({
      done: true,
      value: { finish_reason: "length" },
    });
  });

  test("[O17] data and results are cut to a quarter of the room, and say so", () => {
    const window = { context_tokens: 2_000, max_output_tokens: 400 };
    const run = undisturbed(agentAt(new ModelFetch(), window).run(ask("?", { data: "x".repeat(9_000) })));
    const first = requestIn(run.next().value).messages.at(-1)!.content;
    expect(first).toMatch(/x… \(cut: 1600 of 9002 bytes\)$/);
    run.next(called(`{"n":1}`, `{"n":2}`));
    const results = [1, 2].map(() => ({ status: "ok", result: "y".repeat(5_000) }));
    const { messages } = requestIn(run.next(results).value);
    for (const { content } of messages.slice(-2)) expect(content).toMatch(/y… \(cut: 800 of 5002 bytes\)$/);
  });

  test("[O17] a conversation that does not fit at all is not sent", () => {
    const window = { context_tokens: 1_000, max_output_tokens: 400 };
    const run = undisturbed(agentAt(new ModelFetch(), window).run(ask("x".repeat(4_000))));
    expect(() => run.next()).toThrow(expect.objectContaining({ code: "model_context_exceeded" }));
  });

  test("[O18] calls that cannot be made stand in the next request as valid JSON, with their errors", () => {
    const run = undisturbed(agentAt(new ModelFetch()).run(ask("?")));
    run.next();
    run.next(called(`{"n":`));
    const error = { code: "invalid_args", message: "no" };
    const { messages } = requestIn(run.next([{ status: "error", error }]).value);
    expect(messages.slice(-2)).toMatchObject([
      { role: "assistant", tool_calls: [{ tool_call_id: "c0", args_text: "{}" }] },
      { role: "tool", tool_call_id: "c0", content: JSON.stringify({ error }) },
    ]);
  });

  test.each([
    [20, 10],
    [5, 3],
    [4, 2],
    [1, 1],
  ])("[O20] with %i steps the model is asked %i times, the last time for an answer", (max_steps, asked) => {
    const run = undisturbed(agentAt(new ModelFetch()).run(ask("?", { max_steps })));
    const choices: unknown[] = [];
    let next = run.next();
    let steps = 1;
    for (; next.value !== undefined && "kind" in next.value && next.value.kind === "model"; steps += 2) {
      choices.push(requestIn(next.value).tool_choice);
      if (choices.at(-1) === "none") break;
      run.next(called(`{"n":1}`));
      next = run.next([{ status: "ok", result: 1 }]);
    }
    expect(choices).toEqual([...Array.from({ length: asked - 1 }, () => undefined), "none"]);
    expect(steps).toBeLessThanOrEqual(max_steps);
    expect(() => run.next(called(`{"n":1}`))).toThrow(expect.objectContaining({ code: "model_tool_loop" }));
  });

  test("[O22] another model, prompt, tool or window is another version", () => {
    const server = new ModelFetch();
    const versions = [
      {},
      { system_prompt: "Be long." },
      { tools: [] },
      { tools: [toolOf({ description: "other" })] },
      { context_tokens: 64_000 },
      { model: { provider: "p", model_id: "m", stream: () => [] as never } },
    ].map((more) => agentAt(server, more).version);
    expect(new Set(versions).size).toBe(versions.length);
    expect(agentAt(new ModelFetch()).version).toBe(versions[0]);
  });
});

async function atDesk(agent: Agent, work: (desk: Desk, storage: DurableObjectStorage) => Promise<void>) {
  await runInDurableObject(
    await stubOf(newUser()),
    async (_, { storage }) => await work(new Desk(storage, agent), storage),
  );
}

async function say(desk: Desk, content: string, id = "q"): Promise<RecordingSocket> {
  const socket = desk.connect();
  await desk.send(socket, { type: "user_message", id, payload: { content } });
  return socket;
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !holds(); i += 1) await new Promise((resolve) => setTimeout(resolve, 0));
  expect(holds()).toBe(true);
}

/** What a session makes of one question. */
async function told(question: string, more: Partial<ModelAgentSettings> = {}, script?: Script) {
  const server = new ModelFetch(script);
  let socket: RecordingSocket | undefined;
  await atDesk(agentAt(server, more), async (desk) => {
    socket = await say(desk, question);
    await desk.idle();
    expect(desk.timers).toBe(0);
  });
  const of = (type: string): any[] => socket!.of(type).map(({ payload }) => payload);
  return { server, of, end: of("agent_completed")[0] };
}

const REPORT = {
  summary: "It can be less.",
  findings: [],
  recommendations: [],
  assumptions: [{ id: "A1", text: "a month has 730 hours", source: "arithmetic" }],
  questions: [],
};

function lookUp(args: string, index = 0) {
  return toolPiece(index, { id: `call_${index}`, name: "lookup", args });
}

function reported(report: object | string, index: number) {
  const args = typeof report === "string" ? report : JSON.stringify(report);
  return toolPiece(index, { id: `call_${index}`, name: "final_report", args });
}

/** A model that calls these, round by round, and then answers with `answer`. */
async function reporting(rounds: ReturnType<typeof toolPiece>[][], answer?: Script) {
  let asked = 0;
  const server = new ModelFetch();
  const fetch: ModelFetch["fetch"] = async (url, init) => {
    const calls = rounds[asked++];
    await server.fetch(url, {
      ...init,
      body: JSON.stringify({ ...JSON.parse(String(init.body)), model: "fast" }),
    });
    const script = calls === undefined ? answer : stream(...calls, ...finish("tool_calls"));
    return await new ModelFetch(script).fetch(url, init);
  };
  const model = openAiCompatible({ base_url: "https://m.example", model: "x" }, { fetch, now: () => 0 });
  return { ...(await told("?", { model, reports: true, limits: { max_retries: 0 } })), server };
}

describe("the model agent in a session", () => {
  test("[O17] answers, and its usage is counted", async () => {
    const { end, of } = await told("[[fast]]");
    expect(end).toMatchObject({ status: "succeeded", finish_reason: "stop", content: "Hello, world." });
    expect(end.usage).toMatchObject([{ model: "fake", total_tokens: 19 }]);
    expect(of("agent_completed")).toHaveLength(1);
  });

  test("[O17] the calls of one answer run in parallel, and the model is told all results in their order", async () => {
    const begun: number[] = [];
    const all = Promise.withResolvers<void>();
    const execute = async ({ n }: { n: number }) => {
      if (begun.push(n) === 3) all.resolve();
      await all.promise;
      return n;
    };
    const script = (results: number) => (results === 0 ? "tools:3" : "fast");
    const server = new ModelFetch();
    const fetch: ModelFetch["fetch"] = (url, init) => {
      const body = JSON.parse(String(init.body));
      body.model = script(body.messages.filter(({ role }: any) => role === "tool").length);
      return server.fetch(url, { ...init, body: JSON.stringify(body) });
    };
    const model = openAiCompatible({ base_url: "https://m.example", model: "x" }, { fetch, now: () => 0 });
    const { of, end } = await told("?", { model, tools: [toolOf({ execute })] });
    expect(begun.toSorted()).toEqual([0, 1, 2]);
    expect(of("tool_completed").map(({ status }) => status)).toEqual(["ok", "ok", "ok"]);
    expect(server.last.body.messages.slice(-3).map(({ content }: any) => content)).toEqual(["0", "1", "2"]);
    expect(end).toMatchObject({ status: "succeeded", content: "Hello, world." });
    expect(end.usage).toMatchObject([{ total_tokens: 38 }]);
  });

  test.each([
    ["an unknown tool", "[[call:nothing:{}]]", "unknown_tool"],
    ["arguments that are no JSON", "[[call:lookup:{]]", "invalid_args"],
    ["arguments that do not fit", '[[call:lookup:{"n":"x"}]]', "invalid_args"],
  ])("[O18] %s is shown as a tool that failed, and the model goes on", async (_, question, code) => {
    const { server, of, end } = await told(question);
    expect(of("tool_executing")).toHaveLength(1);
    expect(of("tool_completed")).toMatchObject([{ status: "error", error: { code } }]);
    expect(server.last.body.messages.at(-1).content).toContain(code);
    expect(end).toMatchObject({ status: "succeeded", content: "The tool has answered." });
  });

  test("[O18] a tool that fails, and one that says why, are told the model", async () => {
    const execute = () => {
      throw new Error("secret inner detail");
    };
    const { server, end } = await told('[[call:lookup:{"n":1}]]', { tools: [toolOf({ execute })] });
    expect(server.last.body.messages.at(-1).content).toContain("tool_failed");
    expect(JSON.stringify(server.last.body)).not.toContain("secret");
    expect(end.status).toBe("succeeded");
  });

  test("[O20] a loop of tools ends with an answer before the steps are used up", async () => {
    const { server, of, end } = await told("[[tool-loop]]");
    expect(server.requests).toHaveLength(10);
    expect(of("tool_completed")).toHaveLength(9);
    expect(end).toMatchObject({ status: "succeeded", content: "Hello, world." });
  });

  test("[O20] a model that calls tools all the same ends as model_tool_loop", async () => {
    const { server, end } = await told("[[tool-loop:always]]");
    expect(server.requests).toHaveLength(10);
    expect(end).toMatchObject({ status: "failed", error: { code: "model_tool_loop", retryable: false } });
  });

  test("[O21] a stream that is cut ends the run as failed, with its code, and the text is kept", async () => {
    const { end, server } = await told("[[cut:2]]");
    expect(end).toMatchObject({ status: "failed", content: "Hello, ", error: { code: "model_stream_cut" } });
    expect(server.requests).toHaveLength(1);
  });

  test("[O21] a model that is asked too often is asked again, and then answers", async () => {
    const server = new ModelFetch();
    await atDesk(agentAt(server), async (desk) => {
      const socket = await say(desk, "[[rate-limited:1:1]]");
      await until(() => server.requests.length === 1 && desk.timers === 2);
      desk.advance(1_250);
      await desk.idle();
      expect(socket.of("agent_completed")[0].payload).toMatchObject({ content: "Hello, world." });
      expect(server.requests).toHaveLength(2);
    });
  });

  test("[O24] a report that the model gives is published once, between its tools and its answer", async () => {
    const { of, server, end } = await reporting([
      [lookUp(`{"n":1}`), reported(REPORT, 1)],
      [reported({ ...REPORT, summary: "another" }, 0)],
    ]);
    expect(of("final_report")).toMatchObject([{ report: REPORT, step: 3 }]);
    expect(of("tool_executing").map(({ tool_name }) => tool_name)).toEqual(["lookup"]);
    const told = server.requests.map(({ body }) => body.messages.at(-1).content);
    expect(told.slice(1)).toEqual([
      JSON.stringify({ published: true }),
      expect.stringContaining("answer in words now"),
    ]);
    expect(end).toMatchObject({ status: "succeeded", content: "Hello, world." });
  });

  test.each([
    ["one that is no JSON", "{", "the report is not JSON"],
    ["one without its summary", JSON.stringify({ ...REPORT, summary: undefined }), "report: summary: "],
    [
      "a step that is none",
      JSON.stringify({ ...REPORT, recommendations: [{}] }),
      "report: recommendations.0.title: ",
    ],
    ["four questions", JSON.stringify({ ...REPORT, questions: ["", "", "", ""] }), "report: questions: "],
    [
      "one that is too large",
      JSON.stringify({ ...REPORT, summary: "x".repeat(65_536) }),
      "may have 65536 bytes",
    ],
  ])("[O24] %s is told the model alone, who may put it right", async (_, wrong, why) => {
    const { of, server, end } = await reporting([[reported(wrong, 0)], [reported(REPORT, 0)]]);
    expect(server.requests[1]!.body.messages.at(-1).content).toContain(why);
    expect(of("final_report")).toMatchObject([{ report: REPORT }]);
    expect(of("tool_executing")).toEqual([]);
    expect(end.status).toBe("succeeded");
  });

  test("[O5] [O24] after a report the model need say nothing, after a tool it must", async () => {
    const silent = stream(...finish());
    const done = await reporting([[reported(REPORT, 0)]], silent);
    expect(done.end).toMatchObject({ status: "succeeded", content: "" });
    const refused = await reporting([[reported("{", 0)]], silent);
    expect(refused.end).toMatchObject({ status: "failed", error: { code: "model_empty_answer" } });
  });

  test("[O24] without reports it is a tool like any other that is not there", async () => {
    const { of, end } = await told(`[[call:final_report:${JSON.stringify(REPORT)}]]`);
    expect(of("final_report")).toEqual([]);
    expect(of("tool_completed")).toMatchObject([{ error: { code: "unknown_tool" } }]);
    expect(end.status).toBe("succeeded");
  });

  test("[O24] a tool of that name cannot be offered beside reports", () => {
    const tools = [toolOf({ name: "final_report" })];
    expect(() => agentAt(new ModelFetch(), { tools, reports: true })).toThrow(/final_report/);
    expect(agentAt(new ModelFetch(), { tools }).name).toBe("model");
  });

  test("[O24] leaves room for the answer: a run of rounds with a report in the last keeps within its steps", async () => {
    const loops = Array.from({ length: 8 }, () => [lookUp(`{"n":1}`)]);
    const { end } = await reporting([...loops, [lookUp(`{"n":1}`), reported(REPORT, 1)]]);
    expect(end).toMatchObject({ status: "succeeded", content: "Hello, world." });
  });

  test("[N35] short reasoning is one thought", async () => {
    const { of } = await told("[[reasoning]]");
    expect(of("agent_thinking")).toMatchObject([{ thought: "Let me see." }]);
  });

  test("[O17] what is said before a tool is a paragraph of its own", async () => {
    let asked = 0;
    const scripts = [
      stream(...texts(["I look."]), toolPiece(0, { id: "c", name: "lookup", args: `{"n":1}` }), ...finish()),
      stream(...texts(["Found."]), ...finish()),
    ];
    const fetch: ModelFetch["fetch"] = (url, init) => new ModelFetch(scripts[asked++]).fetch(url, init);
    const model = openAiCompatible({ base_url: "https://m.example", model: "x" }, { fetch, now: () => 0 });
    const { end } = await told("?", { model });
    expect(end.content).toBe("I look.\n\nFound.");
  });
});

describe("a crash", () => {
  test("[O22] between the model and its tool does not have the model asked again", async () => {
    const server = new ModelFetch();
    let executed = 0;
    const execute = async () => {
      executed += 1;
      if (executed === 1) await new Promise(() => {});
      return "found";
    };
    await atDesk(agentAt(server, { tools: [toolOf({ execute })] }), async (desk) => {
      await say(desk, '[[call:lookup:{"n":1}]]');
      await until(() => executed === 1);
      desk.crash();
      const socket = desk.connect();
      await desk.idle();
      expect(executed).toBe(2);
      expect(server.requests).toHaveLength(2);
      expect(socket.of("agent_completed")[0].payload).toMatchObject({ content: "The tool has answered." });
    });
  });

  test("[O22] in the middle of an answer has it asked for again, and its text is told once", async () => {
    const held = Promise.withResolvers<void>();
    let first = true;
    const server = new ModelFetch(undefined, async () => {
      if (first) await held.promise;
    });
    await atDesk(agentAt(server), async (desk) => {
      await say(desk, "[[slow:1:2]]");
      await until(() => server.requests.length === 1 && (server.requests[0]?.played ?? 0) > 0);
      first = false;
      desk.crash();
      const socket = desk.connect();
      await desk.idle();
      held.resolve();
      expect(server.requests).toHaveLength(2);
      expect(socket.of("agent_completed")[0].payload).toMatchObject({ content: "word0 word1 ", attempts: 2 });
    });
  });

  test("[O22] after which the deployment is another one is told as agent_changed", async () => {
    const server = new ModelFetch();
    const execute = () => new Promise(() => {});
    await atDesk(agentAt(server, { tools: [toolOf({ execute })] }), async (desk) => {
      await say(desk, '[[call:lookup:{"n":1}]]');
      await until(() => server.requests.length === 1 && desk.timers === 2);
      await until(() => true);
      desk.crash(agentAt(server, { system_prompt: "Another." }));
      const socket = desk.connect();
      await desk.idle();
      expect(socket.of("agent_completed")[0].payload).toMatchObject({
        status: "interrupted",
        error: { code: "agent_changed" },
      });
    });
  });
});

describe("what it costs", () => {
  test("[O21] an answer of 20,000 deltas writes as many rows as one of 200", async () => {
    const rows = async (question: string) => {
      let written = 0;
      await atDesk(agentAt(new ModelFetch()), async (desk, storage) => {
        const cursors: { rowsWritten: number }[] = [];
        const { exec } = storage.sql;
        storage.sql.exec = (query: string, ...bindings: unknown[]) => {
          const cursor = exec.call(storage.sql, query, ...bindings);
          cursors.push(cursor);
          return cursor as never;
        };
        const socket = await say(desk, question);
        await desk.idle();
        storage.sql.exec = exec;
        expect(socket.of("agent_completed")[0].payload.status).toBe("succeeded");
        written = cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0) + desk.alarms.length;
      });
      return written;
    };
    const few = await rows("[[deltas:200]]");
    expect(few).toBeGreaterThan(0);
    expect(await rows("[[deltas:20000]]")).toBe(few);
  });
});
