/** Messages that an agent somewhere else answers: the session feeds its runs itself. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agents/agent.ts";
import { feeding, type RunStart } from "../../src/protocol/feeding.ts";
import {
  DEFAULT_PLANS,
  MAX_ANSWER_BYTES,
  MAX_CONTENT_BYTES,
  MAX_EVENT_BYTES,
} from "../../src/protocol/limits.ts";
import type { Ports } from "../../src/session/ports.ts";
import { call, done, message, result, type Sent, sse, started } from "../agents/remote/support.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, principalWith, type RecordingSocket } from "../support/desk.ts";
import { until } from "../support/fake-clock.ts";
import { type Asked, RemoteDesk, TOKEN, URL } from "../support/remote-agent.ts";

const SERVICE = { ...principalWith([]), sub: "crm", permissions: ["service" as const] };

/** It must never be asked while there is a remote one. */
const embedded: Agent = {
  name: "embedded",
  version: "1",
  *run() {
    yield* [];
    return { finish_reason: "stop" };
  },
};

interface Scene {
  readonly desk: Desk;
  readonly far: RemoteDesk;
  readonly tab: RecordingSocket;
  /** All that was logged. */
  readonly logged: string[];
  readonly storage: DurableObjectStorage;
}

async function scene(work: (scene: Scene) => Promise<void>, over: Partial<Ports> = {}) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const far = new RemoteDesk();
    const logged: string[] = [];
    const report: Ports["report"] = (...all) => logged.push(JSON.stringify(all));
    const desk = new Desk(storage, embedded, { remote: far.agent, report, ...over });
    await work({ desk, far, tab: desk.connect(), logged, storage });
  });
}

let ids = 0;

/** What comes while a batch is being fed waits for it, so sending is not yet having said. */
async function ask({ desk, tab }: Pick<Scene, "desk" | "tab">, content = "a question", more = {}) {
  ids += 1;
  const before = tab.of("user_message").length;
  await desk.send(tab, { type: "user_message", id: `c${ids}`, payload: { content, ...more } });
  await until(() => tab.of("user_message").length > before);
}

/** Asks, and waits until the agent has been asked. */
async function asking(scene: Scene, content = "a question", more = {}): Promise<Asked> {
  const before = scene.far.asked.length;
  await ask(scene, content, more);
  return await nth(scene, before);
}

async function nth({ far }: Pick<Scene, "far">, index: number): Promise<Asked> {
  await until(() => far.asked.length > index);
  return far.asked[index] as Asked;
}

function heard(tab: RecordingSocket): string[] {
  return tab.sent
    .slice(tab.sent.findIndex(({ type }) => type === "replay_completed") + 1)
    .filter(({ seq, type }) => seq !== undefined || type === "partial_result")
    .map(({ type, payload }) => (type === "partial_result" ? `+${payload.delta}` : type));
}

const endings = (tab: RecordingSocket) => tab.of("agent_completed").map(({ payload }) => payload);
const runOf = (tab: RecordingSocket) => tab.of("user_message").at(-1).payload.run_id;
const begin = (messageId: string): Sent => ({ type: "TEXT_MESSAGE_START", messageId, role: "assistant" });
const piece = (messageId: string, delta: string): Sent => ({
  type: "TEXT_MESSAGE_CONTENT",
  messageId,
  delta,
});
const REPORT = { summary: "s", findings: [], recommendations: [], assumptions: [], questions: [] };

/** A run whose agent has written "so far" and is still at it. */
async function half(scene: Scene): Promise<Asked> {
  const asked = await asking(scene);
  asked.events(started, begin("m"), piece("m", "so far"));
  await until(() => scene.tab.of("partial_result").length > 0);
  return asked;
}

