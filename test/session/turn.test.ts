import { describe, expect, test } from "vitest";
import { connect, newUser } from "../support/client.ts";

const SCRIPT = [
  { think: "let me see" },
  { tool: "echo", key: "t" },
  { text: "Hello " },
  { text: "world" },
  { report: "done" },
];

describe("a turn", () => {
  test("[R1] emits the five events in order, the text and the report, after the ack", async () => {
    const client = await connect(newUser());
    client.say("c1", "hi", { data: { script: SCRIPT } });
    const ack = await client.next("message_ack");
    const done = await client.next("agent_completed");
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
    expect(done.payload).toMatchObject({ status: "succeeded", content: "Hello world", attempts: 1 });
  });
});
