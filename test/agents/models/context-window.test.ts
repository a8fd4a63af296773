import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitToWindow } from "../../../src/agents/models/context-window.ts";
import type { ModelMessage } from "../../../src/agents/models/model.ts";
import { messageTokens, textTokens, toolTokens } from "../../../src/agents/models/tokens.ts";
import { LOOKUP } from "./support.ts";

const SYSTEM: ModelMessage = { role: "system", content: "Be brief." };

/** 24 tokens each: 4 for the message and 80 bytes. */
function user(name: string): ModelMessage {
  return { role: "user", content: name.padEnd(80, ".") };
}

function assistant(name: string): ModelMessage {
  return { role: "assistant", content: name.padEnd(80, ".") };
}

/** An answer that calls a tool, and its result. */
function round(id: string): ModelMessage[] {
  return [
    {
      role: "assistant",
      content: "",
      tool_calls: [{ tool_call_id: id, tool_name: "lookup", args_text: "{}" }],
    },
    { role: "tool", tool_call_id: id, tool_name: "lookup", content: id.padEnd(80, ".") },
  ];
}

function tokensOf(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, message) => sum + messageTokens(message), 0);
}

/** A window that has exactly room for these. */
function windowFor(messages: readonly ModelMessage[], less = 0) {
  return { context_tokens: tokensOf(messages) + 100 - less, max_output_tokens: 100 };
}

describe("the estimate", () => {
  test.each([
    ["", 0],
    ["a", 1],
    ["abcd", 1],
    ["abcde", 2],
    ["ü🙂", 2],
  ])("[O12] %j is %i tokens: its bytes by four, rounded up", (text, tokens) => {
    expect(textTokens(text)).toBe(tokens);
  });

  test("[O12] a message is four more; calls and tools count", () => {
    expect(messageTokens({ role: "user", content: "abcd" })).toBe(5);
    expect(messageTokens(round("a")[0]!)).toBe(4 + 2 + 1);
    expect(toolTokens([LOOKUP])).toBe(4 + Math.ceil(JSON.stringify(LOOKUP).length / 4));
  });
});

