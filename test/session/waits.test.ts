/** Runs that wait: for a person to agree, for a client, for a signal, for the time. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import { clientTool, signal, sleep, text, tool, tools } from "../../src/agents/effects.ts";
import type { ClientTool, Tool } from "../../src/agents/tool.ts";
import { EMPTY_CONVERSATION, type Run } from "../../src/protocol/pure/conversation.ts";
import { fold } from "../../src/protocol/pure/fold.ts";
import { newUser, stubOf, waitFor as until } from "../support/client.ts";
import { BEGIN, Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WHO = principalWith(["chat", "agents"]);

const amount = z.object({ amount: z.number() });
type Amount = z.infer<typeof amount>;

/** What was reported. */
let reports: unknown[][] = [];

/** What was paid, over all instances. */
let paid: number[] = [];

const pay: Tool<Amount, unknown> = {
  name: "pay",
  description: "Pays; more than 10 only if a person agrees.",
  input: amount,
  output: z.unknown(),
  idempotent: false,
  approval: (args) => args.amount > 10,
  execute: ({ amount }) => {
    paid.push(amount);
    return { paid: amount };
  },
};

/** Posts what it is given, whatever that is, if a person agrees. */
const post: Tool<object, unknown> = {
  name: "post",
  description: "posts",
  input: z.record(z.string(), z.unknown()),
  output: z.unknown(),
  idempotent: true,
  approval: "always",
  execute: () => null,
};

const where: ClientTool<object, { readonly place: string }> = {
  name: "where",
  description: "Asks the browser where the user is.",
  input: z.object({}),
  output: z.object({ place: z.string() }),
  expires_ms: HOUR_MS,
};

const at = (ms: number) => new Date(BEGIN + ms).toISOString();

/** Does what the question says. */
const waiter: Agent = {
  name: "waiter",
  version: "1",
  *run({ question }) {
    yield* text(`${question}: `);
    switch (question) {
      case "pay much":
        yield* text(JSON.stringify(yield* tool(pay, { amount: 50 })));
        break;
      case "pay all": {
        const outcomes = yield* tools([5, 20, 30].map((amount) => [pay, { amount }] as const));
        yield* text(outcomes.map((one) => (one.status === "ok" ? "paid" : one.error.code)).join(" "));
        break;
      }
      case "where":
        yield* text((yield* clientTool(where, {})).place);
        break;
      case "signal":
        yield* text(JSON.stringify(yield* signal("shipped", { until: at(DAY_MS), reason: "the parcel" })));
        break;
      case "ask much":
        yield* tools([1, 2, 3].map((i) => [post, { map: "x".repeat(60_000), i }] as const));
        break;
      case "say and ask":
        yield* text("y".repeat(120_000));
        yield* signal("s", { until: at(DAY_MS), reason: "\u0001".repeat(20_000) });
        break;
      case "two signals":
        for (const name of ["first", "second"]) yield* signal(name, { until: at(DAY_MS) });
        break;
      case "sleep":
        yield* sleep(at(DAY_MS));
        yield* text("good morning");
        break;
      default:
        yield* text("said at once");
    }
    return { finish_reason: "stop" };
  },
};

interface Bench {
  readonly desk: Desk;
  readonly storage: DurableObjectStorage;
  readonly tab: RecordingSocket;
  readonly ask: (content: string) => Promise<any>;
  readonly resume: (payload: object, id?: string, socket?: RecordingSocket) => Promise<any>;
}

async function withBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  paid = [];
  reports = [];
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const desk = new Desk(storage, waiter, { report: (...all) => reports.push(all) });
    const tab = desk.connect({ client_id: "tab" });
    let count = 0;
    const send = async (socket: RecordingSocket, type: string, payload: object, given?: string) => {
      count += 1;
      const id = given ?? `c${count}`;
      const from = socket.sent.length;
      await desk.send(socket, { type, id, payload });
      await desk.idle();
      return socket.sent.slice(from).find(({ reply_to }) => reply_to === id);
    };
    const ask = async (content: string) => (await send(tab, "user_message", { content })).payload;
    const resume = (payload: object, id?: string, socket = tab) => send(socket, "run_resume", payload, id);
    await work({ desk, storage, tab, ask, resume });
  });
}

