/** Runs that services start, and runs that are executed elsewhere. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agents/agent.ts";
import { text } from "../../src/agents/effects.ts";
import { feeding, type RunStart } from "../../src/protocol/feeding.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

const SERVICE = { ...principalWith([]), sub: "crm", permissions: ["service" as const] };

const agent: Agent = {
  name: "embedded",
  version: "1",
  *run({ question }) {
    yield* text(`you said ${question}`);
    return { finish_reason: "stop" };
  },
};

/** Talks until somebody stops it. */
const endless: Agent = {
  name: "endless",
  version: "1",
  *run() {
    for (;;) yield* text("and ", { pace_ms: 1 });
  },
};

async function atTheDesk(
  work: (desk: Desk, storage: DurableObjectStorage) => Promise<void>,
  { by = agent } = {},
) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, by), storage);
  });
}

const FEED = {
  executor: "feed",
  agent_name: "Dana",
  content: "a question",
  silent_after_ms: 60_000,
} as const;

function start(desk: Desk, over: Partial<RunStart> = {}, idempotency_key?: string) {
  const key = idempotency_key === undefined ? {} : { idempotency_key };
  return desk.session.requests.startRun({ who: SERVICE, ...key, start: { ...FEED, ...over } });
}

async function started(desk: Desk, over: Partial<RunStart> = {}) {
  const result = await start(desk, over);
  if (!result.ok) throw new Error(JSON.stringify(result.refusal));
  return result.value;
}

/** As the edge hands it over. */
function feed(desk: Desk, run_id: string, ...events: unknown[]) {
  return desk.session.requests.feed({ who: SERVICE, run_id, events: feeding.parse({ events }).events });
}

const think = (run_seq: number, thought = "hm", step = run_seq) => ({
  type: "agent_thinking",
  run_seq,
  payload: { step, thought },
});
const executing = (run_seq: number, tool_call_id: string, step = run_seq) => ({
  type: "tool_executing",
  run_seq,
  payload: { step, tool_call_id, tool_name: "look", args: { at: 1 } },
});
const completed = (run_seq: number, tool_call_id: string, step: number, more = {}) => ({
  type: "tool_completed",
  run_seq,
  payload: { step, tool_call_id, tool_name: "look", status: "ok", result: 1, duration_ms: 5, ...more },
});
const report = (run_seq: number) => ({
  type: "final_report",
  run_seq,
  payload: {
    step: run_seq,
    report: { summary: "s", findings: [], recommendations: [], assumptions: [], questions: [] },
  },
});
const done = (run_seq: number, content = "the answer", more = {}) => ({
  type: "agent_completed",
  run_seq,
  payload: { status: "succeeded", content, ...more },
});
const delta = (offset: number, piece: string) => ({
  type: "partial_result",
  payload: { offset, delta: piece },
});
const set = (whole: string) => ({ type: "partial_result", payload: { mode: "set", text: whole } });

function heard(tab: RecordingSocket): string[] {
  return tab.sent
    .slice(tab.sent.findIndex(({ type }) => type === "replay_completed") + 1)
    .map(({ type, payload }) =>
      type === "partial_result" ? `+${payload.delta ?? `=${payload.text}`}` : type,
    );
}

const conflict = (details: object) => ({ ok: false, refusal: { code: "conflict", details } });

