/** What becomes of the events of an AG-UI agent. */
import { describe, expect, test } from "vitest";
import { NOTHING } from "../../../src/agents/remote/so-far.ts";
import { Translation } from "../../../src/agents/remote/translation.ts";
import {
  MAX_ANSWER_BYTES,
  MAX_EVENT_BYTES,
  MAX_FED_EVENTS,
  MAX_FED_RUN_CHARS,
} from "../../../src/protocol/limits.ts";
import { utf8Length } from "../../../src/protocol/primitives.ts";
import {
  asTheClient,
  BOTH,
  call,
  done,
  ending,
  eventsOf,
  expectLegal,
  message,
  only,
  result,
  type Sent,
  soFarOf,
  started,
  textOf,
  translate,
  translateAll,
  type Version,
} from "./support.ts";

/** A stream that the real clients of `versions` accept, and what is fed of it. */
async function legal(events: readonly Sent[], versions: readonly Version[] = BOTH) {
  for (const version of versions) await asTheClient(version, events);
  const fed = translateAll(events);
  expectLegal(fed);
  return fed;
}

/** One that a client would not take: something true is said of it all the same. */
function tolerated(events: readonly Sent[]) {
  const fed = translateAll(events);
  expectLegal(fed);
  return fed;
}

const chunk = (messageId: string | undefined, delta: string): Sent => ({
  type: "TEXT_MESSAGE_CHUNK",
  ...(messageId && { messageId }),
  delta,
});
const toolChunk = (toolCallId?: string, toolCallName?: string, delta?: string): Sent => ({
  type: "TOOL_CALL_CHUNK",
  ...(toolCallId && { toolCallId, toolCallName }),
  ...(delta && { delta }),
});
const reasoning = (messageId: string, ...deltas: readonly string[]): Sent[] => [
  { type: "REASONING_START", messageId },
  { type: "REASONING_MESSAGE_START", messageId, role: "reasoning" },
  ...deltas.map((delta) => ({ type: "REASONING_MESSAGE_CONTENT", messageId, delta })),
  { type: "REASONING_MESSAGE_END", messageId },
  { type: "REASONING_END", messageId },
];
const outcome = (said: unknown, more = {}): Sent => ({ ...done, outcome: said, ...more });

describe("a run", () => {
  test("[R1] of everything: numbered without a gap, steps that count, one end", async () => {
    const fed = await legal([
      started,
      ...reasoning("think", "First ", "things ", "first."),
      ...message("m1", "Let me ", "see."),
      ...call("c1", "look", '{"at":', '"the moon"}'),
      result("c1", '{"phase":"full"}'),
      ...message("m2", "It is full."),
      done,
    ]);
    expect(eventsOf(fed).map(({ type, run_seq }) => [run_seq, type])).toEqual([
      [1, "agent_thinking"],
      [2, "tool_executing"],
      [3, "tool_completed"],
      [4, "agent_completed"],
    ]);
    const of = { tool_call_id: "c1", tool_name: "look", step: 2 };
    expect(only(fed, "agent_thinking")).toEqual([{ step: 1, thought: "First things first." }]);
    expect(only(fed, "tool_executing")).toEqual([{ ...of, args: { at: "the moon" } }]);
    expect(only(fed, "tool_completed")).toEqual([
      { ...of, status: "ok", result: { phase: "full" }, duration_ms: 1_000 },
    ]);
    expect(ending(fed)).toEqual({
      status: "succeeded",
      finish_reason: "stop",
      content: "Let me see.\n\nIt is full.",
      usage: [],
    });
  });

  test("[R1] the steps of the agent are ours: what it does in one belongs together", async () => {
    const step = (type: string) => ({ type, stepName: "plan" });
    const fed = await legal([
      started,
      ...reasoning("a", "before"),
      step("STEP_STARTED"),
      ...reasoning("b", "in"),
      ...call("c", "look"),
      result("c", "seen"),
      step("STEP_FINISHED"),
      ...reasoning("d", "after"),
      done,
    ]);
    expect(eventsOf(fed).map(({ payload }) => ("step" in payload ? payload.step : "-"))).toEqual([
      1,
      2,
      2,
      2,
      3,
      "-",
    ]);
  });

  test("[R1] says nothing after its end, whatever still comes", () => {
    const translation = new Translation();
    const first = translate([started, ...message("m", "so"), done], translation);
    const rest = translate([...message("n", "more"), started, ...call("c", "look"), done], translation);
    expectLegal(first);
    expect([rest, translation.cut(0), translation.ended]).toEqual([[], [], true]);
  });
});

