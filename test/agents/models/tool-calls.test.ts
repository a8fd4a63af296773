import { describe, expect, test } from "vitest";
import { chunk, DONE, data, finish, stream, toolPiece } from "../../support/model-script.ts";
import { ask, failureOf, LOOKUP, partsOf, served } from "./support.ts";

/** Name, id and arguments of each call that these `tool_calls` deltas make. */
async function callsOf(...deltas: object[][]) {
  const script = stream(...deltas.map((tool_calls) => data(chunk({ tool_calls }))), ...finish("tool_calls"));
  const parts = await partsOf(served({}, script).model);
  return parts.flatMap((part) =>
    part.type === "tool_call" ? [[part.tool_call_id, part.tool_name, part.args_text]] : [],
  );
}

describe("tool calls", () => {
  test("[O2] parallel calls in interleaved pieces come whole and in order, before the finish", async () => {
    const parts = await partsOf(served({ model: "tools:3" }).model, ask("hi", { tools: [LOOKUP] }));
    expect(parts.filter(({ type }) => type !== "tool_call_piece")).toEqual([
      { type: "tool_call", tool_call_id: "call_0_x", tool_name: "lookup", args_text: '{"n":0}' },
      { type: "tool_call", tool_call_id: "call_1_x", tool_name: "lookup", args_text: '{"n":1}' },
      { type: "tool_call", tool_call_id: "call_2_x", tool_name: "lookup", args_text: '{"n":2}' },
      expect.objectContaining({ type: "finish", finish_reason: "tool-calls" }),
    ]);
    expect(parts.filter(({ type }) => type === "tool_call_piece")).toHaveLength(9);
  });

  test("[O2] a name may come in pieces, or whole in each piece", async () => {
    expect(
      await callsOf(
        [{ index: 0, id: "a", function: { name: "look", arguments: "" } }],
        [{ index: 0, function: { name: "up" } }],
        [{ index: 0, function: { name: "lookup", arguments: "{}" } }],
      ),
    ).toEqual([["a", "lookup", "{}"]]);
  });

  test("[O2] without an index the id says which call it is, without an id the order does", async () => {
    expect(
      await callsOf(
        [{ id: "a", function: { name: "one", arguments: '{"x"' } }],
        [{ function: { arguments: ":1}" } }],
        [{ id: "b", function: { name: "two", arguments: "{" } }],
        [{ id: "b", function: { arguments: "}" } }],
      ),
    ).toEqual([
      ["a", "one", '{"x":1}'],
      ["b", "two", "{}"],
    ]);
    expect(
      await callsOf([
        { function: { name: "one", arguments: "{}" } },
        { function: { name: "two", arguments: {} } },
      ]),
    ).toEqual([
      ["call_0", "one", "{}"],
      ["call_1", "two", "{}"],
    ]);
  });

  test("[O2] a number may be a text, and an id a number", async () => {
    expect(
      await callsOf(
        [{ index: "0", id: 7, function: { name: "one", arguments: '{"x"' } }],
        [{ index: "1", id: 8, function: { name: "two" } }],
        [{ index: "0", function: { arguments: ":1}" } }],
        [{ index: "first", id: 7, function: { arguments: "" } }],
      ),
    ).toEqual([
      ["7", "one", '{"x":1}'],
      ["8", "two", "{}"],
    ]);
  });

  test("[O2] a missing id is made up, the same each time; one that is there twice is not used twice", async () => {
    const pieces = [
      { index: 0, function: { name: "one", arguments: "{}" } },
      { index: 1, id: "a", function: { name: "two", arguments: "{}" } },
      { index: 2, id: "a", function: { name: "three", arguments: "{}" } },
    ];
    const expected = [
      ["call_0", "one", "{}"],
      ["a", "two", "{}"],
      ["call_2", "three", "{}"],
    ];
    expect(await callsOf(pieces)).toEqual(expected);
    expect(await callsOf(pieces)).toEqual(expected);
  });

  test("[O2] calls that are all number 0 are told apart by their ids", async () => {
    expect(
      await callsOf(
        [{ index: 0, id: "a", function: { name: "one", arguments: "{}" } }],
        [{ index: 0, id: "b", function: { name: "two", arguments: "{}" } }],
      ),
    ).toEqual([
      ["a", "one", "{}"],
      ["b", "two", "{}"],
    ]);
  });

  test("[O2] indexes may begin anywhere and leave some out; no arguments are an empty object", async () => {
    expect(
      await callsOf(
        [{ index: 1, id: "a", function: { name: "one" } }],
        [
          { index: 1e9, id: "b", function: { name: "two", arguments: null } },
          { index: 0, id: null, type: null, function: { name: null, arguments: "" } },
        ],
      ),
    ).toEqual([
      ["a", "one", "{}"],
      ["b", "two", "{}"],
    ]);
  });

  test('[O2] a server that stops for tools and calls it "stop" is understood', async () => {
    const script = stream(toolPiece(0, { id: "a", name: "lookup", args: "{}" }), ...finish("stop"));
    const parts = await partsOf(served({}, script).model);
    expect(parts.at(-1)).toMatchObject({ finish_reason: "tool-calls" });
  });

  test("[O2] calls of an answer in one piece are the same", async () => {
    const tool_calls = [{ id: "a", type: "function", function: { name: "lookup", arguments: '{"n":1}' } }];
    const answer = { choices: [{ message: { content: null, tool_calls }, finish_reason: "tool_calls" }] };
    const script = [
      { head: { status: 200, headers: { "Content-Type": "application/json; charset=utf-8" } } },
      { send: JSON.stringify(answer) },
    ];
    expect(await partsOf(served({}, script).model)).toEqual([
      { type: "tool_call_piece", chars: 14 },
      { type: "tool_call", tool_call_id: "a", tool_name: "lookup", args_text: '{"n":1}' },
      { type: "finish", finish_reason: "tool-calls", usage: undefined },
    ]);
  });

  test("[O10] more than 128 calls at once are no answer", async () => {
    const calls = (n: number) =>
      Array.from({ length: n }, (_, index) => ({ index, function: { name: "f", arguments: "{}" } }));
    expect(await callsOf(calls(128))).toHaveLength(128);
    const { failure } = await failureOf(
      served({}, stream(data(chunk({ tool_calls: calls(129) })), DONE)).model,
    );
    expect(failure.code).toBe("model_bad_response");
  });
});