function waitsOf(socket: RecordingSocket): any[] {
  return socket.of("run_waiting").map(({ payload }) => payload);
}

function endOf(socket: { of: (type: string) => any[] }): any {
  return socket.of("agent_completed").at(-1)?.payload;
}

/** Types of the events a socket was sent, and what is peculiar to some. */
function story({ sent }: { readonly sent: readonly any[] }): string[] {
  return sent
    .filter(({ seq }) => seq !== undefined)
    .map(({ type, payload }) => [type, payload.decision ?? payload.status].filter(Boolean).join(" "));
}

/** The log, for when no token is good any more. */
function logOf(storage: DurableObjectStorage): { sent: any[]; of: (type: string) => any[] } {
  const rows = storage.sql.exec("SELECT frame FROM events ORDER BY seq").toArray();
  const sent = rows.map(({ frame }) => JSON.parse(String(frame)));
  return { sent, of: (type) => sent.filter((frame) => frame.type === type) };
}

/** The time comes, and the alarm rings. */
async function later(desk: Desk, ms: number): Promise<void> {
  desk.advance(ms);
  desk.session.deadlines.fire();
  await desk.idle();
}

describe("an approval", () => {
  test("[L1] is asked for with the arguments; agreed to, the call runs once", () =>
    withBench(async ({ tab, ask, resume }) => {
      await ask("pay much");
      const [wait] = waitsOf(tab);
      expect(wait).toMatchObject({
        kind: "approval",
        tool_name: "pay",
        args: { amount: 50 },
        expires_at: at(DAY_MS),
        text: "pay much: ",
      });
      expect(paid).toEqual([]);
      expect(await resume({ wait_id: wait.wait_id, decision: "approved" })).toMatchObject({
        type: "command_ack",
        payload: { seq: 4, duplicate: false },
      });
      expect(paid).toEqual([50]);
      expect(story(tab)).toEqual([
        "user_message",
        "agent_started",
        "run_waiting",
        "run_resumed approved",
        "tool_executing",
        "tool_completed ok",
        "agent_completed succeeded",
      ]);
      expect(endOf(tab).content).toBe('pay much: {"paid":50}');
    }));

  test("[L1] denied, the call never runs, and its agent is told", () =>
    withBench(async ({ tab, ask, resume }) => {
      await ask("pay much");
      await resume({ wait_id: waitsOf(tab)[0].wait_id, decision: "denied" });
      expect(paid).toEqual([]);
      expect(tab.of("tool_completed")[0].payload).toMatchObject({
        status: "denied",
        error: { code: "denied" },
      });
      expect(endOf(tab)).toMatchObject({ status: "failed", error: { code: "denied" } });
    }));

  test("[L1] that nobody gives in time is none: the alarm ends the wait", () =>
    withBench(async ({ desk, storage, ask }) => {
      await ask("pay much");
      expect(desk.alarms.at(-1)).toBeLessThanOrEqual(BEGIN + DAY_MS);
      await later(desk, DAY_MS);
      expect(paid).toEqual([]);
      expect(story(logOf(storage)).slice(-4)).toEqual([
        "run_resumed expired",
        "tool_executing",
        "tool_completed denied",
        "agent_completed failed",
      ]);
      expect(logOf(storage).of("tool_completed")[0].payload.error.code).toBe("approval_expired");
    }));

  test("[L2] of several calls is asked for together; the run goes on when all are answered", () =>
    withBench(async ({ desk, tab, ask, resume }) => {
      await ask("pay all");
      const waits = waitsOf(tab);
      expect(waits.map(({ args }) => args.amount)).toEqual([20, 30]);
      expect(paid).toEqual([]);
      await resume({ wait_id: waits[1].wait_id, decision: "denied" });
      expect([paid, tab.of("agent_completed")]).toEqual([[], []]);
      desk.crash();
      const late = desk.connect({ client_id: "late" });
      const [run] = late.of("state_snapshot")[0].payload.runs;
      expect([run.status, run.text, run.waits.map(({ wait_id }: any) => wait_id)]).toEqual([
        "waiting",
        "pay all: ",
        [waits[0].wait_id],
      ]);
      await resume({ wait_id: waits[0].wait_id, decision: "approved" }, "late", late);
      expect(paid).toEqual([5, 20]);
      expect(endOf(late).content).toBe("pay all: paid paid denied");
    }));
});

