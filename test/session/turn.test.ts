import { describe, expect, test } from "vitest";
import { connect, newUser, type TestClient } from "../support/client.ts";
import { probe } from "../support/probe.ts";

const SCRIPT = [
  { think: "let me see" },
  { tool: "echo", key: "t", value: { deep: [1, "ü", null] } },
  { text: "Hello " },
  { text: "world" },
  { report: "done" },
];

async function ask(client: TestClient, id: string, script: readonly unknown[]) {
  client.say(id, "hi", { data: { script } });
  return await client.next((frame) => frame.type === "agent_completed");
}

describe("a turn", () => {
  test("[N1] emits the five events and the report in a legal order, after the ack", async () => {
    const client = await connect(newUser());
    client.say("c1", "hi", { data: { script: SCRIPT } });
    const ack = await client.next("message_ack");
    await client.next("agent_completed");
    expect(ack).toMatchObject({ reply_to: "c1", payload: { seq: 1, duplicate: false } });
    expect(client.events().map(({ type }) => type)).toEqual([
      "user_message",
      "agent_started",
      "agent_thinking",
      "tool_executing",
      "tool_completed",
      "final_report",
      "agent_completed",
    ]);
    expect(client.seqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("[N2] numbers the events of a run from 0 without a gap and names run, thread and agent in each", async () => {
    const client = await connect(newUser());
    const done = await ask(client, "c1", SCRIPT);
    const ofRun = client.events().slice(1);
    expect(ofRun.map(({ payload }) => payload.run_seq)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { payload } of ofRun) {
      expect(payload).toMatchObject({
        run_id: done.payload.run_id,
        thread_id: "main",
        agent_name: "advisor",
      });
    }
  });

  test("[N3] carries the whole answer in agent_completed, equal to the concatenation of what was streamed", async () => {
    const client = await connect(newUser());
    const done = await ask(client, "c1", [{ text: "a👍b ", times: 50, pace_ms: 1 }]);
    const streamed = client.of("partial_result").map(({ payload }) => payload);
    let text = "";
    for (const { offset, delta } of streamed) {
      expect(offset).toBe(text.length);
      text += delta;
    }
    expect(text).toBe("a👍b ".repeat(50));
    expect(done.payload).toMatchObject({
      content: text,
      status: "succeeded",
      finish_reason: "stop",
      attempts: 1,
    });
    expect(streamed.every(({ message_id }) => message_id === done.payload.message_id)).toBe(true);
  });

  test("[N4] flushes pending text before any later event of the run", async () => {
    const client = await connect(newUser());
    await ask(client, "c1", [{ text: "one" }, { text: " two" }, { text: " three" }, { think: "then" }]);
    const types = client.frames.map(({ type }) => type);
    expect(types.lastIndexOf("partial_result")).toBeLessThan(types.indexOf("agent_thinking"));
    const text = client.of("partial_result").map(({ payload }) => payload.delta);
    expect(text.join("")).toBe("one two three");
  });

  test("[N5] shows arguments and result of a tool exactly as they were", async () => {
    const client = await connect(newUser());
    await ask(client, "c1", SCRIPT);
    const [executing] = client.of("tool_executing");
    const [completed] = client.of("tool_completed");
    expect(executing?.payload).toMatchObject({
      tool_name: "echo",
      args: { key: "t", value: { deep: [1, "ü", null] } },
    });
    expect(completed?.payload).toMatchObject({ status: "ok", result: { echoed: { deep: [1, "ü", null] } } });
    expect(completed?.payload.tool_call_id).toBe(executing?.payload.tool_call_id);
  });

  test("[N6] runs the calls of one effect in parallel and hands the outcomes back in their order", async () => {
    const sub = newUser();
    const client = await connect(sub);
    probe.hold(sub);
    // The first call can only end once the second has run, and the agent writes the outcomes down.
    const calls = [
      { tool: "hold", key: sub },
      { tool: "release", key: sub },
    ];
    const done = await ask(client, "c1", [{ tools: calls }]);
    const completed = client.of("tool_completed").map(({ payload }) => payload);
    expect(completed.map(({ tool_name }) => tool_name)).toEqual(["release", "hold"]);
    expect(completed.map(({ step }) => step)).toEqual([1, 1]);
    expect(client.of("tool_executing").map(({ payload }) => payload.tool_name)).toEqual(["hold", "release"]);
    expect(done.payload.content).toBe('[{"released":"held"},{"released":"now"}]');
  });

  test("[Q1] keeps content unchanged whatever it holds", async () => {
    const client = await connect(newUser());
    const content = 'ünïcödé 👩‍👩‍👧 \u202e rtl \u0000 nul " \\ \n </script> \ud800 lone';
    client.send(
      `{"type":"user_message","id":"u","payload":{"content":${JSON.stringify(content)},"respond":false}}`,
    );
    const event = await client.next("user_message");
    expect(event.payload.content).toBe(content);
  });
});

describe("a run that goes wrong", () => {
  test("[N7] ends as failed, once, when the agent throws, and says nothing of what was thrown", async () => {
    const client = await connect(newUser());
    const done = await ask(client, "c1", [{ text: "part" }, { throws: "now" }]);
    expect(done.payload).toMatchObject({
      status: "failed",
      content: "part",
      finish_reason: "error",
      error: { code: "agent_failed", retryable: true },
    });
    expect(client.texts.join()).not.toContain("inner detail");
    expect(client.of("agent_completed")).toHaveLength(1);
  });

  test("[N7] ends as failed when a tool it relies on fails, with the tool's own event first", async () => {
    const client = await connect(newUser());
    const done = await ask(client, "c1", [{ tool: "fail", key: "x" }]);
    expect(client.of("tool_completed")[0]?.payload).toMatchObject({
      status: "error",
      error: { code: "tool_failed" },
    });
    expect(done.payload).toMatchObject({ status: "failed", error: { code: "tool_failed" } });
    expect(client.texts.join()).not.toContain("secret inner detail");
  });

  test("[N7] refuses arguments that do not fit the tool before executing it", async () => {
    const client = await connect(newUser());
    await ask(client, "c1", [{ bad_args: true }]);
    expect(client.of("tool_completed")[0]?.payload.error).toMatchObject({ code: "invalid_args" });
  });

  test("[N7] refuses a tool result over 64 KiB", async () => {
    const client = await connect(newUser());
    await ask(client, "c1", [{ tool: "huge", key: "x" }]);
    expect(client.of("tool_completed")[0]?.payload.error).toMatchObject({ code: "result_too_large" });
  });

  test("[N8] ends as failed at the twenty-first durable step, not at the twentieth", async () => {
    const client = await connect(newUser());
    const twenty = Array.from({ length: 20 }, (_, i) => ({ think: `thought ${i}` }));
    expect((await ask(client, "c1", twenty)).payload.status).toBe("succeeded");
    const over = await ask(client, "c2", [...twenty, { think: "one more" }]);
    expect(over.payload).toMatchObject({ status: "failed", error: { code: "step_limit" } });
  });

  test("[N9] cuts an answer over 256 KiB at its limit and says so", async () => {
    const client = await connect(newUser());
    const done = await ask(client, "c1", [
      { text: "é".repeat(1_000), times: 140 },
      { think: "never reached" },
    ]);
    expect(done.payload).toMatchObject({ status: "succeeded", finish_reason: "length" });
    expect(new TextEncoder().encode(done.payload.content).byteLength).toBeLessThanOrEqual(256 * 1024);
    expect(done.payload.content.endsWith("é")).toBe(true);
    expect(client.of("agent_thinking")).toHaveLength(0);
  });
});