describe("text", () => {
  test("[R2] of messages that overlap is read in the order in which they began", async () => {
    const [start1, a1, a2, end1] = message("a", "first ", "message") as [Sent, Sent, Sent, Sent];
    const [start2, b1, b2, end2] = message("b", "second ", "message") as [Sent, Sent, Sent, Sent];
    const fed = await legal([started, start1, a1, start2, b1, a2, b2, end2, end1, done]);
    expect(ending(fed).content).toBe("first message\n\nsecond message");
    expect(fed.filter(({ type }) => type === "partial_result")).toHaveLength(3);
  });

  test("[R2] of a message that is taken up again goes on where it was", async () => {
    const fed = await legal([started, ...message("a", "one "), ...message("a", "two"), done]);
    expect(ending(fed).content).toBe("one two");
  });

  test.each([
    ["with ids", [chunk("a", "one "), chunk("a", "two"), chunk("b", "three")]],
    ["without", [chunk("a", "one "), chunk(undefined, "two"), chunk("b", "three")]],
    [
      "around a call in chunks",
      [chunk("a", "one "), chunk("a", "two"), toolChunk("c", "look"), chunk("b", "three")],
    ],
    [
      "around an activity",
      [chunk("a", "one "), activity("x", {}), chunk(undefined, "two"), chunk("b", "three")],
    ],
  ])("[R2] in chunks %s is the same text", async (_, chunks) => {
    const fed = await legal([started, ...chunks, done]);
    expect(ending(fed).content).toBe("one two\n\nthree");
  });

  test("[R2] of a subagent is a thought, with the name of who thinks it", async () => {
    const by = { subagentRunId: "s" };
    const fed = await legal([
      started,
      { type: "SUBAGENT_STARTED", ...by, name: "researcher" },
      ...message("a", "I will ask.").map((event) => event),
      ...message("b", "It ", "rains.").map((event) => ({ ...event, ...by })),
      { type: "TEXT_MESSAGE_CHUNK", messageId: "d", delta: "A lot.", ...by },
      { type: "SUBAGENT_FINISHED", ...by },
      ...message("c", "Take a coat."),
      done,
    ]);
    expect(ending(fed).content).toBe("I will ask.\n\nTake a coat.");
    expect(only(fed, "agent_thinking").map(({ thought }) => thought)).toEqual([
      "researcher: It rains.",
      "researcher: A lot.",
    ]);
  });

  test.each(["user", "system", "developer"])(
    "[R2] that the agent repeats of %s is not its answer",
    async (role) => {
      const [start, ...rest] = message("u", "the question") as [Sent, ...Sent[]];
      const fed = await legal([started, { ...start, role }, ...rest, ...message("a", "yes"), done]);
      expect(ending(fed).content).toBe("yes");
    },
  );

  test("[R2] of an agent that does not stream comes from its last messages", async () => {
    const messages = [
      { id: "old", role: "assistant", content: "said before" },
      { id: "q", role: "user", content: "?" },
      { id: "a", role: "assistant", content: "one" },
      { id: "b", role: "assistant", content: "two" },
    ];
    const fed = await legal([started, { type: "MESSAGES_SNAPSHOT", messages }, done]);
    expect(ending(fed).content).toBe("one\n\ntwo");
    const streamed = await legal([
      started,
      ...message("a", "said"),
      { type: "MESSAGES_SNAPSHOT", messages },
      done,
    ]);
    expect(ending(streamed).content).toBe("said");
  });

  test("[R2] or from its result, if that is text; else there is none", async () => {
    expect(ending(await legal([started, { ...done, result: "so" }])).content).toBe("so");
    expect(ending(await legal([started, { ...done, result: { so: 1 } }])).content).toBe("");
    expect(ending(await legal([started, done])).content).toBe("");
  });

  test("[R2] is kept where the order of its events is broken", () => {
    const content = (messageId: string, delta: string) => ({
      type: "TEXT_MESSAGE_CONTENT",
      messageId,
      delta,
    });
    const fed = tolerated([
      content("a", "never "),
      content("a", "begun"),
      { type: "TEXT_MESSAGE_START", messageId: "b" },
      content("b", "never ended"),
      { type: "TEXT_MESSAGE_END", messageId: "nobody" },
      done,
    ]);
    expect(ending(fed)).toMatchObject({ status: "succeeded", content: "never begun\n\nnever ended" });
  });
});