describe("a run that a service starts", () => {
  test("[V1] asks in the user's stead, says who did, and is answered by the embedded agent", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const run = await started(desk, { ...AGENT, content: "hello", metadata: { ticket: 7 } });
      await desk.idle();
      const [question] = tab.of("user_message");
      expect(question).toMatchObject({
        seq: run.seq,
        payload: { ...facts(run), content: "hello", metadata: { ticket: 7 } },
      });
      expect(question.payload.author).toEqual({ kind: "service", name: "crm" });
      expect(question.payload.client_id).toBe("service");
      expect(tab.of("agent_completed")).toMatchObject([
        { payload: { run_id: run.run_id, agent_name: "embedded", content: "you said hello" } },
      ]);
      const [message] = desk.connect().of("state_snapshot")[0].payload.messages;
      expect(message.author).toEqual({ kind: "service", name: "crm" });
    });
  });

  test("[V1] for a user who has never been here waits until they come", async () => {
    await atTheDesk(async (desk) => {
      await started(desk, AGENT);
      await desk.idle();
      desk.crash();
      expect(desk.connect().of("state_snapshot")[0].payload.messages).toHaveLength(2);
    });
  });

  test("[V1] once for a key, with one reply; another body under it is a conflict", async () => {
    await atTheDesk(async (desk) => {
      const first = await start(desk, {}, "key");
      const again = await start(desk, {}, "key");
      expect(again).toEqual({ ok: true, value: { ...(first.ok && first.value), duplicate: true } });
      expect(await start(desk, { content: "other" }, "key")).toMatchObject({
        refusal: { code: "id_conflict" },
      });
    });
  });

  test("[V2] is refused as queue_full like any other producer, and its events never are", async () => {
    await atTheDesk(async (desk) => {
      const { run_id } = await started(desk);
      const notices = Array.from({ length: 99 }, (_, i) => ({ topic: "t", data: i }));
      for (let i = 0; i < 10; i += 1) await desk.session.requests.publish({ who: SERVICE, events: notices });
      for (let i = 1; i <= 8; i += 1) expect(await feed(desk, run_id, think(i))).toMatchObject({ ok: true });
      expect(await start(desk, { ...AGENT, thread_id: crypto.randomUUID() })).toMatchObject({
        refusal: { code: "queue_full", limit: 1_000, retry_after_ms: 60_000 },
      });
      for (let i = 9; i <= 40; i += 1) expect(await feed(desk, run_id, think(i))).toMatchObject({ ok: true });
      expect(await feed(desk, run_id, done(41))).toMatchObject({ ok: true, value: { ended: true } });
      const tab = desk.connect();
      await desk.send(tab, { type: "ack", payload: { seq: 500 } });
      expect((await start(desk)).ok).toBe(true);
    });
  });

  test("[V2] a thread or message that is not there is not_found, and writes nothing", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      expect(await start(desk, { thread_id: "nowhere" })).toMatchObject({ refusal: { code: "not_found" } });
      const at = { content: undefined, message_id: "m_1_x" };
      expect(await start(desk, at)).toMatchObject({ refusal: { code: "not_found" } });
      expect(tab.of("user_message")).toEqual([]);
      expect((await started(desk)).seq).toBe(1);
    });
  });
});

const AGENT = { executor: "agent", agent_name: undefined, silent_after_ms: undefined } as const;

function facts({ run_id, thread_id, message_id }: { run_id: string; thread_id: string; message_id: string }) {
  return { run_id, thread_id, message_id };
}

