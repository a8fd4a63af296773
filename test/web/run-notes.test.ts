import { describe, expect, test } from "vitest";
import { RunNotes } from "../../src/web/run-notes.ts";
import { run } from "./support.ts";

type Event = Parameters<RunNotes["event"]>[0];

const OF_RUN = {
  run_id: "r1",
  thread_id: "main",
  agent_name: "clerk",
  run_seq: 1,
  timestamp: "2026-11-21T00:00:00.000Z",
};

const WAIT = {
  wait_id: "w1",
  kind: "approval",
  tool_name: "refund",
  expires_at: "2026-11-22T00:00:00.000Z",
} as const;

function waiting(wait_id: string): Event {
  return { type: "run_waiting", seq: 1, payload: { ...OF_RUN, ...WAIT, wait_id, step: 1, attempt: 1 } };
}

function resumed(wait_id: string, decision: "approved" | "denied" | "expired"): Event {
  return { type: "run_resumed", seq: 2, payload: { ...OF_RUN, wait_id, decision } };
}

function completed(more: Partial<Extract<Event, { type: "agent_completed" }>["payload"]> = {}): Event {
  const how = { status: "succeeded", content: "", finish_reason: "stop", attempts: 1 } as const;
  const payload = {
    ...OF_RUN,
    message_id: "a1",
    parent_message_id: "m1",
    duration_ms: 1,
    usage: [],
    ...how,
    ...more,
  };
  return { type: "agent_completed", seq: 9, payload };
}

function toolCompleted(tool_call_id: string): Event {
  const payload = { ...OF_RUN, step: 1, tool_call_id, tool_name: "t", status: "ok", duration_ms: 1 } as const;
  return { type: "tool_completed", seq: 3, payload };
}

function progress(tool_call_id: string, note: string): Parameters<RunNotes["progress"]>[0] {
  return { type: "tool_progress", payload: { run_id: "r1", tool_call_id, note } };
}

function snapshot(...runs: ReturnType<typeof run>[]): Parameters<RunNotes["snapshot"]>[0] {
  const rest = { as_of_seq: 9, threads: [], messages: [], notifications: [], version: 0, shared: {} };
  return { type: "state_snapshot", payload: { ...rest, runs: runs as never } };
}

function outcomes(notes: RunNotes): unknown {
  return notes.of("r1")?.waits.map(({ wait, outcome }) => [wait.wait_id, outcome]);
}

describe("what a run waits for", () => {
  test("[W13] stays in its place, and says how it ended", () => {
    const notes = new RunNotes();
    for (const event of [waiting("w1"), waiting("w2"), resumed("w2", "denied")]) notes.event(event);
    expect(outcomes(notes)).toEqual([
      ["w1", undefined],
      ["w2", "denied"],
    ]);
    notes.event(resumed("w1", "approved"));
    expect(outcomes(notes)).toEqual([
      ["w1", "approved"],
      ["w2", "denied"],
    ]);
    expect(notes.of("r2")).toBeUndefined();
  });

  test("[W13] is there again after a reload: the snapshot has what is open", () => {
    const notes = new RunNotes();
    notes.snapshot(snapshot(run("r1", "m1", { status: "waiting", waits: [WAIT] })));
    expect(outcomes(notes)).toEqual([["w1", undefined]]);
    notes.event(resumed("w1", "expired"));
    expect(outcomes(notes)).toEqual([["w1", "expired"]]);
  });

  test("[W13] is shown no longer where a snapshot comes without it; what ended before is", () => {
    const notes = new RunNotes();
    for (const event of [waiting("w1"), resumed("w1", "approved"), waiting("w2")]) notes.event(event);
    notes.progress(progress("c1", "half way"));
    notes.snapshot(snapshot(run("r2", "m2")));
    expect(outcomes(notes)).toEqual([["w1", "approved"]]);
    expect(notes.of("r1")?.progress.size).toBe(0);
  });

  test("[W15] was not answered where the run ended first", () => {
    const notes = new RunNotes();
    for (const event of [waiting("w1"), waiting("w2"), resumed("w1", "denied")]) notes.event(event);
    notes.event(completed({ status: "cancelled", finish_reason: "cancelled" }));
    expect(outcomes(notes)).toEqual([
      ["w1", "denied"],
      ["w2", "unanswered"],
    ]);
  });

  test("[W13] that was never seen ends without a trace", () => {
    const notes = new RunNotes();
    notes.event(resumed("w7", "approved"));
    expect(outcomes(notes)).toEqual([]);
  });
});

describe("what else is told of a run", () => {
  test("[W16] of each tool at work the newest note, until it has ended", () => {
    const notes = new RunNotes();
    notes.progress(progress("c1", "10 %"));
    notes.progress(progress("c2", "starting"));
    notes.progress(progress("c1", "20 %"));
    const before = notes.of("r1");
    expect([...(before?.progress ?? [])]).toEqual([
      ["c1", "20 %"],
      ["c2", "starting"],
    ]);
    notes.event(toolCompleted("c1"));
    expect([...(notes.of("r1")?.progress ?? [])]).toEqual([["c2", "starting"]]);
    expect(before?.progress.size).toBe(2);
    notes.event(completed());
    expect(notes.of("r1")?.progress.size).toBe(0);
  });

  test("[W16] what it has cost", () => {
    const notes = new RunNotes();
    notes.event(completed({ status: "failed", usage: [{ total_tokens: 3 }] }));
    expect(notes.of("r1")).toMatchObject({ usage: [{ total_tokens: 3 }] });
  });
});