describe("tool calls", () => {
  test("[R3] that are open together share a step, and complete in any order", async () => {
    const fed = await legal(
      [
        started,
        ...call("a", "one", "{}"),
        ...call("b", "two", "[1]"),
        result("b", "2"),
        result("a", "1"),
        ...call("c", "three"),
        result("c", [
          { type: "text", text: "three" },
          { type: "text", text: "lines" },
        ] as unknown),
        done,
      ],
      ["1.0"],
    );
    expect(only(fed, "tool_executing").map(({ tool_name, step, args }) => [tool_name, step, args])).toEqual([
      ["one", 1, {}],
      ["two", 1, [1]],
      ["three", 2, {}],
    ]);
    expect(only(fed, "tool_completed").map(({ tool_name, result }) => [tool_name, result])).toEqual([
      ["two", "2"],
      ["one", "1"],
      ["three", "three\nlines"],
    ]);
  });

  test("[R3] may be written at the same time", async () => {
    const [startA, a1, a2, endA] = call("a", "one", '{"x"', ":1}") as [Sent, Sent, Sent, Sent];
    const [startB, b1, endB] = call("b", "two", "{}") as [Sent, Sent, Sent];
    const fed = await legal([started, startA, a1, startB, b1, a2, endB, endA, result("a", ""), done]);
    expect(only(fed, "tool_executing").map(({ args }) => args)).toEqual([{}, { x: 1 }]);
  });

  test("[R3] in chunks are the same calls", async () => {
    const fed = await legal([
      started,
      toolChunk("a", "look", '{"x"'),
      toolChunk(undefined, undefined, ":1}"),
      toolChunk("b", "look", "{}"),
      result("b", "seen"),
      result("a", "seen"),
      done,
    ]);
    expect(only(fed, "tool_executing").map(({ args }) => args)).toEqual([{ x: 1 }, {}]);
    expect(only(fed, "tool_completed").map(({ status }) => status)).toEqual(["ok", "ok"]);
  });

  test.each([
    ["no JSON", "look at {"],
    ["too deep", `${"[".repeat(64)}${"]".repeat(64)}`],
    ["of a shape that could hurt", '{"__proto__":{"polluted":1}}'],
  ])("[R3] whose arguments are %s are shown as they were written", async (_, args) => {
    const fed = await legal([started, ...call("a", "look", args), result("a", args), done]);
    expect(only(fed, "tool_executing")[0].args).toBe(args);
    expect(only(fed, "tool_completed")[0].result).toBe(args);
  });

  test("[R3] have ids that are ours where those of the agent would not do", async () => {
    const long = "x".repeat(65);
    const fed = await legal([
      started,
      ...call(long, "one"),
      result(long, "1"),
      ...call("twice", "two"),
      result("twice", "2"),
      ...call("twice", "two"),
      result("twice", "3"),
      done,
    ]);
    expect(only(fed, "tool_executing").map(({ tool_call_id }) => tool_call_id)).toEqual([
      "call-1",
      "twice",
      "call-3",
    ]);
    expect(only(fed, "tool_completed").map(({ result }) => result)).toEqual(["1", "2", "3"]);
  });

  test.each([
    ["finishes", done, "outcome_unknown", "the agent did not say what came of it"],
    [
      "leaves them to the application",
      outcome({ type: "success", pendingToolCallIds: ["a"] }),
      "client_tool_unsupported",
      "the agent left the call to the application, which has no such tool",
    ],
    [
      "asks whether it may in a way that nobody can answer",
      outcome({ type: "interrupt", interrupts: [{ id: "", reason: "confirmation", toolCallId: "a" }] }),
      "agent_interrupt_unsupported",
      "the agent waits for an approval",
    ],
    [
      "fails",
      { type: "RUN_ERROR", message: "no" },
      "outcome_unknown",
      "the run ended before the outcome was known",
    ],
  ])("[R3] without a result are completed when the agent %s", async (_, end, code, text) => {
    const fed = await legal([started, ...call("a", "look"), end], end.type === "RUN_ERROR" ? [] : ["1.0"]);
    expect(only(fed, "tool_completed")).toMatchObject([{ status: "error", error: { code, message: text } }]);
  });

  test("[R3] that failed say so", async () => {
    const failing = { ...result("a", "nothing there"), error: "not found" };
    const fed = tolerated([started, ...call("a", "look"), failing, done]);
    expect(only(fed, "tool_completed")).toMatchObject([
      { status: "error", result: "nothing there", error: { code: "tool_failed", message: "not found" } },
    ]);
  });

  test("[R3] are completed once, where the order of their events is broken", () => {
    const [start, args] = call("a", "look", "{}") as [Sent, Sent, Sent];
    const fed = tolerated([
      result("nobody", "what"),
      { type: "TOOL_CALL_END", toolCallId: "nobody" },
      start,
      args,
      result("a", "early"),
      result("a", "again"),
      ...call("b", "look").slice(0, 1),
      done,
    ]);
    expect(only(fed, "tool_completed").map(({ result, status }) => [result, status])).toEqual([
      ["early", "ok"],
      [undefined, "error"],
    ]);
  });

  test("[R3] that begin again before their outcome was known have none", () => {
    const fed = tolerated([started, ...call("a", "look"), ...call("a", "look"), result("a", "seen"), done]);
    expect(only(fed, "tool_completed").map(({ status }) => status)).toEqual(["error", "ok"]);
  });

  test("[R3] whose arguments were cut off were never made", () => {
    const fed = tolerated([started, ...call("a", "look", '{"at":').slice(0, 2)]);
    expect(eventsOf(fed).map(({ type }) => type)).toEqual(["agent_completed"]);
  });
});