describe("a message that a remote agent answers", () => {
  test("[U4] is not begun when its turn comes after the budget was used up, nor are those behind it", async () => {
    const free = { ...DEFAULT_PLANS.free, tokens_per_day: 100 };
    await scene(
      async (scene) => {
        const { desk, far, tab } = scene;
        const asked = await asking(scene);
        for (const content of ["second", "third"]) await ask(scene, content);
        const usage = { model: "m", provider: "p", inputTokens: 90, outputTokens: 10, totalTokens: 100 };
        asked.events(started, ...message("m", "dear"), { ...done, usage: [usage] });
        await desk.idle();
        expect(endings(tab).map(({ status, error }) => error?.code ?? status)).toEqual([
          "succeeded",
          "budget_exceeded",
          "budget_exceeded",
        ]);
        expect(tab.of("agent_started")).toHaveLength(3);
        expect(far.asked).toHaveLength(1);
      },
      { plans: { ...DEFAULT_PLANS, free } },
    );
  });

  test("[U4] [R21] is asked again after an answer, though the budget is used up: it has begun", async () => {
    const free = { ...DEFAULT_PLANS.free, tokens_per_day: 4 };
    await scene(
      async (scene) => {
        const { desk, far, tab } = scene;
        const asked = await half(scene);
        const calls = call("c", "pay", "{}");
        asked.events(...calls, interrupted({ id: "i", reason: "?", toolCallId: "c" }));
        await desk.idle();
        await desk.send(tab, { type: "user_message", id: "another", payload: { content: "another" } });
        expect(tab.of("error").map(({ payload }) => payload.code)).toEqual(["budget_exceeded"]);
        await resume(scene, tab, { wait_id: waitsOf(tab)[0].wait_id, decision: "approved" });
        (await nth(scene, 1)).events(started, result("c", "paid"), done);
        await desk.idle();
        expect(tab.of("tool_completed")).toMatchObject([{ payload: { status: "ok", result: "paid" } }]);
        expect(endings(tab)).toMatchObject([{ status: "succeeded" }]);
        expect(far.asked).toHaveLength(2);
      },
      { plans: { ...DEFAULT_PLANS, free } },
    );
  });

  test("[R12] has a run like any other: its steps, its text while it is written, its report, one end", async () => {
    await scene(async (scene) => {
      const { desk, tab } = scene;
      const asked = await asking(scene);
      asked.events(started, begin("m"), piece("m", "Well, "));
      await until(() => tab.of("partial_result").length === 1);
      asked.events(
        ...call("c1", "look", '{"at":1}'),
        result("c1", "42"),
        { type: "CUSTOM", name: "final_report", value: REPORT },
        piece("m", "yes."),
        { type: "TEXT_MESSAGE_END", messageId: "m" },
        done,
      );
      await desk.idle();
      expect(heard(tab)).toEqual([
        "user_message",
        "agent_started",
        "+Well, ",
        // One batch: its text is there before the step that follows it.
        "+yes.",
        "tool_executing",
        "tool_completed",
        "final_report",
        "agent_completed",
      ]);
      expect(tab.of("agent_started")[0].payload).toMatchObject({ agent_name: "remote", agent_version: "" });
      expect(tab.of("tool_completed")[0].payload).toMatchObject({ tool_name: "look", status: "ok" });
      expect(endings(tab)).toMatchObject([
        { status: "succeeded", finish_reason: "stop", content: "Well, yes.", attempts: 1 },
      ]);
      const ofRun = tab.sent.filter(({ payload }) => payload?.run_seq !== undefined);
      expect(ofRun.map(({ payload }) => payload.run_seq)).toEqual([0, 1, 2, 3, 4]);
      expect(desk.timers).toBe(0);
      expect(scene.far.clock.armed).toBe(0);
    });
  });

  test("[R12] who comes in the middle is shown its text, and where nobody is to answer it is not asked", async () => {
    await scene(async (scene) => {
      await half(scene);
      expect(scene.desk.connect().of("state_snapshot")[0].payload.runs).toMatchObject([
        { agent_name: "remote", status: "running", text: "so far" },
      ]);
      await ask(scene, "not to you", { respond: false, thread_id: crypto.randomUUID() });
      expect(scene.far.asked).toHaveLength(1);
    });
  });

  test("[R12] a second one waits for its turn, and is asked with what had been said before it", async () => {
    await scene(async (scene) => {
      const { desk, far, tab } = scene;
      const first = await asking(scene, "one");
      await ask(scene, "two");
      // Waiting is not silence.
      desk.advance(59_000);
      first.raw(": still here\n\n");
      await far.clock.pass(15_000);
      desk.advance(59_000);
      desk.session.deadlines.fire();
      expect(far.asked).toHaveLength(1);
      first.events(started, ...message("m", "first"), done);
      const second = await nth(scene, 1);
      second.events(started, ...message("m", "second"), done);
      await desk.idle();
      expect(endings(tab).map(({ content }) => content)).toEqual(["first", "second"]);
      expect(second.input.messages.map(({ content }: any) => content)).toEqual(["one", "two"]);
    });
  });

  test("[R12] also answers anew, and where a service asks for the agent", async () => {
    await scene(async (scene) => {
      const { desk, tab } = scene;
      (await asking(scene)).events(started, ...message("m", "one"), done);
      await desk.idle();
      const { message_id } = endings(tab)[0];
      await desk.send(tab, { type: "message_regenerate", id: "again", payload: { message_id } });
      (await nth(scene, 1)).events(started, ...message("m", "another"), done);
      await desk.idle();
      const start: RunStart = { executor: "agent", content: "from the CRM" };
      const run = await desk.session.requests.startRun({ who: SERVICE, start });
      expect(run.ok).toBe(true);
      (await nth(scene, 2)).events(started, ...message("m", "to the CRM"), done);
      await desk.idle();
      expect(endings(tab).map(({ content }) => content)).toEqual(["one", "another", "to the CRM"]);
    });
  });
});