describe("an answer", () => {
  test("[L3] counts once, from whichever tab, and again under its id it is the same", () =>
    withBench(async ({ desk, tab, ask, resume }) => {
      await ask("pay much");
      const { wait_id } = waitsOf(tab)[0];
      const other = desk.connect({ client_id: "other" });
      const first = await resume({ wait_id, decision: "approved" }, "yes", other);
      expect(first.type).toBe("command_ack");
      expect((await resume({ wait_id, decision: "denied" })).payload).toMatchObject({ code: "conflict" });
      const again = await resume({ wait_id, decision: "approved" }, "yes");
      expect(again.payload).toEqual({ ...first.payload, duplicate: true });
      expect(paid).toEqual([50]);
    }));

  test("[L3] given by two at once is taken from the first", () =>
    withBench(async ({ desk, tab, ask }) => {
      await ask("pay much");
      const { wait_id } = waitsOf(tab)[0];
      const answer = (id: string, decision: string) =>
        desk.send(tab, { type: "run_resume", id, payload: { wait_id, decision } });
      await Promise.all([answer("a", "denied"), answer("b", "approved")]);
      await desk.idle();
      expect([paid, story(tab).filter((line) => line.startsWith("run_resumed"))]).toEqual([
        [],
        ["run_resumed denied"],
      ]);
      expect(tab.sent.find(({ reply_to }) => reply_to === "b").payload.code).toBe("conflict");
    }));

  test("[L4] that fits no wait is refused and changes nothing", () =>
    withBench(async ({ desk, tab, ask, resume }) => {
      await ask("pay much");
      await ask("sleep");
      const [approval, timer] = waitsOf(tab);
      const code = async (payload: object) => {
        const reply = await resume(payload);
        return [reply.payload.code, reply.payload.field];
      };
      expect(await code({ wait_id: "w_3_guessed", decision: "approved" })).toEqual([
        "not_found",
        "payload.wait_id",
      ]);
      expect(await code({ wait_id: "nonsense", decision: "approved" })).toEqual([
        "not_found",
        "payload.wait_id",
      ]);
      expect(await code({ wait_id: approval.wait_id })).toEqual(["invalid_payload", "payload.decision"]);
      expect(await code({ wait_id: approval.wait_id, decision: "answered" })).toEqual([
        "invalid_payload",
        "payload.decision",
      ]);
      expect(
        await code({ wait_id: approval.wait_id, decision: "denied", value: { approved: true } }),
      ).toEqual(["invalid_payload", "payload.value"]);
      expect(await code({ wait_id: timer.wait_id, value: 1 })).toEqual(["conflict", "payload.wait_id"]);
      const value = "x".repeat(64 * 1024);
      const large = { wait_id: approval.wait_id, decision: "approved" as const, value };
      const done = await desk.session.requests.submit(WHO, {
        type: "run_resume",
        id: "large",
        payload: large,
      });
      expect(done).toMatchObject({ ok: false, refusal: { code: "too_large", field: "payload.value" } });
      desk.advance(DAY_MS);
      const payload = { wait_id: approval.wait_id, decision: "approved" as const };
      const late = await desk.session.requests.submit(WHO, { type: "run_resume", id: "late", payload });
      expect(late).toMatchObject({ ok: false, refusal: { code: "conflict", field: "payload.wait_id" } });
      expect([paid, tab.of("run_resumed")]).toEqual([[], []]);
    }));
});

describe("a tool that a client executes", () => {
  test("[L5] has begun, and completes with what the client brings", () =>
    withBench(async ({ tab, ask, resume }) => {
      await ask("where");
      const [wait] = waitsOf(tab);
      expect(wait).toMatchObject({ kind: "client_tool", tool_name: "where", expires_at: at(HOUR_MS) });
      await resume({ wait_id: wait.wait_id, value: { place: "Utrecht" } });
      expect(story(tab).slice(2)).toEqual([
        "tool_executing",
        "run_waiting",
        "run_resumed answered",
        "tool_completed ok",
        "agent_completed succeeded",
      ]);
      expect(endOf(tab).content).toBe("where: Utrecht");
    }));

  test.each([
    ["says that it failed", { decision: "failed" }, "tool_failed"],
    ["brings what the tool never promised", { value: { town: 7 } }, "agent_failed"],
  ])("[L5] fails where the client %s", (_, answer, code) =>
    withBench(async ({ tab, ask, resume }) => {
      await ask("where");
      await resume({ wait_id: waitsOf(tab)[0].wait_id, ...answer });
      expect(endOf(tab)).toMatchObject({ status: "failed", error: { code } });
    }),
  );

  test("[L5] fails when no client has come in time", () =>
    withBench(async ({ desk, storage, ask }) => {
      await ask("where");
      await later(desk, HOUR_MS);
      const log = logOf(storage);
      expect(log.of("tool_completed")[0].payload.error.code).toBe("timeout");
      expect(log.of("agent_completed")[0].payload.error.code).toBe("timeout");
    }));
});