describe("thoughts", () => {
  test("[R4] are one for each block, however many pieces it has", async () => {
    const many = Array.from({ length: 100 }, (_, i) => `${i} `);
    const fed = await legal([started, ...reasoning("a", ...many), ...reasoning("b", "so"), done]);
    expect(only(fed, "agent_thinking").map(({ thought }) => thought)).toEqual([many.join(""), "so"]);
  });

  test("[R4] in chunks are the same", async () => {
    const piece = (messageId: string | undefined, delta: string) => ({
      type: "REASONING_MESSAGE_CHUNK",
      ...(messageId && { messageId }),
      delta,
    });
    const fed = await legal([
      started,
      piece("a", "one "),
      piece(undefined, "two"),
      piece("b", "three"),
      ...message("m", "so"),
      done,
    ]);
    expect(only(fed, "agent_thinking").map(({ thought }) => thought)).toEqual(["one two", "three"]);
  });

  test("[R4] of 0.0.x have no ids", async () => {
    const fed = await legal(
      [
        started,
        { type: "THINKING_START", title: "Thinking" },
        { type: "THINKING_TEXT_MESSAGE_START" },
        { type: "THINKING_TEXT_MESSAGE_CONTENT", delta: "one " },
        { type: "THINKING_TEXT_MESSAGE_CONTENT", delta: "two" },
        { type: "THINKING_TEXT_MESSAGE_END" },
        { type: "THINKING_TEXT_MESSAGE_START" },
        { type: "THINKING_TEXT_MESSAGE_CONTENT", delta: "three" },
        { type: "THINKING_TEXT_MESSAGE_END" },
        { type: "THINKING_END" },
        ...message("m", "so"),
        done,
      ],
      ["0.0"],
    );
    expect(only(fed, "agent_thinking").map(({ thought }) => thought)).toEqual(["one two", "three"]);
  });

  test("[R4] are told though nobody ended them, and not if they are empty", () => {
    const fed = tolerated([started, ...reasoning("a", "one").slice(0, 3), ...reasoning("b", " "), done]);
    expect(only(fed, "agent_thinking").map(({ thought }) => thought)).toEqual(["one"]);
  });

  test("[R4] are also what an activity says of itself, once", async () => {
    const fed = await legal([
      started,
      activity("a", { title: "Searching" }),
      activity("a", { title: "Still searching" }),
      activity("b", { surface: {} }),
      done,
    ]);
    expect(only(fed, "agent_thinking").map(({ thought }) => thought)).toEqual(["Searching"]);
  });
});

