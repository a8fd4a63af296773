import { describe, expect, test } from "vitest";
import { EMPTY_CONVERSATION } from "../../src/protocol/pure/conversation.ts";
import { type FoldedEvent, type FoldedStream, fold, inProgress } from "../../src/protocol/pure/fold.ts";

const AT = "2026-11-21T00:00:00.000Z";
const OF = { run_id: "r", thread_id: "main", agent_name: "advisor", timestamp: AT };

const TURN: FoldedEvent[] = [
  {
    type: "user_message",
    seq: 1,
    payload: {
      message_id: "m",
      thread_id: "main",
      thread: { title: "hi" },
      parent_message_id: null,
      run_id: "r",
      content: "hi",
      timestamp: AT,
    },
  },
  { type: "agent_started", seq: 2, payload: { ...OF, message_id: "m" } },
  { type: "agent_thinking", seq: 3, payload: { ...OF, step: 1, thought: "hm" } },
  {
    type: "tool_executing",
    seq: 4,
    payload: { ...OF, step: 2, tool_call_id: "c", tool_name: "t", args: { a: 1 } },
  },
  {
    type: "tool_completed",
    seq: 5,
    payload: { ...OF, step: 2, tool_call_id: "c", tool_name: "t", status: "ok", result: 2, duration_ms: 3 },
  },
  {
    type: "agent_completed",
    seq: 6,
    payload: {
      ...OF,
      message_id: "a",
      parent_message_id: "m",
      status: "succeeded",
      content: "Hello",
      attempts: 1,
    },
  },
];

function foldAll(frames: readonly (FoldedEvent | FoldedStream)[]) {
  return frames.reduce(fold, EMPTY_CONVERSATION);
}

function delta(offset: number, text: string, attempt = 1): FoldedStream {
  return { type: "partial_result", payload: { run_id: "r", attempt, offset, delta: text } };
}