describe("a fed run", () => {
  test("[V3] has the frames of any other, in order, its text before what followed it", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id, message_id } = await started(desk);
      const first = await feed(desk, run_id, think(1), delta(0, "Well, "), executing(2, "c1"));
      expect(first).toEqual({
        ok: true,
        value: { seq: 4, next_run_seq: 3, next_offset: 6, ended: false },
      });
      desk.advance(50);
      await feed(desk, run_id, completed(3, "c1", 2), delta(6, "yes."));
      const last = await feed(desk, run_id, report(4), done(5, "Well, yes."));
      expect(last).toMatchObject({ value: { seq: 7, next_run_seq: 6, ended: true, status: "succeeded" } });
      expect(heard(tab)).toEqual([
        "user_message",
        "agent_started",
        "+Well, ",
        "agent_thinking",
        "tool_executing",
        "tool_completed",
        "+yes.",
        "final_report",
        "agent_completed",
      ]);
      const events = tab.sent.filter(({ payload, seq }) => seq > 1 && payload.run_id === run_id);
      expect(events.map(({ payload }) => payload.run_seq)).toEqual([0, 1, 2, 3, 4, 5]);
      for (const { payload } of events) {
        expect(payload).toMatchObject({ run_id, thread_id: "main", agent_name: "Dana" });
        expect(payload.timestamp).toMatch(/Z$/);
      }
      expect(events[0].payload.message_id).toBe(message_id);
      expect(events.at(-1).payload).toMatchObject({
        parent_message_id: message_id,
        status: "succeeded",
        finish_reason: "stop",
        content: "Well, yes.",
        usage: [],
        attempts: 1,
      });
      expect(tab.of("partial_result")[0].payload).toMatchObject({
        run_id,
        attempt: 1,
        message_id: events.at(-1).payload.message_id,
      });
      expect(desk.timers).toBe(0);
    });
  });

  test("[V3] is shown to who comes in the middle with its steps and its text", async () => {
    await atTheDesk(async (desk) => {
      const { run_id } = await started(desk);
      await feed(desk, run_id, think(1), delta(0, "so far"));
      const tab = desk.connect();
      expect(tab.of("state_snapshot")[0].payload.runs).toMatchObject([
        { run_id, status: "running", agent_name: "Dana", text: "so far", steps: [{ kind: "thinking" }] },
      ]);
    });
  });

  test("[V4] the same batch again changes nothing and has the same reply, the last one too", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      const batch = [think(1), delta(0, "a"), executing(2, "c"), completed(3, "c", 2)];
      const first = await feed(desk, run_id, ...batch);
      expect(await feed(desk, run_id, ...batch)).toEqual(first);
      const end = await feed(desk, run_id, done(4, "abc"));
      expect(await feed(desk, run_id, done(4, "abc"))).toEqual(end);
      desk.crash();
      expect(await feed(desk, run_id, done(4, "abc"))).toEqual(end);
      expect(tab.of("agent_thinking")).toHaveLength(1);
      expect(tab.of("agent_completed")).toHaveLength(1);
      expect(tab.of("partial_result").map(({ payload }) => payload.delta)).toEqual(["a", "bc"]);
    });
  });

  test("[V4] a batch that overlaps what is known adds only what is new", async () => {
    await atTheDesk(async (desk) => {
      const { run_id } = await started(desk);
      await feed(desk, run_id, think(1), think(2));
      expect(await feed(desk, run_id, think(2), think(3))).toMatchObject({
        value: { next_run_seq: 4, seq: 5 },
      });
    });
  });

  test("[V4] of two feeders the second is told where the run is, and changes nothing", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      const both = await Promise.all([
        feed(desk, run_id, think(1, "mine"), think(2, "mine")),
        feed(desk, run_id, think(1, "yours")),
        feed(desk, run_id, think(3, "early")),
        feed(desk, run_id, think(4, "early")),
      ]);
      expect(both).toMatchObject([
        { ok: true },
        conflict({ next_run_seq: 3, ended: false }),
        { ok: true },
        { ok: true },
      ]);
      expect(await feed(desk, run_id, think(6))).toMatchObject(conflict({ next_run_seq: 5, ended: false }));
      expect(tab.of("agent_thinking").map(({ payload }) => payload.thought)).toEqual([
        "mine",
        "mine",
        "early",
        "early",
      ]);
    });
  });

  test.each([
    ["a completion of no call", [completed(1, "c", 1)], "events.0.payload.tool_call_id"],
    ["a call that has an id again", [executing(1, "c"), executing(2, "c")], "events.1.payload.tool_call_id"],
    [
      "a call completed twice",
      [executing(1, "c"), completed(2, "c", 1), completed(3, "c", 1)],
      "events.2.payload.tool_call_id",
    ],
    [
      "a completion under another name",
      [executing(1, "c"), completed(2, "c", 1, { tool_name: "see" })],
      "events.1.payload.tool_name",
    ],
    ["a completion of another step", [executing(1, "c"), completed(2, "c", 2)], "events.1.payload.step"],
    ["a step that goes back", [think(1, "a", 5), think(2, "b", 4)], "events.1.payload.step"],
    ["an end with a call open", [executing(1, "c"), done(2)], "events.1.type"],
    ["an event after the end", [done(1), think(2)], "events.1"],
    ["text after the end", [done(1), delta(0, "x")], "events.1"],
  ])("[V5] refuses %s, and takes nothing of the batch", async (_, events, field) => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      expect(await feed(desk, run_id, ...events)).toMatchObject({
        ok: false,
        refusal: { code: "invalid_payload", field },
      });
      expect(heard(tab)).toEqual(["user_message", "agent_started"]);
      expect(await feed(desk, run_id, think(1))).toMatchObject({ ok: true, value: { seq: 3 } });
    });
  });

  test("[V5] a run has 1,000 events; the answer can always be given", async () => {
    await atTheDesk(async (desk) => {
      const { run_id } = await started(desk);
      for (let from = 1; from < 1_000; from += 200) {
        const count = Math.min(200, 1_000 - from);
        const batch = Array.from({ length: count }, (_, i) => think(from + i, "h", 1));
        expect((await feed(desk, run_id, ...batch)).ok).toBe(true);
      }
      expect(await feed(desk, run_id, think(1_000, "h", 1))).toMatchObject({
        refusal: { code: "invalid_payload", field: "events.0.run_seq" },
      });
      expect(await feed(desk, run_id, done(1_000))).toMatchObject({ value: { ended: true } });
    });
  });

  test("[V5] an answer over 256 KiB is cut and says so, and known again", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      const long = "é".repeat(200_000);
      const first = await feed(desk, run_id, done(1, long));
      expect(await feed(desk, run_id, done(1, long))).toEqual(first);
      const { content, finish_reason } = tab.of("agent_completed")[0].payload;
      expect([content.length, finish_reason]).toEqual([131_072, "length"]);
    });
  });

  test("[V6] what nobody feeds is not_found: another executor's, another's, or none's", async () => {
    await atTheDesk(
      async (desk) => {
        expect(await feed(desk, "r_1_x", think(1))).toMatchObject({ refusal: { code: "not_found" } });
        const { run_id } = await started(desk, AGENT);
        expect(await feed(desk, run_id, think(1))).toMatchObject({ refusal: { code: "not_found" } });
        for (const unknown of ["r_1_x", "x", "r_99_x", "m_1_x"]) {
          expect(await feed(desk, unknown)).toMatchObject({ refusal: { code: "not_found" } });
        }
        const tab = desk.connect();
        await desk.send(tab, { type: "run_cancel", id: "c", payload: { run_id } });
        await desk.idle();
      },
      { by: endless },
    );
  });

  test("[V6] to a user who does not exist writes nothing", async () => {
    await atTheDesk(async (desk, storage) => {
      await feed(desk, "r_1_x", think(1));
      await start(desk, { content: undefined, message_id: "m_1_x" });
      expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'meta'").toArray()).toEqual([]);
    });
  });

  test("[V6] of a deleted thread is gone", async () => {
    await atTheDesk(async (desk) => {
      const { run_id } = await started(desk);
      await feed(desk, run_id, delta(0, "x"));
      const tab = desk.connect();
      await desk.send(tab, { type: "thread_delete", id: "d", payload: { thread_id: "main" } });
      expect(await feed(desk, run_id, think(1))).toMatchObject({ refusal: { code: "not_found" } });
      expect(desk.timers).toBe(0);
    });
  });

  test("[V7] that the user cancels keeps its text and ends once; the feeder is told", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      await feed(desk, run_id, executing(1, "c"), delta(0, "half an "));
      await desk.send(tab, { type: "run_cancel", id: "c", payload: { run_id } });
      expect(tab.of("tool_completed")).toMatchObject([{ payload: { error: { code: "cancelled" } } }]);
      expect(tab.of("agent_completed")).toMatchObject([
        { payload: { status: "cancelled", content: "half an ", finish_reason: "cancelled" } },
      ]);
      const told = conflict({ ended: true, status: "cancelled", next_run_seq: 4 });
      expect(await feed(desk, run_id, completed(2, "c", 1))).toMatchObject(told);
      expect(await feed(desk, run_id, delta(8, "answer"))).toMatchObject(told);
      expect(await feed(desk, run_id)).toMatchObject(told);
      expect(tab.of("agent_completed")).toHaveLength(1);
      expect(desk.timers).toBe(0);
    });
  });

  test.each(["feed first", "cancel first"])(
    "[V7] cancel against the last batch: one end (%s)",
    async (order) => {
      await atTheDesk(async (desk) => {
        const tab = desk.connect();
        const { run_id } = await started(desk);
        const other = await started(desk, { thread_id: crypto.randomUUID() });
        const cancel = () => desk.send(tab, { type: "run_cancel", id: "c", payload: { run_id } });
        const end = () =>
          feed(desk, run_id, executing(1, "c"), completed(2, "c", 1), delta(0, "x"), done(3, "xy"));
        // Two at once make the next ones wait for each other: they become one transaction.
        await Promise.all([feed(desk, other.run_id), feed(desk, other.run_id)]);
        const [fed] =
          order === "feed first"
            ? await Promise.all([end(), cancel()])
            : (await Promise.all([cancel(), end()])).toReversed();
        const ends = tab.of("agent_completed");
        expect(ends).toHaveLength(1);
        const cancelled = order === "cancel first";
        expect(ends[0].payload).toMatchObject({ status: cancelled ? "cancelled" : "succeeded" });
        expect(fed).toMatchObject({ ok: !cancelled });
        expect(tab.of(cancelled ? "command_ack" : "error")).toHaveLength(1);
      });
    },
  );

  test("[V7] cancelled in the transaction of a batch: its calls are completed, its text is kept", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      await Promise.all([feed(desk, run_id), feed(desk, run_id)]);
      await Promise.all([
        feed(desk, run_id, delta(0, "some"), executing(1, "c"), delta(4, "thing")),
        desk.send(tab, { type: "run_cancel", id: "c", payload: { run_id } }),
      ]);
      expect(heard(tab).slice(2)).toEqual([
        "command_ack",
        "+some",
        "+thing",
        "tool_executing",
        "tool_completed",
        "agent_completed",
      ]);
      expect(tab.of("agent_completed")[0].payload.content).toBe("something");
      expect(desk.timers).toBe(0);
    });
  });
});