describe("the end", () => {
  const text = message("m", "so far");

  test("[R5] of a run that was cancelled, in 1.0 and as 0.0.x says it", async () => {
    const fed = await legal(
      [started, ...text, ...call("c", "look"), outcome({ type: "cancelled" })],
      ["1.0"],
    );
    expect(ending(fed)).toMatchObject({
      status: "cancelled",
      finish_reason: "cancelled",
      content: "so far",
    });
    expect(only(fed, "tool_completed")[0].error.code).toBe("cancelled");
    const older = tolerated([started, ...text, { type: "RUN_ERROR", message: "stop", code: "CANCELLED" }]);
    expect(ending(older)).toMatchObject({ status: "cancelled", content: "so far" });
    expect(ending(older).error).toBeUndefined();
  });

  test("[R5] of one that failed has the agent's own words, and not too many", async () => {
    const fed = tolerated([started, ...text, { type: "RUN_ERROR", message: "no quota", code: "E42" }]);
    expect(ending(fed)).toEqual({
      status: "failed",
      finish_reason: "error",
      content: "so far",
      usage: [],
      error: { code: "agent_error", message: "no quota", retryable: true },
    });
    const long = tolerated([{ type: "RUN_ERROR", message: "😀".repeat(300) }]);
    expect(ending(long).error.message).toHaveLength(499);
    expect(ending(tolerated([{ type: "RUN_ERROR" }])).error.message).toBe("the agent failed");
  });

  const interrupt = (...interrupts: object[]) => outcome({ type: "interrupt", interrupts });

  test.each([
    ["under an id that is there twice", [{ id: "1" }, { id: "1" }]],
    ["without an id", [{ message: "Delete everything?" }]],
    ["far too much", Array.from({ length: 17 }, (_, id) => ({ id: String(id) }))],
    ["nothing", []],
    ["about a call it has not begun", [{ id: "1" }, { id: "2", toolCallId: "of nobody" }]],
    ["about a call that is completed", [{ id: "1", toolCallId: "done" }]],
    ["about a call with more arguments than can be shown", [{ id: "1", toolCallId: "large" }]],
    ["about a call with more arguments than are recorded", [{ id: "1", toolCallId: "huge" }]],
  ])("[R5] of one that asks %s says that it cannot be answered", (_, interrupts) => {
    const calls = [
      ...call("large", "pay", `["${"x".repeat(64 * 1024)}"]`),
      ...call("huge", "pay", `["${"x".repeat(MAX_EVENT_BYTES)}"]`),
      ...call("done", "look", "{}"),
      result("done", "1"),
    ];
    const fed = tolerated([started, ...text, ...calls, interrupt(...interrupts)]);
    const error = { code: "agent_interrupt_unsupported", retryable: false };
    expect(ending(fed)).toMatchObject({ status: "failed", content: "so far", error });
    const asked = JSON.stringify(interrupts).includes("Delete") ? ": Delete everything?" : "";
    expect(ending(fed).error.message).toBe(`the agent asks something that cannot be answered here${asked}`);
  });

  test("[R5] of an answer too long to wait with is one that cannot be answered", () => {
    const fed = tolerated([started, ...message("m", "x".repeat(128 * 1024 + 1)), interrupt({ id: "1" })]);
    expect(ending(fed).error.code).toBe("agent_interrupt_unsupported");
  });

  test.each([
    ["that has asked 20 times", { askings: 20 }],
    ["whose numbers are used up", { run_seq: 999 }],
    ["whose events are as long as they may be", { chars: MAX_FED_RUN_CHARS - 2_000 }],
  ])("[R7] of a run %s is that it is too much to ask more", (_, more) => {
    const begun = { ...NOTHING, run_seq: 5, chars: 100, askings: 1, ...more };
    const fed = translate([started, interrupt({ id: "1" })], new Translation(begun));
    expect(ending(fed).error.code).toBe("agent_too_much");
    const room = new Translation({ ...begun, askings: 19, run_seq: 998, chars: 0 });
    translate([started, interrupt({ id: "1" })], room);
    expect(room.asking?.waits).toHaveLength(1);
  });

  test("[R21] is none where the agent asks something; what it asks is said, and the rest goes on", async () => {
    const translation = new Translation();
    const events = [
      started,
      ...text,
      ...call("c", "pay", '{"n":1}'),
      interrupt(
        { id: "1", reason: "approval", message: "May I?", toolCallId: "c", expiresAt: "2026-01-02" },
        { id: "2", reason: "input_required", responseSchema: { type: "string" } },
        {
          id: "3",
          reason: "x".repeat(600),
          responseSchema: { x: "x".repeat(70_000) },
        },
      ),
    ];
    await asTheClient("1.0", events);
    const fed = translate(events, translation);
    expect(ending(fed)).toBeUndefined();
    expect(translation.asking?.waits).toEqual([
      {
        kind: "approval",
        step: 1,
        name: "1",
        reason: "May I?",
        tool_call_id: "c",
        tool_name: "pay",
        args: { n: 1 },
        until: "2026-01-02",
      },
      {
        kind: "signal",
        step: 2,
        name: "2",
        reason: "input_required",
        args: { reason: "input_required", response_schema: { type: "string" } },
        until: undefined,
      },
      { kind: "signal", step: 3, name: "3", reason: `${"x".repeat(499)}…`, until: undefined },
    ]);
    const rest = translate(
      [started, result("c", "42"), ...message("m", "on"), done],
      new Translation(soFarOf(fed)),
    );
    expectLegal([...fed, ...rest]);
    expect(ending(rest).content).toBe("so far\n\non");
    expect(only(rest, "tool_completed")).toMatchObject([{ tool_call_id: "c", status: "ok", result: "42" }]);
  });

  test.each([
    ["in a message", text.slice(0, 2)],
    ["in a call", [...text, ...call("c", "look")]],
    ["before anything", []],
  ])("[R5] of a stream that was cut %s keeps what there is", (_, events) => {
    const fed = tolerated([started, ...events]);
    expect(ending(fed)).toMatchObject({
      status: "interrupted",
      finish_reason: "interrupted",
      content: events.length === 0 ? "" : "so far",
      error: { code: "agent_stream_cut", retryable: true },
    });
  });

  test("[R5] is understood whatever else is wrong with it", () => {
    const odd = tolerated([started, ...text, { type: "RUN_FINISHED", outcome: "done", usage: "none" }]);
    expect(ending(odd)).toMatchObject({ status: "succeeded", finish_reason: "other", content: "so far" });
    expect(ending(tolerated([{ type: "RUN_FINISHED", outcome: null }])).status).toBe("succeeded");
    expect(ending(tolerated([outcome({ type: "interrupt" })])).error.code).toBe(
      "agent_interrupt_unsupported",
    );
    expect(ending(tolerated([{ type: "RUN_ERROR", message: 7, usage: 8 }])).status).toBe("failed");
  });

  test("[R5] comes while things are open, and closes them", () => {
    const fed = tolerated([
      started,
      { type: "STEP_STARTED", stepName: "s" },
      ...reasoning("a", "hm").slice(0, 3),
      ...message("m", "so").slice(0, 2),
      ...call("c", "look", "{}").slice(0, 2),
      done,
    ]);
    expect(eventsOf(fed).map(({ type }) => type)).toEqual([
      "tool_executing",
      "agent_thinking",
      "tool_completed",
      "agent_completed",
    ]);
  });
});