describe("the fold", () => {
  test("[F1] makes one view of a turn: thread, both messages, the run with its steps", () => {
    const view = foldAll(TURN);
    expect(view.last_seq).toBe(6);
    expect(view.threads).toEqual([{ thread_id: "main", title: "hi", head_message_id: "a", updated_at: AT }]);
    expect(view.messages.map(({ role, content }) => [role, content])).toEqual([
      ["user", "hi"],
      ["assistant", "Hello"],
    ]);
    expect(view.runs).toMatchObject([
      {
        status: "succeeded",
        text: "Hello",
        steps: [
          { kind: "thinking", thought: "hm" },
          { kind: "tool", tool_name: "t", args: { a: 1 }, status: "ok", result: 2, duration_ms: 3 },
        ],
      },
    ]);
  });

  test("[F1] who missed the text as it was written ends with the same run as who did not", () => {
    const seen = [...TURN.slice(0, 5), delta(0, "Hel"), delta(3, "lo"), ...TURN.slice(5)];
    expect(foldAll(seen)).toEqual(foldAll(TURN));
  });

  test("[F2] ignores an event it has folded already, whatever the order of repetition", () => {
    const once = foldAll(TURN);
    expect(foldAll([...TURN, ...TURN])).toEqual(once);
    expect(fold(once, TURN[0] as FoldedEvent)).toBe(once);
    expect(foldAll(TURN.flatMap((event) => [event, event]))).toEqual(once);
  });

  test("[F3] appends deltas at their offset and sets the whole text, idempotently", () => {
    const running = foldAll(TURN.slice(0, 2));
    const once = [delta(0, "Hel"), delta(3, "lo")].reduce(fold, running);
    expect(once.runs[0]?.text).toBe("Hello");
    expect(fold(once, delta(3, "lo")).runs[0]?.text).toBe("Hello");
    const set: FoldedStream = {
      type: "partial_result",
      payload: { run_id: "r", attempt: 1, mode: "set", text: "He" },
    };
    expect(fold(once, set).runs[0]?.text).toBe("He");
  });

  test("[F4] ignores a delta it cannot join, one of a lower attempt, one of an ended run, one of an unknown run", () => {
    const running = foldAll(TURN.slice(0, 2));
    expect(fold(running, delta(7, "far"))).toBe(running);
    const second = fold(running, delta(0, "second", 2));
    expect(fold(second, delta(0, "first", 1))).toBe(second);
    const ended = foldAll(TURN);
    expect(fold(ended, delta(0, "late"))).toBe(ended);
    expect(fold(EMPTY_CONVERSATION, delta(0, "who"))).toBe(EMPTY_CONVERSATION);
  });

  test("[F4] begins anew with a higher attempt", () => {
    const first = fold(foldAll(TURN.slice(0, 2)), delta(0, "first try"));
    expect(fold(first, delta(0, "again", 2)).runs[0]).toMatchObject({ text: "again", attempt: 2 });
  });

  test("[F5] a snapshot replaces everything, and events_skipped only moves the position", () => {
    const view = foldAll(TURN);
    const empty = { threads: [], messages: [], runs: [], notifications: [] };
    expect(fold(view, { type: "state_snapshot", payload: { as_of_seq: 9, ...empty } })).toEqual({
      last_seq: 9,
      ...empty,
    });
    expect(fold(view, { type: "events_skipped", payload: { to: 8 } })).toEqual({ ...view, last_seq: 8 });
    expect(fold(view, { type: "events_skipped", payload: { to: 3 } }).last_seq).toBe(6);
  });

  test("[F6] shows a run whose beginning it never saw, and a waiting one as queued", () => {
    const view = foldAll([{ ...TURN[2], seq: 40 } as FoldedEvent]);
    expect(view.runs).toMatchObject([{ status: "running", steps: [{ thought: "hm" }] }]);
    const waiting = foldAll(TURN.slice(0, 1)).runs[0];
    expect(waiting?.status).toBe("queued");
    expect(waiting !== undefined && inProgress(waiting)).toBe(true);
  });

  test("[F8] keeps notifications in order, and passes over an event it does not know", () => {
    const note = (seq: number): FoldedEvent => ({
      type: "notification",
      seq,
      payload: { topic: `t${seq}`, data: seq, timestamp: AT },
    });
    const view = foldAll([note(1), note(2), note(2)]);
    expect(view.notifications).toEqual([
      { seq: 1, topic: "t1", data: 1, timestamp: AT },
      { seq: 2, topic: "t2", data: 2, timestamp: AT },
    ]);
    const unknown = { type: "from_the_future", seq: 3, payload: {} } as unknown as FoldedEvent;
    expect(fold(view, unknown)).toEqual({ ...view, last_seq: 3 });
  });

  test("[F7] moves the thread that was touched to the front and keeps its title", () => {
    const other: FoldedEvent = {
      type: "user_message",
      seq: 7,
      payload: {
        message_id: "m7",
        thread_id: "t2",
        thread: { title: "two" },
        parent_message_id: null,
        content: "x",
        timestamp: AT,
      },
    };
    const again: FoldedEvent = {
      type: "user_message",
      seq: 8,
      payload: { message_id: "m8", thread_id: "main", parent_message_id: "a", content: "y", timestamp: AT },
    };
    expect(foldAll([...TURN, other]).threads.map(({ title }) => title)).toEqual(["two", "hi"]);
    expect(foldAll([...TURN, other, again]).threads.map(({ title }) => title)).toEqual(["hi", "two"]);
  });

  test("[F9] shows a thread's current branch: an answer to one that was left moves nothing", () => {
    const question = TURN[0];
    if (question?.type !== "user_message") throw new Error("the turn begins with a question");
    const { run_id: _run, thread: _thread, ...said } = question.payload;
    const instead: FoldedEvent = { type: "user_message", seq: 2, payload: { ...said, message_id: "m2" } };
    const late = TURN.slice(1).map((event) => ({ ...event, seq: event.seq + 1 }) as FoldedEvent);
    const left = foldAll([question, instead, ...late]);
    expect(left.threads).toMatchObject([{ head_message_id: "m2" }]);
    expect(left.messages.map(({ message_id }) => message_id)).toEqual(["m", "m2", "a"]);
    const back: FoldedEvent = {
      type: "thread_updated",
      seq: 8,
      payload: { thread_id: "main", head_message_id: "a", timestamp: AT },
    };
    expect(foldAll([question, instead, ...late, back]).threads).toMatchObject([
      { head_message_id: "a", title: "hi" },
    ]);
  });

  test("[F9] asks again what is to be answered again, and forgets a thread with all that was in it", () => {
    const again: FoldedEvent = {
      type: "thread_updated",
      seq: 7,
      payload: { thread_id: "main", head_message_id: "m", run_id: "r2", timestamp: AT },
    };
    const asked = foldAll([...TURN, again]);
    expect(asked.threads).toMatchObject([{ head_message_id: "m" }]);
    expect(asked.runs).toMatchObject([{ run_id: "r" }, { run_id: "r2", question_id: "m", status: "queued" }]);
    const gone = fold(asked, {
      type: "thread_deleted",
      seq: 8,
      payload: { thread_id: "main", timestamp: AT },
    });
    expect(gone).toEqual({ ...EMPTY_CONVERSATION, last_seq: 8 });
  });
});