describe("what a remote agent is asked", () => {
  test("[R13] is the conversation with its ids, the question last, in a thread that is nobody else's", async () => {
    await scene(async (scene) => {
      const { desk, tab } = scene;
      (await asking(scene, "one")).events(started, ...message("m", "first"), done);
      await desk.idle();
      // It failed without a word, so there is nothing to tell.
      (await asking(scene, "two")).events({ type: "RUN_ERROR", message: "no" });
      await desk.idle();
      const { init, url, input } = await asking(scene, "three", { data: { order: 7 }, metadata: { a: 1 } });
      const [one, two, three] = tab.of("user_message").map(({ payload }) => payload.message_id);
      expect(input).toEqual({
        threadId: "u_desk:main",
        runId: runOf(tab),
        protocolVersion: "1.0",
        state: {},
        messages: [
          { id: one, role: "user", content: "one" },
          { id: endings(tab)[0].message_id, role: "assistant", content: "first" },
          { id: two, role: "user", content: "two" },
          { id: three, role: "user", content: "three" },
        ],
        tools: [],
        context: [],
        forwardedProps: { data: { order: 7 } },
      });
      expect(url).toBe(URL);
      expect(init.headers).toMatchObject({ Authorization: `Bearer ${TOKEN}` });
    });
  });

  test("[R13] is 40 earlier messages and 1 MiB at most, the newest ones", async () => {
    await scene(async (scene) => {
      const say = (content: string) => ask(scene, content, { respond: false });
      for (let i = 0; i < 41; i += 1) {
        scene.desk.advance(10_000);
        await say(`${i}`);
      }
      const many = await asking(scene, "all of it?");
      expect(many.input.messages).toHaveLength(41);
      expect(many.input.messages[0].content).toBe("1");
      many.events(started, done);
      await scene.desk.idle();
      const long = "x".repeat(MAX_CONTENT_BYTES);
      for (let i = 0; i < 39; i += 1) {
        scene.desk.advance(10_000);
        await say(long);
        await scene.desk.send(scene.tab, { type: "ack", payload: { seq: scene.tab.sent.at(-1).seq } });
      }
      scene.desk.advance(10_000);
      const { init, input } = await asking(scene, "and now?");
      expect(String(init.body).length).toBeLessThan(1024 * 1024 + 1_000);
      expect(input.messages).toHaveLength(32);
      expect(input.messages.at(-1).content).toBe("and now?");
    });
  });
});