describe("the window", () => {
  const [q1, a1, q2, a2, q3] = [user("q1"), assistant("a1"), user("q2"), assistant("a2"), user("q3")];
  const all = [SYSTEM, q1, a1, q2, a2, q3];

  test("[O12] a conversation that fits is left alone", () => {
    expect(fitToWindow(all, windowFor(all))).toEqual({
      messages: all,
      dropped: 0,
      input_tokens: tokensOf(all),
      fits: true,
    });
  });

  test("[O12] one token less, and the oldest turn is left out, question and answer", () => {
    expect(fitToWindow(all, windowFor(all, 1))).toMatchObject({
      messages: [SYSTEM, q2, a2, q3],
      dropped: 2,
      fits: true,
    });
  });

  test("[O12] a turn in the middle is never skipped to keep an older one", () => {
    const long = user("x".repeat(4_000));
    expect(fitToWindow([q1, a1, long, a2, q3], windowFor([q1, a1, q3])).messages).toEqual([q3]);
  });

  test("[O12] the system's messages and the newest question stay, whatever there is room for", () => {
    expect(fitToWindow(all, { context_tokens: 10, max_output_tokens: 5 })).toMatchObject({
      messages: [SYSTEM, q3],
      dropped: 4,
      fits: false,
    });
  });

  test("[O12] what is kept free for the answer, and what the tools take, is not for the conversation", () => {
    const { context_tokens } = windowFor(all);
    expect(fitToWindow(all, { context_tokens, max_output_tokens: 101 }).dropped).toBe(2);
    const tools = [LOOKUP];
    expect(fitToWindow(all, { context_tokens, max_output_tokens: 100, tools }).dropped).toBe(2);
    const roomier = { context_tokens: context_tokens + toolTokens(tools), max_output_tokens: 100, tools };
    expect(fitToWindow(all, roomier)).toMatchObject({
      dropped: 0,
      input_tokens: tokensOf(all) + toolTokens(tools),
    });
  });

  test("[O12] in a long loop of tools the oldest rounds go, results with their calls, and every older turn before", () => {
    const loop = [q1, a1, q2, ...round("r1"), ...round("r2"), ...round("r3")];
    const kept = [q2, ...round("r2"), ...round("r3")];
    expect(fitToWindow(loop, windowFor(kept)).messages).toEqual(kept);
    const last = [q2, ...round("r3")];
    expect(fitToWindow(loop, windowFor(last)).messages).toEqual(last);
    expect(fitToWindow(loop, windowFor(last, 1))).toMatchObject({ messages: last, fits: false });
  });

  test("[O12] a result whose call is not there is left out", () => {
    const stray = round("r0")[1]!;
    expect(fitToWindow([stray, q1, stray, a1, stray, q2], windowFor(all)).messages).toEqual([q1, a1, q2]);
  });

  test("[O12] nothing at all fits", () => {
    expect(fitToWindow([], windowFor([]))).toEqual({ messages: [], dropped: 0, input_tokens: 0, fits: true });
  });

  test("[O12] whatever the conversation: in order, within the budget, no gap, no result without its call", () => {
    const content = fc.string({ maxLength: 200, unit: "grapheme" });
    const turn = fc
      .record({
        question: content,
        rounds: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
        answer: content,
      })
      .map(({ question, rounds, answer }) => ({ question, rounds, answer }));
    fc.assert(
      fc.property(
        fc.array(turn, { maxLength: 6 }),
        fc.integer({ min: 0, max: 600 }),
        fc.boolean(),
        (turns, context_tokens, answered) => {
          const messages = [SYSTEM, ...turns.flatMap((each, index) => spoken(each, index, answered))];
          const window = { context_tokens, max_output_tokens: 50 };
          const { messages: kept, dropped, fits, input_tokens } = fitToWindow(messages, window);
          expect(kept).toEqual(messages.filter((message) => kept.includes(message)));
          expect(kept.length + dropped).toBe(messages.length);
          expect(input_tokens).toBe(tokensOf(kept));
          expect(fits).toBe(input_tokens <= context_tokens - 50);
          expect(kept[0]).toBe(SYSTEM);
          const question = messages.findLast(({ role }) => role === "user");
          if (question !== undefined) expect(kept).toContain(question);
          kept.forEach((message, index) => {
            if (message.role === "tool") expect(callsBefore(kept, index)).toContain(message.tool_call_id);
            if (message.role === "assistant") {
              const results = (message.tool_calls ?? []).map(({ tool_call_id }) => tool_call_id);
              expect(resultsAfter(kept, index)).toEqual(results);
            }
          });
          // Dropping less would not have fitted.
          if (dropped > 0 && fits) expect(tokensOf(messages)).toBeGreaterThan(context_tokens - 50);
        },
      ),
    );
  });
});

interface Turn {
  readonly question: string;
  readonly rounds: readonly number[];
  readonly answer: string;
}

/** `rounds`: how many tools each one calls. */
function spoken({ question, rounds, answer }: Turn, index: number, answered: boolean): ModelMessage[] {
  const called = rounds.flatMap((calls, round): ModelMessage[] => {
    const ids = Array.from({ length: calls }, (_, call) => `${index}.${round}.${call}`);
    return [
      {
        role: "assistant",
        content: answer,
        tool_calls: ids.map((tool_call_id) => ({ tool_call_id, tool_name: "lookup", args_text: "{}" })),
      },
      ...ids.map(
        (tool_call_id): ModelMessage => ({
          role: "tool",
          tool_call_id,
          tool_name: "lookup",
          content: answer,
        }),
      ),
    ];
  });
  return [{ role: "user", content: question }, ...called, ...(answered ? [assistant(answer)] : [])];
}

function callsBefore(messages: readonly ModelMessage[], index: number): readonly string[] {
  const before = messages.slice(0, index).findLast(({ role }) => role !== "tool");
  return before?.role === "assistant"
    ? (before.tool_calls ?? []).map(({ tool_call_id }) => tool_call_id)
    : [];
}

function resultsAfter(messages: readonly ModelMessage[], index: number): readonly string[] {
  const after = messages.slice(index + 1);
  const end = after.findIndex(({ role }) => role !== "tool");
  return (end < 0 ? after : after.slice(0, end)).flatMap((each) =>
    each.role === "tool" ? [each.tool_call_id] : [],
  );
}