describe("text that is fed", () => {
  test("[V8] is joined by its offset: twice is once, and what does not join is left out and said so", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      await feed(desk, run_id, delta(0, "abc"));
      desk.advance(50);
      expect(await feed(desk, run_id, delta(0, "abc"), delta(2, "cd"))).toMatchObject({
        value: { next_offset: 4 },
      });
      expect(await feed(desk, run_id, delta(9, "z"))).toMatchObject({ value: { next_offset: 4 } });
      expect(tab.of("partial_result").map(({ payload }) => [payload.offset, payload.delta])).toEqual([
        [0, "abc"],
        [3, "d"],
      ]);
    });
  });

  test("[V8] set replaces it; the answer wins over whatever was streamed", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      await feed(desk, run_id, delta(0, "wrong"));
      await feed(desk, run_id, set("right"));
      await feed(desk, run_id, done(1, "better"));
      expect(heard(tab).slice(2)).toEqual(["+wrong", "+=right", "+=better", "agent_completed"]);
    });
  });

  test("[V8] after an eviction begins anew with set, or not at all: the answer carries everything", async () => {
    await atTheDesk(async (desk) => {
      const { run_id } = await started(desk);
      await feed(desk, run_id, delta(0, "abc"));
      desk.evict();
      const tab = desk.connect();
      expect(await feed(desk, run_id, delta(3, "d"))).toMatchObject({ value: { next_offset: 0 } });
      expect(await feed(desk, run_id, set("abcd"))).toMatchObject({ value: { next_offset: 4 } });
      desk.crash();
      const late = desk.connect();
      await feed(desk, run_id, done(1, "abcde"));
      expect(heard(tab)).toEqual(["+=abcd"]);
      expect(heard(late)).toEqual(["agent_completed"]);
    });
  });

  test("[V8] a surrogate pair is never split, and 256 KiB is all there is", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      await feed(desk, run_id, delta(0, "a\ud83d"));
      desk.advance(50);
      await feed(desk, run_id, delta(2, "\ude00"));
      desk.advance(50);
      await feed(desk, run_id, set("x".repeat(300_000)));
      expect(tab.of("partial_result").map(({ payload }) => payload.delta ?? payload.text.length)).toEqual([
        "a",
        "😀",
        262_144,
      ]);
    });
  });
});