describe("a remote agent that does not come to an end", () => {
  const ENDS: [string, (asked: Asked) => void, object][] = [
    [
      "fails",
      (asked) => asked.events({ type: "RUN_ERROR", message: "no GPU" }),
      { status: "failed", error: { code: "agent_error", message: "no GPU", retryable: true } },
    ],
    ["is cut", (asked) => asked.breakOff(), { status: "interrupted", error: { code: "agent_stream_cut" } }],
    [
      "asks nothing",
      (asked) => asked.events({ ...done, outcome: { type: "interrupt", interrupts: [] } }),
      { status: "failed", error: { code: "agent_interrupt_unsupported" } },
    ],
    [
      "ends with a call open",
      (asked) => {
        asked.events(...call("c", "look", "{}"));
        asked.breakOff();
      },
      { status: "interrupted", error: { code: "agent_stream_cut" } },
    ],
    [
      "sends garbage and leaves",
      (asked) => {
        asked.raw('data: {"type":"TEXT_MESSAGE_CONTENT"}\n\ndata: [1\n\n\0\xff\n\ndata: {"type":42}\n\n');
        asked.breakOff();
      },
      { status: "interrupted", error: { code: "agent_stream_cut" } },
    ],
  ];

  test.each(ENDS)(
    "[R14] one that %s ends its run once, and the next has its turn",
    async (_, end, ending) => {
      await scene(async (scene) => {
        const asked = await half(scene);
        await ask(scene, "next");
        end(asked);
        (await nth(scene, 1)).events(started, ...message("n", "fine"), done);
        await scene.desk.idle();
        expect(endings(scene.tab)).toMatchObject([{ ...ending, content: "so far" }, { content: "fine" }]);
        const [executed, completed] = ["tool_executing", "tool_completed"].map((type) => scene.tab.of(type));
        expect(completed).toHaveLength(executed?.length ?? 0);
      });
    },
  );

  test.each([
    ["a page", async () => new Response("<html>", { headers: { "Content-Type": "text/html" } })],
    ["a 500", async () => new Response("a secret of the agent", { status: 500 })],
    ["nobody", () => Promise.reject(new Error("a secret of the network"))],
  ])("[R14] [R19] where %s answers, the run fails, and not a word of it is logged", async (_, answer) => {
    await scene(async (scene) => {
      scene.far.answer = answer;
      await ask(scene);
      await scene.desk.idle();
      expect(endings(scene.tab)).toMatchObject([{ status: "failed", content: "" }]);
      expect(JSON.stringify(scene.tab.sent) + scene.logged.join()).not.toMatch(/secret|a-token|agent\.test/);
    });
  });

  test("[R14] an answer that is too long is cut, and the agent is hung up on", async () => {
    await scene(async (scene) => {
      const asked = await half(scene);
      asked.events(piece("m", "y".repeat(MAX_ANSWER_BYTES)));
      await scene.desk.idle();
      expect(endings(scene.tab)).toMatchObject([{ status: "succeeded", finish_reason: "length" }]);
      expect(endings(scene.tab)[0].content).toHaveLength(MAX_ANSWER_BYTES);
      expect(asked.hungUp).toBe(true);
    });
  });

  test("[R14] one that is slow is waited for as long as its connection lives", async () => {
    await scene(async (scene) => {
      const { desk, far, tab } = scene;
      const asked = await half(scene);
      for (let i = 0; i < 12; i += 1) {
        desk.advance(15_000);
        await far.clock.pass(15_000);
        await until(() => true);
        desk.session.deadlines.fire();
      }
      expect(endings(tab)).toEqual([]);
      asked.events({ type: "TEXT_MESSAGE_END", messageId: "m" }, done);
      await desk.idle();
      expect(endings(tab)).toMatchObject([{ status: "succeeded", content: "so far" }]);
    });
  });

  test("[R14] if the disk takes nothing more, its run ends as soon as it does again, and the agent is hung up on", async () => {
    await scene(async (scene) => {
      const { desk, storage, tab } = scene;
      const asked = await half(scene);
      storage.sql.exec("ALTER TABLE events RENAME TO elsewhere");
      asked.events(...call("c", "look", "{}"));
      await desk.idle();
      expect(asked.hungUp).toBe(true);
      storage.sql.exec("ALTER TABLE elsewhere RENAME TO events");
      desk.advance(75_000);
      desk.session.deadlines.fire();
      expect(endings(tab)).toMatchObject([
        { status: "interrupted", content: "so far", error: { code: "agent_stream_cut", retryable: true } },
      ]);
    });
  });
});

