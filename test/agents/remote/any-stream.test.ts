/** Whatever an AG-UI agent sends: what comes out is a run. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  asTheClient,
  call,
  ending,
  expectLegal,
  message,
  only,
  result,
  type Sent,
  started,
  translateAll,
} from "./support.ts";

const RUNS = 150;

/** Words of which some need more than one code unit, or more than one byte, or are empty. */
const word = fc.constantFrom("", "a", "so it is ", "\n", "é", "😀", '{"x":', "1}", "[", "\ud83d", "\ude00");
const words = fc.array(word, { maxLength: 4 });
const at = (prefix: string) => fc.nat(3).map((n) => `${prefix}${n}`);

/** What one producer does from beginning to end; others do the same meanwhile. */
const activity: fc.Arbitrary<readonly Sent[]> = fc.oneof(
  words.map((deltas) => message("m", ...deltas)),
  fc
    .tuple(words, fc.boolean())
    .map(([deltas, told]) => [
      ...call("c", "look", ...deltas),
      ...(told ? [result("c", deltas.join(""))] : []),
    ]),
  words.map((deltas): Sent[] => [
    { type: "REASONING_START", messageId: "r" },
    { type: "REASONING_MESSAGE_START", messageId: "r", role: "reasoning" },
    ...deltas.map((delta) => ({ type: "REASONING_MESSAGE_CONTENT", messageId: "r", delta })),
    { type: "REASONING_MESSAGE_END", messageId: "r" },
    { type: "REASONING_END", messageId: "r" },
  ]),
  fc.constant<Sent[]>([
    { type: "STEP_STARTED", stepName: "s" },
    { type: "STEP_FINISHED", stepName: "s" },
  ]),
  fc.constant<Sent[]>([{ type: "CUSTOM", name: "any", value: 1 }]),
  fc.constant<Sent[]>([
    { type: "ACTIVITY_SNAPSHOT", messageId: "a", activityType: "x", content: { text: "t" } },
  ]),
);

const finish = fc.constantFrom<Record<string, unknown>>(
  {},
  { outcome: { type: "success" } },
  { outcome: { type: "interrupt", interrupts: [{ id: "i", reason: "why" }] } },
  { usage: [{ inputTokens: 1 }] },
);

/** Each with ids of its own, in any order between them. */
const legalStream = fc
  .tuple(fc.array(activity, { maxLength: 6 }), fc.array(fc.nat(5), { maxLength: 60 }), finish)
  .map(([activities, turns, end]) => {
    const queues = activities.map((events, n) => events.map((event) => named(event, n)));
    const order = [...turns, ...queues.flatMap((events, n) => events.map(() => n))];
    const mixed = order.flatMap((n) => queues[n]?.shift() ?? []);
    return [started, ...mixed, { type: "RUN_FINISHED", threadId: "t", runId: "r", ...end }];
  });

function named(event: Sent, n: number): Sent {
  const ids = ["messageId", "toolCallId", "stepName"].filter((field) => field in event);
  return { ...event, ...Object.fromEntries(ids.map((field) => [field, `${String(event[field])}${n}`])) };
}

/** In no order at all. */
const anyEvent: fc.Arbitrary<Sent> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.oneof(event("TEXT_MESSAGE_START", "messageId"), event("TEXT_MESSAGE_END", "messageId")),
  },
  {
    weight: 12,
    arbitrary: fc.oneof(event("TEXT_MESSAGE_CONTENT", "messageId"), event("TEXT_MESSAGE_CHUNK", "messageId")),
  },
  {
    weight: 12,
    arbitrary: fc.oneof(event("TOOL_CALL_START", "toolCallId"), event("TOOL_CALL_END", "toolCallId")),
  },
  {
    weight: 12,
    arbitrary: fc.oneof(event("TOOL_CALL_ARGS", "toolCallId"), event("TOOL_CALL_CHUNK", "toolCallId")),
  },
  { weight: 6, arbitrary: event("TOOL_CALL_RESULT", "toolCallId") },
  {
    weight: 12,
    arbitrary: fc.oneof(
      ...["START", "CONTENT", "END", "CHUNK"].map((kind) => event(`REASONING_MESSAGE_${kind}`, "messageId")),
      ...["START", "CONTENT", "END"].map((kind) => event(`THINKING_TEXT_MESSAGE_${kind}`, "messageId")),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      { type: "STEP_STARTED", stepName: "s" },
      { type: "STEP_FINISHED", stepName: "s" },
      { type: "RUN_STARTED" },
      { type: "SUBAGENT_STARTED", subagentRunId: "s0", name: "helper" },
      { type: "SUBAGENT_FINISHED", subagentRunId: "s0" },
      { type: "MESSAGES_SNAPSHOT", messages: [{ role: "user" }, { role: "assistant", content: "x" }] },
      { type: "NOBODY_KNOWS" },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Sent>(
      { type: "RUN_FINISHED" },
      { type: "RUN_FINISHED", outcome: { type: "cancelled" } },
      { type: "RUN_FINISHED", outcome: { type: "interrupt", interrupts: [{ id: "x", toolCallId: "i0" }] } },
      { type: "RUN_ERROR", message: "no" },
    ),
  },
);

function event(type: string, field: string): fc.Arbitrary<Sent> {
  const by = fc.option(at("s"), { nil: undefined, freq: 3 });
  const id = type.endsWith("CHUNK") ? fc.option(at("i"), { nil: undefined }) : at("i");
  return fc
    .record({ id, by, delta: word, toolCallName: at("tool") })
    .map(({ id, by, ...rest }) => ({ type, [field]: id, subagentRunId: by, content: rest.delta, ...rest }));
}

describe("any stream", () => {
  test("[R1] that the real clients take is a legal run, and its answer is what they show", async () => {
    await fc.assert(
      fc.asyncProperty(legalStream, async (events) => {
        const fed = translateAll(events);
        expectLegal(fed);
        const shown = await asTheClient("1.0", events);
        expect(await asTheClient("0.0", events)).toEqual(shown);
        expect(ending(fed).content).toBe(shown.filter((text) => text !== "").join("\n\n"));
        const made = events.filter(({ type }) => type === "TOOL_CALL_START").length;
        expect(only(fed, "tool_executing")).toHaveLength(made);
      }),
      { numRuns: RUNS },
    );
  });

  test("[R1] cut anywhere is a legal run", () => {
    fc.assert(
      fc.property(legalStream, fc.nat(40), (events, length) => {
        const fed = translateAll(events.slice(0, Math.min(length, events.length - 1)));
        expectLegal(fed);
        expect(ending(fed).error.code).toBe("agent_stream_cut");
      }),
      { numRuns: RUNS },
    );
  });

  test("[R1] of events in no order at all is a legal run", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 80 }), (events) => expectLegal(translateAll(events))),
      { numRuns: RUNS * 4 },
    );
  });
});