describe("a feeder", () => {
  test("[V9] silent for longer than it promised ends its run as interrupted, once", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk, { silent_after_ms: 5_000 });
      expect(Math.min(...desk.alarms)).toBe(desk.now + 5_000);
      await feed(desk, run_id, executing(1, "c"), delta(0, "half"));
      desk.advance(4_999);
      desk.session.deadlines.fire();
      expect(tab.of("agent_completed")).toEqual([]);
      desk.advance(1);
      desk.session.deadlines.fire();
      desk.session.deadlines.fire();
      expect(tab.of("tool_completed")).toMatchObject([{ payload: { error: { code: "outcome_unknown" } } }]);
      expect(tab.of("agent_completed")).toMatchObject([
        {
          payload: {
            status: "interrupted",
            content: "half",
            error: { code: "feeder_silent", retryable: true },
          },
        },
      ]);
      expect(await feed(desk, run_id, think(2))).toMatchObject(
        conflict({ ended: true, status: "interrupted" }),
      );
    });
  });

  test.each(["crash", "evict"] as const)("[V9] also after a %s, and no sooner", async (ending) => {
    await atTheDesk(async (desk) => {
      const { run_id } = await started(desk, { silent_after_ms: 5_000 });
      desk.advance(3_000);
      await feed(desk, run_id, think(1));
      desk[ending]();
      const tab = desk.connect();
      desk.advance(4_999);
      desk.session.deadlines.fire();
      expect(desk.alarms.at(-1)).toBe(desk.now + 1_000);
      expect(tab.of("agent_completed")).toEqual([]);
      desk.advance(1);
      desk.session.deadlines.fire();
      expect(tab.of("agent_completed")).toMatchObject([{ payload: { status: "interrupted" } }]);
    });
  });

  test("[V9] is heard of by text, and by a batch of nothing, after a crash too, for a row now and then", async () => {
    await atTheDesk(async (desk, storage) => {
      const { run_id } = await started(desk, { silent_after_ms: 8_000 });
      const tab = desk.connect();
      const until = () =>
        JSON.parse(String(storage.sql.exec("SELECT detail FROM runs").one().detail)).feed.until;
      const written = new Set([until()]);
      for (let i = 0; i < 40; i += 1) {
        desk.advance(1_000);
        if (i % 2 === 0) await feed(desk, run_id);
        else await feed(desk, run_id, delta(i, "x"));
        desk.session.deadlines.fire();
        if (i % 7 === 0) desk.crash();
        written.add(until());
      }
      expect(written.size).toBeLessThan(17);
      expect(tab.of("agent_completed")).toEqual([]);
      const late = desk.connect();
      desk.crash();
      desk.advance(10_000);
      desk.session.deadlines.fire();
      expect(late.of("agent_completed")).toEqual([]);
      expect(desk.connect().of("state_snapshot")[0].payload.messages.at(-1)).toMatchObject({
        status: "interrupted",
      });
    });
  });

  test("[V9] is bound by its promise, not by the time a run of ours may take", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk, { silent_after_ms: 3_600_000 });
      desk.advance(3_599_999);
      desk.session.deadlines.fire();
      desk.crash();
      desk.session.deadlines.fire();
      expect(await feed(desk, run_id, done(1))).toMatchObject({ ok: true });
      await desk.idle();
      expect(tab.of("agent_completed")).toEqual([]);
      expect(desk.connect().of("state_snapshot")[0].payload.messages).toMatchObject([
        {},
        { status: "succeeded", content: "the answer" },
      ]);
    });
  });

  test("[V9] that comes back in time after a crash goes on where it was", async () => {
    await atTheDesk(async (desk) => {
      const { run_id } = await started(desk);
      for (let i = 1; i <= 5; i += 1) {
        await feed(desk, run_id, think(i));
        desk.crash();
        expect(await feed(desk, run_id, think(i))).toMatchObject({ value: { next_run_seq: i + 1 } });
      }
      const tab = desk.connect();
      await feed(desk, run_id, done(6));
      expect(tab.of("agent_completed")).toMatchObject([{ payload: { attempts: 1, run_seq: 6 } }]);
    });
  });

  test("[V9] each by itself: two that fall silent together both end", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await started(desk, { silent_after_ms: 1_000 });
      await started(desk, { silent_after_ms: 1_000, thread_id: crypto.randomUUID() });
      desk.advance(1_000);
      desk.session.deadlines.fire();
      expect(tab.of("agent_completed").map(({ payload }) => payload.status)).toEqual([
        "interrupted",
        "interrupted",
      ]);
    });
  });
});

