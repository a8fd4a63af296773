/** Messages, runs and views, as short as a test wants them. */
import type { Conversation, Message, Run, Thread } from "../../src/client/index.ts";

const AT = "2026-11-21T00:00:00.000Z";

/** `m2` follows `m1`; `a…` are answers. The seq is the number in the id. */
export function message(id: string, parent: string | null, more: Partial<Message> = {}): Message {
  return {
    message_id: id,
    thread_id: "main",
    role: id.startsWith("a") ? "assistant" : "user",
    content: id,
    seq: Number(id.slice(1)),
    parent_message_id: parent,
    timestamp: AT,
    ...more,
  };
}

export function run(run_id: string, question_id: string, more: Partial<Run> = {}): Run {
  const blank = { agent_name: "advisor", attempt: 1, text: "", steps: [] } as const;
  return { run_id, thread_id: "main", question_id, status: "running", ...blank, ...more };
}

export function thread(thread_id: string, more: Partial<Thread> = {}): Thread {
  return { thread_id, title: thread_id, head_message_id: null, updated_at: AT, ...more };
}

export function view(parts: Partial<Conversation>): Conversation {
  return { last_seq: 1, threads: [], messages: [], runs: [], notifications: [], ...parts };
}
