/** Messages that come while their thread is being answered. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import { signal, steering, text, tool } from "../../src/agents/effects.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { DEFAULT_PLANS, type Limits } from "../../src/protocol/limits.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

let gates: (() => void)[] = [];

/** Works until it is let go. */
const work: Tool<object, unknown> = {
  name: "work",
  description: "works",
  input: z.object({}),
  output: z.unknown(),
  idempotent: true,
  async execute(_, { signal: aborted }) {
    await new Promise<void>((resolve) => {
      gates.push(resolve);
      aborted.addEventListener("abort", () => resolve());
    });
    return { worked: true };
  },
};

/** Works twice, and takes what it is told in between into account, unless it is deaf or waits for a signal. */
const worker: Agent = {
  name: "worker",
  version: "1",
  *run({ question, history }) {
    yield* text(`${question}(${history.length}):`);
    if (question === "wait") yield* signal("s", { until: "2027-01-01T00:00:00.000Z" });
    for (let round = 0; round < 2; round += 1) {
      yield* tool(work, {});
      if (question === "work, then wait" && round === 0) {
        yield* signal("s", { until: "2027-01-01T00:00:00.000Z" });
      }
      if (question === "deaf") continue;
      for (const { content } of yield* steering()) yield* text(` heard ${content}`);
    }
    yield* text(" done");
    return { finish_reason: "stop" };
  },
};

interface Bench {
  readonly desk: Desk;
  readonly storage: DurableObjectStorage;
  readonly say: (content: string, more?: object) => Promise<any>;
  readonly release: () => Promise<void>;
  readonly crash: () => void;
  readonly tab: () => RecordingSocket;
}

async function withBench(
  test: (bench: Bench) => Promise<void>,
  limits: Partial<Limits> = {},
  pro: Partial<Limits> = {},
): Promise<void> {
  gates = [];
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const free = { ...DEFAULT_PLANS.free, ...limits };
    const plans = { ...DEFAULT_PLANS, free, pro: { ...DEFAULT_PLANS.pro, ...pro } };
    const desk = new Desk(storage, worker, { plans });
    let tab = desk.connect({ client_id: "tab" });
    let count = 0;
    const calm = async () => {
      for (let i = 0; i < 8; i += 1) await scheduler.wait(0);
    };
    const say = async (content: string, more: object = {}) => {
      count += 1;
      const id = `m${count}`;
      if (tab.readyState !== 1) tab = desk.connect({ client_id: "tab" });
      await desk.send(tab, { type: "user_message", id, payload: { content, ...more } });
      await calm();
      return tab.sent.find(({ reply_to }) => reply_to === id);
    };
    const release = async () => {
      for (const go of gates.splice(0)) go();
      await calm();
    };
    const crash = () => {
      desk.crash();
      tab = desk.connect({ client_id: "tab" });
    };
    await test({ desk, storage, say, release, crash, tab: () => tab });
    for (let i = 0; i < 30; i += 1) await release();
  });
}

function answersOf(tab: RecordingSocket): string[] {
  return tab.of("agent_completed").map(({ payload }) => `${payload.status} ${payload.content}`);
}

async function untilDone({ release, tab }: Bench, answers: number): Promise<void> {
  for (let i = 0; i < 20 && answersOf(tab()).length < answers; i += 1) await release();
}