describe("what else an agent sends", () => {
  test("[R6] is passed over: state, raw events, what nobody knows, fields that are wrong", async () => {
    const fed = await legal([
      started,
      { type: "STATE_SNAPSHOT", snapshot: { a: 1 } },
      { type: "STATE_DELTA", delta: [{ op: "add", path: "/b", value: 2 }] },
      { type: "RAW", event: { anything: 1 } },
      { type: "CUSTOM", name: "other", value: 1 },
      ...message("m", "so"),
      done,
    ]);
    expect(eventsOf(fed)).toHaveLength(1);
    const odd = tolerated([
      { type: "SOMETHING_NEW", delta: "x" },
      { type: "TEXT_MESSAGE_CONTENT", messageId: 1, delta: "x" },
      { type: "TEXT_MESSAGE_CONTENT", messageId: "m" },
      { type: "constructor" },
      { type: "TOOL_CALL_START", toolCallId: "c" },
      toolChunk(undefined, undefined, "{}"),
      { type: "SUBAGENT_ERROR", subagentRunId: "s" },
      { ...message("m", "so")[1], subagentRunId: null } as unknown as Sent,
      done,
    ]);
    expect(ending(odd)).toMatchObject({ status: "succeeded", content: "so" });
    expect(eventsOf(odd)).toHaveLength(1);
  });

  const report = {
    summary: "Do it",
    findings: [],
    recommendations: [],
    assumptions: [],
    questions: [],
  };

  test("[R6] as its report is one if it has the shape of ours", async () => {
    const custom = (value: unknown) => ({ type: "CUSTOM", name: "final_report", value });
    const fed = await legal([started, custom(report), custom({ summary: 1 }), custom("x"), done]);
    expect(only(fed, "final_report")).toEqual([{ step: 1, report }]);
  });

  test("[R6] as its usage is counted in our words, and nothing else in it is kept", async () => {
    const usage = [
      { provider: "p", model: "m", inputTokens: 3, outputTokens: 4, totalTokens: 7 },
      { cachedInputTokens: 1, cacheWriteInputTokens: 2, reasoningTokens: 5 },
    ];
    const fed = await legal([started, { ...done, usage }]);
    expect(ending(fed).usage).toEqual([
      { provider: "p", model: "m", input_tokens: 3, output_tokens: 4, total_tokens: 7 },
      { cached_input_tokens: 1, cache_write_input_tokens: 2, reasoning_tokens: 5 },
    ]);
    const odd = tolerated([
      started,
      { ...done, usage: [{ inputTokens: -1, model: 7, secret: "x" }, null, "x"] },
    ]);
    expect(ending(odd).usage).toEqual([{}]);
  });
});