describe("a feed and other runs", () => {
  test("[V10] cannot wait: where a run works already it is a conflict, and nothing is said", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await started(desk);
      expect(await start(desk)).toMatchObject({ refusal: { code: "conflict", field: "executor" } });
      for (let i = 0; i < 3; i += 1) await started(desk, { thread_id: crypto.randomUUID() });
      expect(await start(desk, { thread_id: crypto.randomUUID() })).toMatchObject({
        refusal: { code: "conflict", field: "executor" },
      });
      expect(tab.of("user_message")).toHaveLength(4);
    });
  });

  test("[V10] what the user asks meanwhile waits for it, and has its turn", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const { run_id } = await started(desk);
      await desk.send(tab, { type: "user_message", id: "m", payload: { content: "and I?" } });
      expect(tab.of("agent_started")).toHaveLength(1);
      await feed(desk, run_id, done(1));
      await desk.idle();
      expect(tab.of("agent_completed").map(({ payload }) => payload.agent_name)).toEqual([
        "Dana",
        "embedded",
      ]);
    });
  });

  test("[V11] a person takes over: the agent's run is cancelled, its text kept, theirs begins at once", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        await desk.send(tab, { type: "user_message", id: "m", payload: { content: "help" } });
        await desk.send(tab, { type: "user_message", id: "n", payload: { content: "waiting" } });
        const { message_id, run_id } = tab.of("message_ack")[0].payload;
        for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setTimeout(resolve, 0));
        const over = { content: undefined, message_id };
        expect(await start(desk, over)).toMatchObject({
          refusal: { code: "conflict", field: "payload.message_id" },
        });
        const taken = await started(desk, { ...over, takeover: true });
        expect(taken.message_id).toBe(message_id);
        const [ended] = tab.of("agent_completed");
        expect(ended.payload).toMatchObject({ run_id, status: "cancelled" });
        expect(ended.payload.content).toMatch(/^and /);
        // What was said since stays where it is.
        expect(tab.of("thread_updated")).toMatchObject([{ payload: { question_id: message_id } }]);
        expect(tab.of("agent_started").at(-1).payload).toMatchObject({
          run_id: taken.run_id,
          agent_name: "Dana",
        });
        expect(await feed(desk, taken.run_id, done(1, "Dana here"))).toMatchObject({ ok: true });
        expect(tab.of("agent_completed").at(-1).payload).toMatchObject({
          parent_message_id: ended.payload.message_id,
          content: "Dana here",
        });
        const next = tab.of("agent_started").at(-1).payload;
        expect(next.agent_name).toBe("endless");
        await desk.send(tab, { type: "run_cancel", id: "c", payload: { run_id: next.run_id } });
        await desk.idle();
        expect(tab.of("agent_completed")).toHaveLength(3);
      },
      { by: endless },
    );
  });

  test("[V11] a takeover after the answer has come is another answer; back to the agent works as well", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await desk.send(tab, { type: "user_message", id: "m", payload: { content: "help" } });
      await desk.idle();
      const { message_id } = tab.of("message_ack")[0].payload;
      const over = { content: undefined, message_id, takeover: true };
      const taken = await started(desk, over);
      await feed(desk, taken.run_id, delta(0, "let me see"));
      await started(desk, { ...AGENT, ...over });
      await desk.idle();
      expect(tab.of("agent_completed").map(({ payload }) => [payload.status, payload.content])).toEqual([
        ["succeeded", "you said help"],
        ["cancelled", "let me see"],
        ["succeeded", "you said help"],
      ]);
      expect(tab.of("thread_updated").map(({ payload }) => payload.head_message_id)).toEqual([
        message_id,
        message_id,
      ]);
      expect(await feed(desk, taken.run_id)).toMatchObject(conflict({ ended: true, status: "cancelled" }));
    });
  });

  test("[V11] a takeover where something else works is refused, and ends nothing", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await started(desk);
      await desk.send(tab, { type: "user_message", id: "m", payload: { content: "help" } });
      const { message_id } = tab.of("message_ack")[0].payload;
      expect(await start(desk, { content: undefined, message_id, takeover: true })).toMatchObject({
        refusal: { code: "conflict", field: "executor" },
      });
      expect(tab.of("agent_completed")).toEqual([]);
    });
  });

  test("[V11] what nobody was to answer can be answered, and hides nothing that was said since", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      for (const content of ["one", "two"]) {
        await desk.send(tab, { type: "user_message", id: content, payload: { content, respond: false } });
      }
      const [{ payload }] = tab.of("message_ack");
      const run = await started(desk, { content: undefined, message_id: payload.message_id });
      expect(desk.connect().of("state_snapshot")[0].payload.runs).toMatchObject([
        { question_id: payload.message_id, agent_name: "Dana" },
      ]);
      await feed(desk, run.run_id, done(1, "to one"));
      const shown = desk.connect().of("state_snapshot")[0].payload.messages;
      expect(shown.map(({ content }: { content: string }) => content)).toEqual(["one", "two", "to one"]);
      const answer = shown.at(-1).message_id;
      const again = await started(desk, { content: undefined, message_id: answer });
      expect(again.message_id).toBe(payload.message_id);
    });
  });

  test("[V11] after a feeder was interrupted a second one answers the same message", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      const first = await started(desk, { silent_after_ms: 1_000 });
      desk.advance(1_000);
      desk.session.deadlines.fire();
      const second = await started(desk, {
        content: undefined,
        message_id: first.message_id,
        agent_name: "Bo",
      });
      await feed(desk, second.run_id, done(1, "at last"));
      expect(tab.of("agent_completed").map(({ payload }) => [payload.agent_name, payload.status])).toEqual([
        ["Dana", "interrupted"],
        ["Bo", "succeeded"],
      ]);
      const shown = desk.connect().of("state_snapshot")[0].payload.messages;
      expect(shown.map(({ content }: { content: string }) => content)).toEqual(["a question", "at last"]);
    });
  });
});