describe("a message to a thread that is being answered", () => {
  test("[N30] waits for its turn, unless it says otherwise", () =>
    withBench(async (bench) => {
      await bench.say("one");
      await bench.say("two");
      await bench.say("three", { policy: "enqueue" });
      await untilDone(bench, 3);
      expect(answersOf(bench.tab())).toEqual([
        "succeeded one(0): done",
        "succeeded two(1): done",
        "succeeded three(2): done",
      ]);
    }));

  test("[N30] can be refused: nothing is stored", () =>
    withBench(async (bench) => {
      await bench.say("one");
      const refused = await bench.say("two", { policy: "reject" });
      expect(refused.payload).toMatchObject({ code: "conflict", field: "payload.policy" });
      await untilDone(bench, 1);
      const taken = await bench.say("three", { policy: "reject" });
      expect(taken.type).toBe("message_ack");
      expect(
        bench
          .tab()
          .of("user_message")
          .map(({ payload }) => payload.content),
      ).toEqual(["one", "three"]);
    }));

  test("[N30] can take the place of all that is unfinished there; what was written is kept", () =>
    withBench(async (bench) => {
      await bench.say("wait");
      await bench.say("one");
      await bench.say("two");
      const elsewhere = "018f0000-0000-7000-8000-000000000001";
      await bench.say("beside", { thread_id: elsewhere });
      await bench.say("now", { policy: "interrupt" });
      await untilDone(bench, 5);
      expect(answersOf(bench.tab()).toSorted()).toEqual([
        "cancelled ",
        "cancelled one(1):",
        "cancelled wait(0):",
        "succeeded beside(0): done",
        expect.stringMatching(/^succeeded now\(\d\): done$/),
      ]);
    }));

  test("[N30] that cannot be said interrupts nothing", () =>
    withBench(async (bench) => {
      await bench.say("one");
      const refused = await bench.say("now", { policy: "interrupt", parent_message_id: "m_9_none" });
      expect(refused.payload).toMatchObject({ code: "not_found", field: "payload.parent_message_id" });
      await untilDone(bench, 1);
      expect(answersOf(bench.tab())).toEqual(["succeeded one(0): done"]);
    }));

  test("[N30] interrupts nothing where no run could take the place: nobody may wait, and others work elsewhere", () =>
    withBench(
      async (bench) => {
        await bench.say("wait");
        await bench.say("beside", { thread_id: "018f0000-0000-7000-8000-000000000001" });
        const refused = await bench.say("now", { policy: "interrupt" });
        expect(refused.payload).toMatchObject({ code: "run_queue_full", limit: 0 });
        expect(bench.tab().of("agent_completed")).toEqual([]);
        await untilDone(bench, 1);
        expect((await bench.say("now", { policy: "interrupt" })).type).toBe("message_ack");
        await untilDone(bench, 3);
        expect(answersOf(bench.tab())).toEqual([
          "succeeded beside(0): done",
          "cancelled wait(0):",
          "succeeded now(2): done",
        ]);
      },
      { queued_runs_per_thread: 0, runs_per_user: 1 },
    ));

  test("[N30] takes the place it was promised, though another run has its turn while those there end", () =>
    withBench(
      async ({ desk, say, release, tab }) => {
        const elsewhere = "018f0000-0000-7000-8000-000000000001";
        const who = principalWith(["chat", "agents"]);
        const principal = { ...who, plan: "pro" as const };
        const pro = desk.connect({ client_id: "pro", principal });
        const ask = (id: string, content: string, more = {}) =>
          desk.send(pro, { type: "user_message", id, payload: { content, ...more } });
        await ask("1", "one");
        await ask("2", "two");
        await ask("3", "beside", { thread_id: elsewhere });
        expect((await say("now", { policy: "interrupt" })).type).toBe("message_ack");
        for (let i = 0; i < 20 && answersOf(tab()).length < 4; i += 1) await release();
        expect(answersOf(tab()).map((answer) => answer.split("(")[0])).toEqual([
          "cancelled one",
          "cancelled two",
          "succeeded beside",
          "succeeded now",
        ]);
      },
      { queued_runs_per_thread: 0, runs_per_user: 1, runs_per_thread: 2 },
      { runs_per_user: 2, runs_per_thread: 2 },
    ));

  test("[N30] of a policy nobody knows is refused", () =>
    withBench(async (bench) => {
      const refused = await bench.say("one", { policy: "rollback" });
      expect(refused.payload).toMatchObject({ code: "invalid_payload", field: "payload.policy" });
    }));
});

