import { describe, expect, test } from "vitest";
import type { Conversation, Message } from "../../src/client/index.ts";
import { PendingMessages } from "../../src/web/pending.ts";
import { turnsOf } from "../../src/web/turns.ts";

const AT = "2026-11-21T00:00:00.000Z";

function viewWith(
  ...messages: readonly Pick<Message, "message_id" | "thread_id" | "content">[]
): Conversation {
  return {
    last_seq: messages.length,
    threads: [],
    messages: messages.map((message, index) => ({
      ...message,
      role: "user",
      parent_message_id: null,
      seq: index + 1,
      timestamp: AT,
    })),
    runs: [],
    notifications: [],
  };
}

function shown(view: Conversation, thread_id: string, pending: PendingMessages): string[] {
  pending.settle(view);
  return turnsOf(view, { thread_id, pending: pending.of(thread_id) }).map((turn) =>
    turn.kind === "question"
      ? turn.message.content
      : turn.kind === "pending"
        ? `${turn.pending.content} …`
        : turn.kind,
  );
}

describe("messages on their way", () => {
  test("[W7] are shown behind the thread they were written in, and in no other", () => {
    const pending = new PendingMessages();
    pending.add({ key: "1", thread_id: "main", content: "hello" });
    expect(shown(viewWith(), "main", pending)).toEqual(["hello …"]);
    expect(shown(viewWith(), "another", pending)).toEqual([]);
  });

  test("[W7] are replaced by the stored message, whether the reply or the event comes first", () => {
    const stored = viewWith({ message_id: "m", thread_id: "main", content: "hello" });
    const pending = new PendingMessages();
    pending.add({ key: "1", thread_id: "main", content: "hello" });
    pending.change("1", { message_id: "m" });
    expect(shown(viewWith(), "main", pending)).toEqual(["hello …"]);
    expect(shown(stored, "main", pending)).toEqual(["hello"]);
  });

  test("[W7] do not come back when a snapshot no longer holds the message", () => {
    const pending = new PendingMessages();
    pending.add({ key: "1", thread_id: "main", content: "hello" });
    pending.change("1", { message_id: "m" });
    shown(viewWith({ message_id: "m", thread_id: "main", content: "hello" }), "main", pending);
    expect(shown(viewWith(), "main", pending)).toEqual([]);
  });

  test("[W7] that failed stay with their problem until they are forgotten", () => {
    const pending = new PendingMessages();
    pending.add({ key: "1", thread_id: "main", content: "hello" });
    pending.change("1", { problem: "Not sent: too large." });
    expect(pending.of("main")).toMatchObject([{ problem: "Not sent: too large." }]);
    pending.forget("1");
    expect(pending.of("main")).toEqual([]);
  });
});