describe("a run of a remote agent that ends in another way", () => {
  const STOPS: [string, (scene: Scene) => unknown][] = [
    [
      "cancelled",
      ({ desk, tab }) => desk.send(tab, { type: "run_cancel", id: "stop", payload: { run_id: runOf(tab) } }),
    ],
    [
      "deleted with its thread",
      ({ desk, tab }) =>
        desk.send(tab, { type: "thread_delete", id: "gone", payload: { thread_id: "main" } }),
    ],
    [
      "taken over",
      ({ desk, tab }) =>
        desk.session.requests.startRun({
          who: SERVICE,
          start: {
            executor: "feed",
            agent_name: "Dana",
            message_id: tab.of("user_message")[0].payload.message_id,
            takeover: true,
          },
        }),
    ],
    ["erased with its user", ({ desk }) => desk.session.erase(principalWith(["chat"]))],
  ];

  test.each(STOPS)(
    "[R15] %s hangs up on it at once, and what still comes changes nothing",
    async (_, stop) => {
      await scene(async (scene) => {
        const { desk, tab, logged } = scene;
        const asked = await half(scene);
        await stop(scene);
        await until(() => asked.hungUp);
        const before = tab.sent.length;
        asked.events(piece("m", "late"), done);
        await desk.idle();
        expect(tab.sent).toHaveLength(before);
        expect(logged).toEqual([]);
        expect(scene.far.clock.armed).toBe(0);
      });
    },
  );

  test("[R15] cancelled keeps its text and ends once, though a batch arrives in the same moment", async () => {
    await scene(async (scene) => {
      const { desk, tab, logged } = scene;
      const asked = await half(scene);
      asked.events(...call("c", "look", "{}"), done);
      await desk.send(tab, { type: "run_cancel", id: "stop", payload: { run_id: runOf(tab) } });
      await desk.idle();
      expect(endings(tab)).toHaveLength(1);
      expect(endings(tab)).toMatchObject([{ content: "so far" }]);
      expect(logged).toEqual([]);
    });
  });

  test("[R15] cancelled before its turn, or before it was asked, is never asked", async () => {
    await scene(async (scene) => {
      const { desk, far, tab } = scene;
      let release = () => {};
      desk.sync = () =>
        new Promise((resolve) => {
          release = resolve;
        });
      await ask(scene, "one");
      await ask(scene, "two");
      for (const { payload } of tab.of("user_message").reverse()) {
        const { run_id } = payload;
        await desk.send(tab, { type: "run_cancel", id: `stop ${run_id}`, payload: { run_id } });
      }
      release();
      await desk.idle();
      expect(far.asked).toEqual([]);
      expect(endings(tab).map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
    });
  });
});

const interrupted = (...interrupts: object[]): Sent => ({
  ...done,
  outcome: { type: "interrupt", interrupts },
  usage: [{ provider: "p", model: "m", inputTokens: 3, outputTokens: 1, totalTokens: 4 }],
});
const used = {
  ...done,
  usage: [{ provider: "p", model: "m", inputTokens: 5, outputTokens: 1, totalTokens: 6 }],
};
const waitsOf = (tab: RecordingSocket) => tab.of("run_waiting").map(({ payload }) => payload);

/** One that has written "so far", and asks these. */
async function waiting(scene: Scene, ...interrupts: object[]): Promise<any[]> {
  const asked = await half(scene);
  asked.events({ type: "TEXT_MESSAGE_END", messageId: "m" }, interrupted(...interrupts));
  await scene.desk.idle();
  return waitsOf(scene.tab);
}

async function resume({ desk }: Pick<Scene, "desk">, tab: RecordingSocket, payload: object): Promise<void> {
  ids += 1;
  await desk.send(tab, { type: "run_resume", id: `c${ids}`, payload });
}

async function later({ desk }: Pick<Scene, "desk">, ms: number): Promise<void> {
  desk.advance(ms);
  desk.session.deadlines.fire();
}

describe("a remote agent that asks something", () => {
  test("[R21] has its run wait, and is asked again with the answer; it goes on where it was", async () => {
    await scene(async (scene) => {
      const { desk, tab, far } = scene;
      const schema = { type: "object" };
      const [wait] = await waiting(scene, {
        id: "i1",
        reason: "input",
        message: "How many?",
        responseSchema: schema,
      });
      expect(wait).toMatchObject({
        kind: "signal",
        name: "i1",
        reason: "How many?",
        args: { reason: "input", response_schema: schema },
        text: "so far",
      });
      expect([endings(tab).length, desk.timers, far.clock.armed]).toEqual([0, 0, 0]);
      await resume(scene, tab, { wait_id: wait.wait_id, value: { n: 3 } });
      const again = await nth(scene, 1);
      const first = far.asked[0]!.input;
      expect(again.input).toEqual({
        ...first,
        runId: `${first.runId}.2`,
        resume: [{ interruptId: "i1", status: "resolved", payload: { n: 3 } }],
      });
      again.events(started, ...message("n", "Three."), used);
      await desk.idle();
      expect(endings(tab)).toMatchObject([
        {
          status: "succeeded",
          content: "so far\n\nThree.",
          attempts: 1,
          usage: [{ input_tokens: 8, output_tokens: 2, total_tokens: 10 }],
        },
      ]);
      const told = tab.of("partial_result").map(({ payload }) => payload);
      expect(told.filter(({ attempt }) => attempt === 2)).toMatchObject([
        { mode: "set", text: "so far" },
        { offset: 6, delta: "\n\nThree." },
      ]);
    });
  });

  test.each([
    ["approved", {}, { status: "resolved", payload: { approved: true } }],
    ["approved", { value: { n: 2 } }, { status: "resolved", payload: { n: 2, approved: true } }],
    ["approved", { value: { approved: false } }, { status: "resolved", payload: { approved: true } }],
    ["approved", { value: "no" }, { status: "resolved", payload: { approved: true } }],
    ["denied", {}, { status: "resolved", payload: { approved: false } }],
  ])("[R21] whether it may make a call is told that it is %s with %j", async (decision, more, answer) => {
    await scene(async (scene) => {
      const { desk, tab } = scene;
      const asked = await half(scene);
      asked.events(
        ...call("c", "pay", '{"n":1}'),
        interrupted({ id: "i", reason: "may I?", toolCallId: "c" }),
      );
      await desk.idle();
      const [wait] = waitsOf(tab);
      expect(wait).toMatchObject({ kind: "approval", tool_call_id: "c", tool_name: "pay", args: { n: 1 } });
      await resume(scene, tab, { wait_id: wait.wait_id, decision, ...more });
      const again = await nth(scene, 1);
      expect(again.input.resume).toEqual([{ interruptId: "i", ...answer }]);
      again.events(started, result("c", "paid"), piece("m", "Done."), done);
      await desk.idle();
      expect(tab.of("tool_completed")).toMatchObject([{ payload: { tool_call_id: "c", result: "paid" } }]);
      expect(endings(tab)).toMatchObject([{ status: "succeeded", content: "so far\n\nDone." }]);
    });
  });

  test("[L11] [R21] is not told by a refusal that it may make a call, whatever is said beside it", async () => {
    await scene(async (scene) => {
      const { desk, far, tab } = scene;
      const asked = await half(scene);
      asked.events(...call("c", "pay", "{}"), interrupted({ id: "i", reason: "?", toolCallId: "c" }));
      await desk.idle();
      const [{ wait_id }] = waitsOf(tab);
      for (const value of [{ approved: true }, null, "approved"]) {
        await resume(scene, tab, { wait_id, decision: "denied", value });
      }
      await desk.idle();
      expect(tab.of("error").map(({ payload }) => [payload.code, payload.field])).toEqual(
        Array(3).fill(["invalid_payload", "payload.value"]),
      );
      expect([far.asked.length, tab.of("run_resumed").length]).toEqual([1, 0]);
    });
  });

  test("[R21] about a call once more shows its arguments once more", async () => {
    await scene(async (scene) => {
      const { desk, tab } = scene;
      const asked = await half(scene);
      const large = JSON.stringify({ x: "x".repeat(MAX_EVENT_BYTES) });
      const calls = [...call("c", "pay", '{"n":1}'), ...call("l", "pay", large)];
      asked.events(...calls, interrupted({ id: "i", reason: "?", toolCallId: "c" }));
      await desk.idle();
      const [wait] = waitsOf(tab);
      await resume(scene, tab, { wait_id: wait.wait_id, decision: "approved" });
      (await nth(scene, 1)).events(started, interrupted({ id: "i", reason: "really?", toolCallId: "c" }));
      await desk.idle();
      const { tool_call_id, tool_name, step, args } = wait;
      const again = waitsOf(tab)[1];
      expect(again).toMatchObject({ kind: "approval", tool_call_id, tool_name, step, args });
      await resume(scene, tab, { wait_id: again.wait_id, decision: "approved" });
      (await nth(scene, 2)).events(started, interrupted({ id: "j", reason: "?", toolCallId: "l" }));
      await desk.idle();
      expect(waitsOf(tab)).toHaveLength(2);
      expect(endings(tab)).toMatchObject([{ error: { code: "agent_interrupt_unsupported" } }]);
    });
  });

  test("[R21] and is not answered in time is told so", async () => {
    await scene(async (scene) => {
      const at = new Date(Date.parse("2026-01-01T00:00:00.000Z") + 60_000).toISOString();
      await waiting(scene, { id: "i", reason: "?", expiresAt: at });
      await later(scene, 60_000);
      const again = await nth(scene, 1);
      expect(again.input.resume).toEqual([{ interruptId: "i", status: "cancelled" }]);
      again.events(started, { type: "RUN_ERROR", message: "nobody answered" });
      await scene.desk.idle();
      expect(endings(scene.tab)).toMatchObject([
        { status: "failed", content: "so far", error: { code: "agent_error" } },
      ]);
    });
  });

  test("[R7] [R21] is not asked on and on, though nobody could answer in time and it asks again", async () => {
    await scene(async (scene) => {
      const { desk, far, tab } = scene;
      const question = { id: "i", reason: "?", expiresAt: "2001-01-01T00:00:00.000Z" };
      const first = await asking(scene);
      first.events(started, interrupted(question));
      await desk.idle();
      const [{ timestamp, expires_at }] = waitsOf(tab);
      expect(Date.parse(expires_at) - Date.parse(timestamp)).toBe(5_000);
      await later(scene, 4_999);
      await desk.idle();
      expect(far.asked).toHaveLength(1);
      for (let asked = 1; asked <= 20; asked += 1) {
        await later(scene, 5_000);
        (await nth(scene, asked)).events(started, interrupted(question));
        await desk.idle();
      }
      expect([far.asked.length, waitsOf(tab).length]).toEqual([21, 20]);
      expect(endings(tab)).toMatchObject([{ status: "failed", error: { code: "agent_too_much" } }]);
      expect(endings(tab)[0].usage).toMatchObject([{ input_tokens: 21 * 3 }]);
    });
  });

  test("[R21] over and over has what it says of usage added up, and no more of it kept than is said at once", async () => {
    await scene(async (scene) => {
      const { desk, tab, storage } = scene;
      const kept = () => JSON.parse(String(storage.sql.exec("SELECT detail FROM runs").one().detail)).said;
      const entry = (model: string) => ({
        model,
        provider: "p",
        inputTokens: 1,
        outputTokens: 1,
        totalTokens: 2,
      });
      const first = await asking(scene);
      const anonymous = { inputTokens: 7 };
      first.events(started, { ...interrupted({ id: "i", reason: "?" }), usage: [entry("a"), anonymous] });
      await desk.idle();
      for (const [round, models] of [["a", "a"], Array.from({ length: 60 }, (_, n) => `m${n}`)].entries()) {
        await resume(scene, tab, { wait_id: waitsOf(tab)[round].wait_id, value: 1 });
        const again = await nth(scene, round + 1);
        again.events(started, { ...interrupted({ id: "i", reason: "?" }), usage: models.map(entry) });
        await desk.idle();
        if (round === 0) {
          expect(kept()).toMatchObject([{ model: "a", input_tokens: 3 }, { input_tokens: 7 }]);
        }
      }
      expect(kept()).toHaveLength(50);
      await resume(scene, tab, { wait_id: waitsOf(tab)[2].wait_id, value: 1 });
      (await nth(scene, 3)).events(started, { ...done, usage: [entry("a")] });
      await desk.idle();
      const [{ usage }] = endings(tab);
      expect(usage[0]).toMatchObject({ model: "a", input_tokens: 4 });
      expect(usage).toHaveLength(50);
    });
  });

  test.each([
    ["waits after as long a text as there may be", 128 * 1024 - 3, 0],
    ["does not wait after a longer one", 128 * 1024 - 2, 1],
  ])("[R21] %s, and has all of it in the end", async (_, chars, unsupported) => {
    await scene(async (scene) => {
      const { desk, tab } = scene;
      const long = "x".repeat(chars);
      const first = await asking(scene);
      first.events(started, ...message("m", long), interrupted({ id: "i", reason: "?" }));
      await desk.idle();
      expect(endings(tab)).toHaveLength(unsupported);
      if (unsupported === 0) {
        await resume(scene, tab, { wait_id: waitsOf(tab)[0].wait_id, value: 1 });
        (await nth(scene, 1)).events(started, ...message("n", "on"), done);
        await desk.idle();
      }
      const [{ content }] = endings(tab);
      expect([content.startsWith(long), content.slice(chars)]).toEqual([true, unsupported ? "" : "\n\non"]);
    });
  });

  test("[R21] two things at once is asked again when both are answered, and may ask more", async () => {
    await scene(async (scene) => {
      const { desk, tab, far } = scene;
      const [one, two] = await waiting(scene, { id: "i1", reason: "a" }, { id: "i2", reason: "b" });
      await resume(scene, tab, { wait_id: two.wait_id, value: "second" });
      await desk.idle();
      expect(far.asked).toHaveLength(1);
      await resume(scene, tab, { wait_id: one.wait_id, value: "first" });
      const again = await nth(scene, 1);
      expect(again.input.resume).toMatchObject([
        { interruptId: "i1", payload: "first" },
        { interruptId: "i2", payload: "second" },
      ]);
      again.events(started, ...message("n", "more"), interrupted({ id: "i1", reason: "c" }));
      await desk.idle();
      await resume(scene, tab, { wait_id: waitsOf(tab)[2].wait_id, value: "third" });
      const third = await nth(scene, 2);
      expect(third.input.resume).toMatchObject([{ interruptId: "i1", payload: "third" }]);
      third.events(started, used);
      await desk.idle();
      expect(endings(tab)).toMatchObject([{ content: "so far\n\nmore", usage: [{ input_tokens: 11 }] }]);
    });
  });

  test("[R21] keeps its run over crashes and evictions, and is told what was said before", async () => {
    await scene(async (scene) => {
      const { desk } = scene;
      const [wait] = await waiting(scene, { id: "i", reason: "?" });
      desk.crash();
      await later(scene, 600_000);
      await desk.idle();
      desk.evict();
      const tab = desk.connect();
      await resume(scene, tab, { wait_id: wait.wait_id, value: 1 });
      (await nth(scene, 1)).events(started, ...message("n", "there"), done);
      await desk.idle();
      expect(endings(tab)).toMatchObject([
        { status: "succeeded", content: "so far\n\nthere", usage: [{ input_tokens: 3 }] },
      ]);
    });
  });

  test("[R16] [R21] is not asked a third time by an instance that finds it answered and at work", async () => {
    await scene(async (scene) => {
      const { desk, far, tab } = scene;
      const [wait] = await waiting(scene, { id: "i", reason: "?" });
      await resume(scene, tab, { wait_id: wait.wait_id, value: 1 });
      await nth(scene, 1);
      desk.crash();
      const other = desk.connect();
      await desk.idle();
      expect(endings(other)).toMatchObject([{ status: "interrupted", error: { code: "agent_stream_cut" } }]);
      expect(far.asked).toHaveLength(2);
    });
  });

  test("[R15] [R21] is not asked again where the run is stopped; text and usage are kept", async () => {
    await scene(async (scene) => {
      const { desk, far, tab } = scene;
      const [wait] = await waiting(scene, { id: "i", reason: "?" });
      desk.crash();
      const other = desk.connect();
      await desk.send(other, { type: "run_cancel", id: "stop", payload: { run_id: wait.run_id } });
      await desk.idle();
      expect(endings(other)).toMatchObject([
        { status: "cancelled", content: "so far", usage: [{ input_tokens: 3 }] },
      ]);
      expect([far.asked.length, tab.of("agent_completed").length]).toEqual([1, 0]);
    });
  });

  test("[R21] keeps nobody waiting, and has its silence counted from its turn on", async () => {
    await scene(async (scene) => {
      const { desk, far, tab } = scene;
      const [wait] = await waiting(scene, { id: "i", reason: "?" });
      const other = await asking(scene, "another question");
      await resume(scene, tab, { wait_id: wait.wait_id, value: 1 });
      for (let minute = 0; minute < 3; minute += 1) {
        other.events({ type: "CUSTOM", name: "final_report", value: REPORT });
        await until(() => tab.of("final_report").length === minute + 1);
        await later(scene, 50_000);
      }
      expect(far.asked).toHaveLength(2);
      other.events(...message("o", "other"), done);
      const again = await nth(scene, 2);
      await later(scene, 30_000);
      again.events(started, ...message("n", "there"), done);
      await desk.idle();
      expect(endings(tab)).toMatchObject([{ content: "other" }, { content: "so far\n\nthere" }]);
    });
  });
});

describe("a session that is gone in the middle", () => {
  test("[R16] ends its run once as interrupted, asks nothing twice, and goes on with what waits", async () => {
    await scene(async (scene) => {
      const { desk, far } = scene;
      const lost = await half(scene);
      lost.events(...call("c", "look", "{}"));
      await until(() => scene.tab.of("tool_executing").length > 0);
      await ask(scene, "next");
      desk.crash();
      const tab = desk.connect();
      lost.events(result("c", "1"), piece("m", "late"), done);
      (await nth(scene, 1)).events(started, ...message("n", "fine"), done);
      await desk.idle();
      desk.crash();
      desk.advance(600_000);
      desk.session.deadlines.fire();
      await desk.idle();
      expect(endings(tab)).toMatchObject([
        { status: "interrupted", content: "", error: { code: "agent_stream_cut", retryable: true } },
        { status: "succeeded", content: "fine" },
      ]);
      expect(tab.of("tool_completed")).toMatchObject([{ payload: { error: { code: "outcome_unknown" } } }]);
      expect(far.asked).toHaveLength(2);
    });
  });

  test("[R16] is not let go while it feeds, and knows nothing of it afterwards", async () => {
    await scene(async (scene) => {
      const { desk, tab } = scene;
      const asked = await half(scene);
      expect(() => desk.evict()).toThrow("works");
      asked.events({ type: "TEXT_MESSAGE_END", messageId: "m" }, done);
      await desk.idle();
      desk.evict();
      (await asking(scene, "again")).events(started, ...message("m", "there"), done);
      await desk.idle();
      expect(endings(tab).map(({ content }) => content)).toEqual(["so far", "there"]);
    });
  });

  test("[R16] comes back without its agent: what waited for it ends, and is not asked of another", async () => {
    const over: { remote?: Ports["remote"] } = {};
    await scene(async (scene) => {
      await half(scene);
      await ask(scene, "next");
      const desk = new Desk(scene.storage, embedded);
      await desk.idle();
      const [first, second] = scene.storage.sql
        .exec("SELECT frame FROM events WHERE type = 'agent_completed' ORDER BY seq")
        .toArray()
        .map(({ frame }) => JSON.parse(String(frame)).payload);
      expect(first.error.code).toBe("agent_stream_cut");
      expect(second).toMatchObject({ status: "interrupted", error: { code: "agent_changed" } });
    }, over);
  });
});

describe("nobody but the session", () => {
  test("[R17] feeds a run of its remote agent", async () => {
    await scene(async (scene) => {
      const { desk, tab } = scene;
      const asked = await half(scene);
      const said = { type: "agent_thinking", run_seq: 1, payload: { step: 1, thought: "mine" } };
      for (const events of [[], [said]]) {
        const fed = { who: SERVICE, run_id: runOf(tab), events: feeding.parse({ events }).events };
        expect(await desk.session.requests.feed(fed)).toMatchObject({
          ok: false,
          refusal: { code: "not_found" },
        });
      }
      asked.raw(sse([{ type: "TEXT_MESSAGE_END", messageId: "m" }, done]));
      await desk.idle();
      expect(tab.of("agent_thinking")).toEqual([]);
      expect(endings(tab)).toMatchObject([{ content: "so far" }]);
    });
  });
});