describe("a message that joins", () => {
  test("[N31] is heard by the run at work at its next step, and has no run of its own", () =>
    withBench(async (bench) => {
      const { payload: first } = await bench.say("one");
      const { payload: joined } = await bench.say("and in euros", { policy: "steer" });
      expect(joined.run_id).toBe(first.run_id);
      await untilDone(bench, 1);
      expect(answersOf(bench.tab())).toEqual(["succeeded one(0): heard and in euros done"]);
      expect(bench.tab().of("agent_started")).toHaveLength(1);
      const seqs = bench.tab().of("agent_completed")[0].payload;
      expect([seqs.run_seq, seqs.parent_message_id]).toEqual([6, joined.message_id]);
    }));

  test("[N31] is heard at the very same place by whoever continues the run", () =>
    withBench(async (bench) => {
      await bench.say("one");
      await bench.say("early", { policy: "steer" });
      await bench.release();
      bench.crash();
      await bench.say("late", { policy: "steer" });
      await untilDone(bench, 1);
      expect(answersOf(bench.tab())).toEqual(["succeeded one(0): heard early heard late done"]);
      expect(bench.tab().of("agent_completed")[0].payload.attempts).toBe(2);
      const thoughts = bench.storage.sql.exec("SELECT 1 FROM events WHERE type = 'agent_thinking'").toArray();
      expect(thoughts).toHaveLength(2);
    }));

  test("[N31] is answered by a run of its own if it came too late, or the agent does not listen", () =>
    withBench(async (bench) => {
      await bench.say("deaf");
      await bench.say("first", { policy: "steer" });
      await bench.say("second", { policy: "steer" });
      await untilDone(bench, 2);
      expect(answersOf(bench.tab())).toEqual(["succeeded deaf(0): done", "succeeded second(2): done"]);
    }));

  test("[N31] on two branches the last of each is answered", () =>
    withBench(async (bench) => {
      const { payload: first } = await bench.say("deaf");
      const after = { policy: "steer", parent_message_id: first.message_id };
      await bench.say("left", after);
      await bench.say("right", after);
      await bench.say("and further right", { policy: "steer" });
      await untilDone(bench, 3);
      expect(answersOf(bench.tab())).toEqual([
        "succeeded deaf(0): done",
        "succeeded left(1): done",
        "succeeded and further right(2): done",
      ]);
    }));

  test("[N31] is answered once, though somebody asks for that while it may still be heard", () =>
    withBench(async (bench) => {
      await bench.say("deaf");
      const { payload: joined } = await bench.say("more", { policy: "steer" });
      const { message_id } = joined;
      await bench.desk.send(bench.tab(), { type: "message_regenerate", id: "g", payload: { message_id } });
      const refused = bench.tab().sent.find(({ reply_to }) => reply_to === "g");
      expect(refused).toMatchObject({ type: "error", payload: { code: "conflict" } });
      await untilDone(bench, 2);
      for (let i = 0; i < 5; i += 1) await bench.release();
      expect(answersOf(bench.tab())).toEqual(["succeeded deaf(0): done", "succeeded more(1): done"]);
    }));

  test("[N31] goes unanswered where the user stops the run", () =>
    withBench(async (bench) => {
      const { payload } = await bench.say("one");
      await bench.say("more", { policy: "steer" });
      const cancel = { type: "run_cancel", id: "c", payload: { run_id: payload.run_id } };
      await bench.desk.send(bench.tab(), cancel);
      await untilDone(bench, 1);
      expect(answersOf(bench.tab())).toEqual(["cancelled one(0):"]);
      expect(bench.tab().of("agent_started")).toHaveLength(1);
    }));

  test("[N31] asks for a run like any other where none is at work", () =>
    withBench(async (bench) => {
      await bench.say("one", { policy: "steer" });
      await untilDone(bench, 1);
      expect(answersOf(bench.tab())).toEqual(["succeeded one(0): done"]);
    }));

  test("[N31] takes a place until it is heard; where none is left it is refused, and nothing stored", () =>
    withBench(
      async (bench) => {
        await bench.say("one");
        await bench.say("waits");
        await bench.say("two", { policy: "steer" });
        const refused = await bench.say("three", { policy: "steer" });
        expect(refused.payload).toMatchObject({ code: "run_queue_full", limit: 2, retryable: true });
        expect((await bench.say("four")).payload).toMatchObject({ code: "run_queue_full", limit: 2 });
        expect(bench.tab().of("user_message")).toHaveLength(3);
        await bench.release();
        expect((await bench.say("three", { policy: "steer" })).type).toBe("message_ack");
        await untilDone(bench, 2);
        expect(answersOf(bench.tab())[0]).toBe("succeeded one(0): heard two heard three done");
      },
      { queued_runs_per_thread: 2 },
    ));

  test("[N31] does not pass those that wait already when it gets a run of its own", () =>
    withBench(async (bench) => {
      await bench.say("deaf");
      await bench.say("queued");
      await bench.say("late", { policy: "steer" });
      await untilDone(bench, 3);
      expect(answersOf(bench.tab()).map((answer) => answer.split("(")[0])).toEqual([
        "succeeded deaf",
        "succeeded queued",
        "succeeded late",
      ]);
    }));

  test("[N31] is answered at once by a run of its own where the run it joined begins to wait, and by no other", () =>
    withBench(async (bench) => {
      await bench.say("work, then wait");
      await bench.say("meanwhile", { policy: "steer" });
      await untilDone(bench, 1);
      expect(answersOf(bench.tab())).toEqual(["succeeded meanwhile(1): done"]);
      const { wait_id } = bench.tab().of("run_waiting")[0].payload;
      bench.crash();
      const resume = { type: "run_resume", id: "r", payload: { wait_id, value: 1 } };
      await bench.desk.send(bench.tab(), resume);
      await untilDone(bench, 1);
      expect(answersOf(bench.tab())).toEqual(["succeeded work, then wait(0): done"]);
    }));

  test("[N31] is not lost where a service takes the place of the run", () =>
    withBench(async (bench) => {
      const { payload } = await bench.say("one");
      await bench.say("more", { policy: "steer" });
      const { message_id } = payload;
      const start = { executor: "agent", message_id, takeover: true } as const;
      const who = { ...principalWith([]), permissions: ["service" as const] };
      expect((await bench.desk.session.requests.startRun({ who, start })).ok).toBe(true);
      await untilDone(bench, 3);
      expect(answersOf(bench.tab())).toEqual([
        "cancelled one(0):",
        "succeeded one(0): done",
        "succeeded more(1): done",
      ]);
    }));

  test("[N31] joins only a run of its own branch; on another one it is answered like any message", () =>
    withBench(async (bench) => {
      const { payload: first } = await bench.say("one");
      const { payload: apart } = await bench.say("apart", { policy: "steer", parent_message_id: null });
      expect(apart.run_id).not.toBe(first.run_id);
      const { payload: back } = await bench.say("on", {
        policy: "steer",
        parent_message_id: first.message_id,
      });
      expect(back.run_id).toBe(first.run_id);
      await untilDone(bench, 2);
      expect(answersOf(bench.tab())).toEqual(["succeeded one(0): heard on done", "succeeded apart(0): done"]);
    }));
});