describe("a service", () => {
  test.each([
    ["brings", { value: { place: "Utrecht" } }, { status: "succeeded", content: "where: Utrecht" }],
    ["fails to bring", { decision: "failed" as const }, { status: "failed", error: { code: "tool_failed" } }],
  ])("[L12] %s what a client was asked for, over a crash", (_, answer, end) =>
    withBench(async ({ desk, storage, tab, ask }) => {
      await ask("where");
      const [{ wait_id }] = waitsOf(tab);
      desk.crash();
      const who = { ...WHO, permissions: ["service" as const] };
      const done = await desk.session.requests.answerWait({ who, answer: { wait_id, ...answer } });
      await desk.idle();
      expect(done).toMatchObject({ ok: true, value: { duplicate: false } });
      expect(endOf(logOf(storage))).toMatchObject(end);
    }),
  );

  test("[L12] finds nothing of a user who does not exist, and makes none", async () => {
    await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
      const desk = new Desk(storage, waiter);
      const answer = { wait_id: "w_3_x", value: 1 };
      const done = await desk.session.requests.answerWait({ who: WHO, answer });
      expect(done).toMatchObject({ ok: false, refusal: { code: "not_found", field: "payload.wait_id" } });
      expect(storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'events'").toArray()).toEqual([]);
    });
  });
});