describe("a question that was answered further down", () => {
  test("[V11] is answered once more on a branch of its own", () =>
    atTheDesk(async (desk) => {
      const tab = desk.connect();
      const run = await started(desk);
      await desk.session.requests.startRun({ who: SERVICE, start: { executor: "agent", content: "second" } });
      await feed(desk, run.run_id, done(1));
      await desk.idle();
      const again = { executor: "agent", message_id: run.message_id } as const;
      expect((await desk.session.requests.startRun({ who: SERVICE, start: again })).ok).toBe(true);
      expect(tab.of("thread_updated").at(-1).payload).toMatchObject({ head_message_id: run.message_id });
    }));
});

describe("taking over where others wait", () => {
  test("[V11] needs no place in the queue, however full it is", () =>
    atTheDesk(async (desk) => {
      desk.connect();
      const run = await started(desk);
      for (let i = 0; i < 10; i += 1)
        await desk.session.requests.startRun({
          who: SERVICE,
          start: { executor: "agent", content: `waits ${i}` },
        });
      const start = {
        executor: "feed",
        agent_name: "Dana",
        message_id: run.message_id,
        takeover: true,
      } as const;
      const taken = await desk.session.requests.startRun({ who: SERVICE, start });
      expect(taken).toMatchObject({ ok: true, value: { message_id: run.message_id } });
    }));
});

