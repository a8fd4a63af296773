/** What a reader answers an agent that asks. */
import { describe, expect, test } from "vitest";
import type { Wait } from "../../src/client/index.ts";
import { isQuestion, isText, replyIn, schemaOf } from "../../src/web/replies.ts";

function wait(more: Partial<Wait>): Wait {
  return { wait_id: "w1", kind: "signal", expires_at: "2026-11-21T00:00:00.000Z", ...more };
}

describe("a question of an agent", () => {
  test.each<[boolean, Partial<Wait>]>([
    [true, { args: { reason: "Which?" } }],
    [true, { args: { reason: "Which?", response_schema: { type: "object" } } }],
    [false, {}],
    [false, { args: { amount: 1 } }],
    [false, { args: "reason" }],
    [false, { kind: "approval", args: { reason: "Which?" } }],
  ])("[W17] is told from what other services answer: %s for %j", (asked, more) => {
    expect(isQuestion(wait(more))).toBe(asked);
  });

  test.each<[unknown, string, unknown]>([
    [undefined, " the blue one ", { value: "the blue one" }],
    [{ type: "string" }, "7", { value: "7" }],
    [{ enum: ["a"] }, "a", { value: "a" }],
    [{ type: "number" }, "7", { value: 7 }],
    [{ type: "object" }, '{"a": [1]}', { value: { a: [1] } }],
    [{ type: "object" }, "{a}", { problem: "This is not JSON." }],
    [{ type: "boolean" }, "yes", { problem: "This is not JSON." }],
    [undefined, "  ", { problem: "Write an answer first." }],
  ])("[W17] whose answer is to be %j takes %j as %j", (schema, typed, reply) => {
    expect(replyIn(typed, schema)).toEqual(reply);
  });

  test("[W17] may say in what form it is to be answered", () => {
    const response_schema = { type: "object" };
    expect(schemaOf(wait({ args: { reason: "?", response_schema } }))).toBe(response_schema);
    expect(schemaOf(wait({ args: { reason: "?" } }))).toBeUndefined();
    expect([undefined, null, "object", {}].map(isText)).toEqual([true, true, true, true]);
  });
});