describe("too much", () => {
  test("[R7] text ends the answer at its limit, with `length`", () => {
    const piece = "é".repeat(1_000);
    const translation = new Translation();
    const fed = translate([started, ...message("m", ...Array(200).fill(piece)), done], translation);
    expectLegal(fed);
    expect(ending(fed)).toMatchObject({ status: "succeeded", finish_reason: "length" });
    expect(utf8Length(ending(fed).content)).toBe(MAX_ANSWER_BYTES);
    const exact = translate([started, ...message("m", "x".repeat(MAX_ANSWER_BYTES)), done]);
    expect(ending(exact)).toMatchObject({ finish_reason: "stop" });
  });

  test("[R7] text of one who does not stream is no exception", () => {
    const fed = tolerated([started, { ...done, result: "x".repeat(MAX_ANSWER_BYTES + 1) }]);
    expect(ending(fed)).toMatchObject({ status: "succeeded", finish_reason: "length" });
  });

  test("[R7] in one call is said to be too much, and the run goes on", () => {
    const huge = JSON.stringify("x".repeat(300_000));
    const fed = tolerated([
      started,
      ...call("a", "n".repeat(5_000), huge.slice(0, 150_000), huge.slice(150_000)),
      result("a", huge),
      ...call("b", "look", "x".repeat(1_000_000)),
      result("b", "\u0001".repeat(100_000)),
      ...message("m", "so"),
      done,
    ]);
    expect(only(fed, "tool_executing").map(({ args }) => args.error.code)).toEqual([
      "arguments_too_large",
      "arguments_too_large",
    ]);
    expect(only(fed, "tool_completed").map(({ status, error }) => [status, error.code])).toEqual([
      ["error", "result_too_large"],
      ["error", "result_too_large"],
    ]);
    expect(only(fed, "tool_executing")[0].tool_name).toHaveLength(200);
    expect(ending(fed)).toMatchObject({ status: "succeeded", content: "so" });
  });

  test("[R7] thought is cut, and it shows", () => {
    const fed = tolerated([
      started,
      ...reasoning(
        "a",
        ..."\u0001"
          .repeat(40)
          .split("")
          .map((c) => c.repeat(1_000)),
      ),
      done,
    ]);
    const [{ thought }] = only(fed, "agent_thinking");
    expect([thought.length, thought.endsWith("…")]).toEqual([32 * 1_024, true]);
  });

  test.each([
    ["events", Array.from({ length: MAX_FED_EVENTS }, (_, i) => reasoning(`${i}`, "hm")).flat()],
    ["calls", Array.from({ length: MAX_FED_EVENTS }, (_, i) => call(`${i}`, "look")).flat()],
    [
      "to be kept",
      Array.from({ length: 40 }, (_, i) => [
        ...call(`${i}`, "look"),
        result(`${i}`, "x".repeat(200_000)),
      ]).flat(),
    ],
    ["that is never finished", Array.from({ length: 20_000 }, (_, i) => call(`${i}`, "look")[0] as Sent)],
    [
      "that is never begun, and says nothing",
      Array.from({ length: 20_000 }, (_, i) => ({
        type: "REASONING_MESSAGE_CONTENT",
        messageId: `${i}`,
        delta: "",
      })),
    ],
    [
      "that is never begun, and waits for its turn",
      [
        { type: "TEXT_MESSAGE_START", messageId: "m" },
        ...Array.from({ length: 20_000 }, (_, i) => ({
          type: "TEXT_MESSAGE_CONTENT",
          messageId: `${i}`,
          delta: "",
        })),
      ],
    ],
    [
      "of long names",
      Array.from({ length: 40 }, (_, i) => activity(`${i}${"x".repeat(200_000)}`, { text: "hm" })),
    ],
    [
      "that waits for its turn",
      [
        { type: "TEXT_MESSAGE_START", messageId: "m" },
        ...message("n", ...Array(50).fill("x".repeat(100_000))),
      ],
    ],
  ])("[R7] %s ends the run as failed, with its text", (_, events) => {
    const fed = tolerated([started, ...message("m", "so far"), ...events, done]);
    expect(ending(fed)).toMatchObject({ error: { code: "agent_too_much", retryable: false } });
    expect(textOf(fed)).toMatch(/^so far/);
  });
});

function activity(messageId: string, content: object): Sent {
  return { type: "ACTIVITY_SNAPSHOT", messageId, activityType: "PLAN", content };
}