describe("how much may be fed", () => {
  test("[V5] costs a batch what is in it: a long run is not read again for each", () =>
    atTheDesk(async (desk, storage) => {
      const { run_id } = await started(desk);
      const think = (run_seq: number) => ({
        type: "agent_thinking" as const,
        run_seq,
        payload: { step: run_seq, thought: "and then" },
      });
      const steps = Array.from({ length: 200 }, (_, index) => think(index + 1));
      await feed(desk, run_id, ...steps);
      const cursors: { rowsRead: number }[] = [];
      const { exec } = storage.sql;
      storage.sql.exec = (query: string, ...bindings: unknown[]) => {
        const cursor = exec.call(storage.sql, query, ...bindings);
        cursors.push(cursor);
        return cursor as never;
      };
      const readBy = async (...events: unknown[]) => {
        cursors.length = 0;
        expect(await feed(desk, run_id, ...events)).toMatchObject({ ok: true });
        return cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
      };
      expect(await readBy(think(201))).toBeLessThan(30);
      expect(await readBy(think(201), think(202))).toBeLessThan(30);
      desk.crash();
      await readBy(think(203));
      expect(await readBy(think(204))).toBeLessThan(30);
    }));

  test("[V5] knows its way after a batch that was rolled back or refused: nothing of it is remembered", () =>
    atTheDesk(async (desk, storage) => {
      const { run_id } = await started(desk);
      const call = (run_seq: number, tool_call_id: string) => ({
        type: "tool_executing" as const,
        run_seq,
        payload: { step: 1, tool_call_id, tool_name: "look", args: {} },
      });
      const done = (run_seq: number, tool_call_id: string) => ({
        type: "tool_completed" as const,
        run_seq,
        payload: { step: 1, tool_call_id, tool_name: "look", status: "ok", result: 1, duration_ms: 1 },
      });
      expect(await feed(desk, run_id, call(1, "a"))).toMatchObject({ ok: true });
      // Refused for its second event, so the first has not happened either.
      expect(await feed(desk, run_id, call(2, "b"), done(3, "c"))).toMatchObject({ ok: false });
      expect(await feed(desk, run_id, done(2, "b"))).toMatchObject({ ok: false });
      const { exec } = storage.sql;
      storage.sql.exec = (query: string, ...bindings: unknown[]) => {
        if (query.startsWith("INSERT INTO events")) throw new Error("the disk is full");
        return exec.call(storage.sql, query, ...bindings) as never;
      };
      expect(await feed(desk, run_id, call(2, "b"))).toMatchObject({
        ok: false,
        refusal: { code: "internal" },
      });
      storage.sql.exec = exec.bind(storage.sql) as never;
      expect(await feed(desk, run_id, call(2, "b"), done(3, "a"), done(4, "b"))).toMatchObject({
        ok: true,
        value: { next_run_seq: 5 },
      });
    }));

  test("[V5] completes an open call by its own id, whatever that is made of", () =>
    atTheDesk(async (desk, storage) => {
      const { run_id } = await started(desk);
      const tool_call_id = "call \ud800";
      const payload = { step: 1, tool_call_id, tool_name: "look", args: { much: "x".repeat(10_000) } };
      await feed(desk, run_id, { type: "tool_executing", run_seq: 1, payload });
      const tab = desk.connect();
      await desk.send(tab, { type: "run_cancel", id: "c", payload: { run_id } });
      const [row] = storage.sql.exec("SELECT frame FROM events WHERE type = 'tool_completed'").toArray();
      expect(JSON.parse(String(row?.frame)).payload).toMatchObject({ tool_call_id, status: "error" });
    }));

  test("[V5] is bounded over the whole run; what ends it always has room, and a page can be opened on it", () =>
    atTheDesk(async (desk) => {
      desk.connect();
      const { run_id } = await started(desk);
      const thought = "t".repeat(200_000);
      const think = (run_seq: number) => ({
        type: "agent_thinking" as const,
        run_seq,
        payload: { step: run_seq, thought },
      });
      const refusals: string[] = [];
      for (let run_seq = 1; refusals.length === 0; run_seq += 1) {
        const fed = await desk.session.requests.feed({ who: SERVICE, run_id, events: [think(run_seq)] });
        if (!fed.ok) refusals.push(`${fed.refusal.code} ${fed.refusal.field} ${fed.refusal.limit}`);
      }
      expect(refusals).toEqual(["too_large events 4194304"]);
      const late = desk.connect({ client_id: "late" });
      const [snapshot] = late.of("state_snapshot");
      expect(JSON.stringify(snapshot).length).toBeLessThanOrEqual(256 * 1024);
      expect(snapshot.payload.runs[0].steps.length).toBeLessThanOrEqual(20);
      const { next_run_seq } = await desk.session.requests
        .feed({ who: SERVICE, run_id, events: [] })
        .then((fed) => (fed.ok ? fed.value : { next_run_seq: 0 }));
      const end = { status: "succeeded" as const, content: "done", usage: [] };
      const ended = await desk.session.requests.feed({
        who: SERVICE,
        run_id,
        events: [{ type: "agent_completed", run_seq: next_run_seq, payload: end }],
      });
      expect(ended).toMatchObject({ ok: true, value: { ended: true, status: "succeeded" } });
    }));
});