describe("a run that waits", () => {
  test("[L6] costs nothing: no timer, one alarm, and it survives crashes and evictions", () =>
    withBench(async ({ desk, storage, ask }) => {
      await ask("sleep");
      expect(desk.timers).toBe(0);
      for (let i = 0; i < 5; i += 1) {
        desk.crash();
        await desk.idle();
        desk.evict();
        await desk.idle();
      }
      await later(desk, DAY_MS);
      const log = logOf(storage);
      expect(endOf(log)).toMatchObject({ status: "succeeded", content: "sleep: good morning" });
      expect(log.of("run_waiting")).toHaveLength(1);
    }));

  test("[L13] is ended in time though another one cannot be: that is reported, and tried again", () =>
    withBench(async ({ desk, storage, tab, ask }) => {
      for (const question of ["where", "signal", "sleep"]) await ask(question);
      const [bad] = waitsOf(tab).map(({ run_id }) => run_id);
      const { transactionSync } = storage;
      const broken: any = (work: () => unknown) =>
        transactionSync.call(storage, () => {
          const value: any = work();
          if (value.tx?.runSeqs.has(bad)) throw new Error("the disk has a hole there");
          return value;
        });
      storage.transactionSync = broken;
      await later(desk, DAY_MS);
      storage.transactionSync = transactionSync;
      expect(logOf(storage).of("run_resumed")).toHaveLength(2);
      expect(logOf(storage).of("agent_completed")).toHaveLength(2);
      expect(reports).toContainEqual([
        "error",
        "a wait could not be ended",
        expect.objectContaining({ run_id: bad }),
      ]);
      expect(desk.alarms.at(-1)).toBeLessThanOrEqual(desk.now + 60_000);
      await later(desk, 60_000);
      expect(logOf(storage).of("agent_completed")).toHaveLength(3);
    }));

  test("[L6] may be cut three times after each wait, however often it was before; a fourth time ends it", () =>
    withBench(async ({ desk, storage, ask }) => {
      const { run_id } = await ask("two signals");
      const row = () =>
        storage.sql.exec("SELECT state, attempt FROM runs WHERE run_id = ?", run_id).toArray()[0];
      const answer = async (id: string) => {
        const { wait_id } = logOf(storage).of("run_waiting").at(-1).payload;
        const command = { type: "run_resume", id, payload: { wait_id, value: id } } as const;
        expect(await desk.session.requests.submit(WHO, command)).toMatchObject({ ok: true });
      };
      const never = () => new Promise<void>(() => {});
      // Answered and killed, twice; the third attempt comes to the next wait.
      desk.sync = never;
      await answer("one");
      desk.crash();
      await until(() => row()?.attempt === 3);
      desk.sync = async () => {};
      desk.crash();
      await until(() => row()?.state === "waiting");
      // Answered again, and killed three times.
      desk.sync = never;
      await answer("two");
      for (const attempt of [6, 7]) {
        desk.crash();
        await until(() => row()?.attempt === attempt);
      }
      desk.crash();
      await until(() => row() === undefined);
      // Begun, and twice begun again after each wait: that it waited is not counted.
      expect(endOf(logOf(storage))).toMatchObject({
        status: "interrupted",
        error: { code: "attempts_exhausted", message: expect.stringContaining("3 times") },
        attempts: 5,
      });
    }));

  test("[L6] that was never cut was attempted once, however often it waited; what was cut is counted", () =>
    withBench(async ({ desk, storage, tab, ask, resume }) => {
      await ask("two signals");
      for (const value of [1, 2]) await resume({ wait_id: waitsOf(tab).at(-1).wait_id, value });
      expect(endOf(tab)).toMatchObject({ status: "succeeded", attempts: 1 });
      await ask("two signals");
      await resume({ wait_id: waitsOf(tab).at(-1).wait_id, value: 1 });
      desk.sync = () => new Promise(() => {});
      const { wait_id, run_id } = waitsOf(tab).at(-1);
      await desk.session.requests.submit(WHO, {
        type: "run_resume",
        id: "x",
        payload: { wait_id, value: 2 },
      });
      desk.sync = async () => {};
      desk.crash();
      await until(() => logOf(storage).of("agent_completed").length === 2);
      expect(endOf(logOf(storage))).toMatchObject({ status: "succeeded", attempts: 2 });
      expect(desk.session.requests.runJournal(run_id)).toMatchObject({ value: { run: { attempts: 2 } } });
    }));

  test("[L7] does not keep its thread: what is asked meanwhile is answered, and it takes its turn again", () =>
    withBench(async ({ tab, ask, resume }) => {
      await ask("signal");
      await ask("hello");
      expect(endOf(tab)).toMatchObject({ status: "succeeded", content: "hello: said at once" });
      await resume({ wait_id: waitsOf(tab)[0].wait_id, value: 1 });
      expect(endOf(tab)).toMatchObject({
        status: "succeeded",
        content: 'signal: {"status":"answered","value":1}',
      });
    }));

  test("[L9] has one of the places of those that are queued: more are refused, until one is answered", () =>
    withBench(async ({ desk, tab, ask, resume }) => {
      for (let i = 0; i < 10; i += 1) await ask("signal");
      const from = tab.of("user_message").length;
      expect(await ask("signal")).toMatchObject({ code: "run_queue_full", limit: 10, retryable: true });
      expect(await ask("hello")).toMatchObject({ code: "run_queue_full" });
      expect(tab.of("user_message")).toHaveLength(from);
      expect(desk.session.requests.overview()).toMatchObject({ value: { runs: { length: 10 } } });
      await resume({ wait_id: waitsOf(tab)[4].wait_id, value: 1 });
      expect(await ask("hello")).toMatchObject({ run_id: expect.any(String) });
    }));

  test("[L10] is in a snapshot whole, or with its waits and the text so far cut, which is said; never beyond 256 KiB", () =>
    withBench(async ({ desk, tab, ask }) => {
      for (const question of ["sleep", "say and ask", "say and ask", "ask much"]) await ask(question);
      for (const instance of ["the same", "another"]) {
        if (instance === "another") desk.crash();
        const { runs, runs_omitted } = desk.connect({ client_id: instance }).of("state_snapshot")[0].payload;
        expect(new TextEncoder().encode(JSON.stringify({ runs })).byteLength).toBeLessThan(250 * 1024);
        expect([runs.length, runs_omitted]).toEqual([4, undefined]);
        const [sleeps, says, , asks] = runs;
        expect([sleeps.truncated, sleeps.waits[0].kind, sleeps.text]).toEqual([
          undefined,
          "timer",
          "sleep: ",
        ]);
        expect([says.attempt, says.text.slice(0, 13), says.waits[0].wait_id]).toEqual([
          1,
          "say and ask: ",
          waitsOf(tab)[1].wait_id,
        ]);
        expect([asks.truncated, asks.status, asks.text]).toEqual([true, "waiting", "ask much: "]);
        expect(asks.waits.map(({ args, args_omitted }: any) => [args, args_omitted])).toEqual(
          Array(3).fill([undefined, true]),
        );
      }
    }));

  test("[L10] is in no snapshot where a hundred of them are too much; how many are missing is said", () =>
    withBench(async ({ desk }) => {
      const say = (i: number, question: string) => {
        const payload = { thread_id: `018f0000-0000-7000-8000-00000000001${i % 10}`, content: question };
        return desk.session.requests.submit(WHO, { type: "user_message", id: `m${i}`, payload });
      };
      for (let i = 0; i < 100; i += 1) expect((await say(i, "say and ask")).ok).toBe(true);
      await desk.idle();
      const frame = desk.connect({ client_id: "late" }).of("state_snapshot")[0];
      expect(new TextEncoder().encode(JSON.stringify(frame)).byteLength).toBeLessThan(256 * 1024);
      const { runs, runs_omitted } = frame.payload;
      expect(runs.length + runs_omitted).toBe(100);
      expect(runs.length).toBeGreaterThan(30);
      expect(runs.every(({ waits }: any) => waits.length === 1)).toBe(true);
    }));

  test("[L9] counts for its user too: a hundred unfinished runs, and no more, wherever they are", () =>
    withBench(async ({ desk, storage }) => {
      const say = (thread: number, i: number) => {
        const thread_id = `018f0000-0000-7000-8000-0000000000${thread + 10}`;
        const payload = { thread_id, content: "signal" };
        return desk.session.requests.submit(WHO, { type: "user_message", id: `${thread} ${i}`, payload });
      };
      for (let i = 0; i < 100; i += 1) expect((await say(i % 10, i)).ok).toBe(true);
      expect(await say(10, 0)).toMatchObject({
        ok: false,
        refusal: { code: "run_queue_full", limit: 100, message: expect.stringContaining("100") },
      });
      await desk.idle();
      expect(storage.sql.exec("SELECT COUNT(*) AS n FROM runs").one().n).toBe(100);
    }));

  test.each([
    ["pay much", []],
    ["where", ["cancelled"]],
    ["signal", []],
    ["sleep", []],
  ])("[L8] is stopped like any other: %s", (question, completed) =>
    withBench(async ({ desk, tab, ask, resume }) => {
      const { run_id } = await ask(question);
      desk.evict();
      await desk.send(tab, { type: "run_cancel", id: "stop", payload: { run_id } });
      expect(endOf(tab)).toMatchObject({ status: "cancelled", content: `${question}: ` });
      expect(tab.of("tool_completed").map(({ payload }) => payload.error.code)).toEqual(completed);
      // Its end is the end of its waits: nothing else says so, and who folds the events shows none.
      expect(tab.of("run_resumed")).toEqual([]);
      const view = tab.sent.reduce(fold, EMPTY_CONVERSATION).runs.find((run: Run) => run.run_id === run_id);
      expect([view.status, view.waits]).toEqual(["cancelled", undefined]);
      expect(desk.connect({ client_id: "late" }).of("state_snapshot")[0].payload.runs).toEqual([]);
      const late = await resume({ wait_id: waitsOf(tab)[0].wait_id, decision: "approved" });
      expect(late.payload.code).toBe("conflict");
      await later(desk, DAY_MS);
      expect([paid, tab.of("agent_completed").length]).toEqual([[], 1]);
    }),
  );

  test("[L8] goes with its thread", () =>
    withBench(async ({ desk, tab, ask, resume }) => {
      await ask("pay much");
      const { wait_id } = waitsOf(tab)[0];
      await desk.send(tab, { type: "thread_delete", id: "d", payload: { thread_id: "main" } });
      expect((await resume({ wait_id, decision: "approved" })).payload.code).toBe("not_found");
      await later(desk, DAY_MS);
      expect(paid).toEqual([]);
    }));
});
