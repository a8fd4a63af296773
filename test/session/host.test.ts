import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import { type Effect, report, text, think, tool, tools } from "../../src/agents/effects.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

type Script = (input: Parameters<Agent["run"]>[0]) => Generator<Effect, void, unknown>;

function agentOf(script: Script, version = "1"): Agent {
  return {
    name: "desk",
    version,
    *run(input) {
      yield* script(input);
      return { finish_reason: "stop" };
    },
  };
}

function toolOf(
  name: string,
  execute: Tool<object, unknown>["execute"],
  more: Partial<Tool<object, unknown>> = {},
) {
  const definition: Tool<object, unknown> = {
    name,
    description: name,
    input: z.looseObject({}),
    output: z.unknown(),
    idempotent: true,
    execute,
    ...more,
  };
  return definition;
}

const never = toolOf("never", () => new Promise(() => {}));
const quick = toolOf("quick", () => "done");

async function atDesk(agent: Agent, work: (desk: Desk) => Promise<void>): Promise<void> {
  await runInDurableObject(
    await stubOf(newUser()),
    async (_, { storage }) => await work(new Desk(storage, agent)),
  );
}

async function ask(desk: Desk, id = "q"): Promise<RecordingSocket> {
  const socket = desk.connect();
  await desk.send(socket, { type: "user_message", id, payload: { content: "question" } });
  return socket;
}

/** Lets everything run that waits for nothing but promises and the disk. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

describe("time", () => {
  test("[N24] a tool that does not end within its limit completes as timeout, and the agent goes on", async () => {
    const script = agentOf(function* () {
      const [outcome] = yield* tools([[never, {}]]);
      yield* text(outcome?.status === "error" ? outcome.error.code : "?");
    });
    await atDesk(script, async (desk) => {
      const socket = await ask(desk);
      await settle();
      desk.advance(9_999);
      await settle();
      expect(socket.of("tool_completed")).toHaveLength(0);
      desk.advance(1);
      await desk.idle();
      expect(socket.of("tool_completed")[0].payload).toMatchObject({
        status: "error",
        error: { code: "timeout" },
        duration_ms: 10_000,
      });
      expect(socket.of("agent_completed")[0].payload).toMatchObject({
        status: "succeeded",
        content: "timeout",
      });
      expect(desk.timers).toBe(0);
    });
  });

  test("[N24] a tool's own limit counts instead of the common one", async () => {
    const patient = toolOf("patient", () => new Promise(() => {}), { timeout_ms: 30_000 });
    const script = agentOf(function* () {
      yield* tools([[patient, {}]]);
    });
    await atDesk(script, async (desk) => {
      const socket = await ask(desk);
      await settle();
      desk.advance(29_999);
      await settle();
      expect(socket.of("tool_completed")).toHaveLength(0);
      desk.advance(1);
      await desk.idle();
      expect(socket.of("tool_completed")).toHaveLength(1);
    });
  });

  test("[N24] a run that does not end within 45 s fails with timeout, its text kept, its tool stopped", async () => {
    let aborted = false;
    const deaf = toolOf(
      "deaf",
      (_, { signal }) => {
        signal.addEventListener("abort", () => {
          aborted = true;
        });
        return new Promise(() => {});
      },
      { timeout_ms: 100_000 },
    );
    const script = agentOf(function* () {
      yield* text("so far");
      yield* tool(deaf, {});
    });
    await atDesk(script, async (desk) => {
      const socket = await ask(desk);
      await settle();
      desk.advance(45_000);
      await desk.idle();
      expect(socket.of("tool_completed")[0].payload.error.code).toBe("timeout");
      expect(socket.of("agent_completed")).toHaveLength(1);
      expect(socket.of("agent_completed")[0].payload).toMatchObject({
        status: "failed",
        content: "so far",
        error: { code: "timeout", retryable: true },
      });
      expect(aborted).toBe(true);
      expect(desk.timers).toBe(0);
    });
  });
});

describe("replay", () => {
  const begin: Script = function* () {
    yield* think("first");
    yield* tool(quick, { n: 1 });
    yield* tool(never, {});
  };

  const CHANGED: readonly (readonly [string, Script])[] = [
    [
      "thinks something else",
      function* () {
        yield* think("another");
      },
    ],
    [
      "calls another tool",
      function* () {
        yield* think("first");
        yield* tool(never, { n: 1 });
      },
    ],
    [
      "calls it with other arguments",
      function* () {
        yield* think("first");
        yield* tool(quick, { n: 2 });
      },
    ],
    [
      "calls two tools instead of one",
      function* () {
        yield* think("first");
        yield* tools([
          [quick, { n: 1 }],
          [quick, { n: 1 }],
        ]);
      },
    ],
    [
      "publishes where it called",
      function* () {
        yield* think("first");
        yield* report({ summary: "", findings: [], recommendations: [], assumptions: [], questions: [] });
      },
    ],
    [
      "ends before its journal does",
      function* () {
        yield* think("first");
      },
    ],
  ];

  async function replayed(script: Script, version: string) {
    let end: any;
    await atDesk(agentOf(begin), async (desk) => {
      await ask(desk);
      await settle();
      desk.crash(agentOf(script, version));
      const socket = desk.connect({ epoch: "id1", since: "0" });
      await desk.idle();
      end = socket.of("agent_completed")[0]?.payload;
      expect(socket.of("agent_started")).toHaveLength(1);
    });
    return end;
  }

  test.each(CHANGED)(
    "[N25] an updated agent that %s ends as interrupted with agent_changed",
    async (_, script) => {
      expect(await replayed(script, "2")).toMatchObject({
        status: "interrupted",
        error: { code: "agent_changed" },
      });
    },
  );

  test.each(CHANGED)(
    "[N25] the same version that %s is a bug, and says replay_diverged",
    async (_, script) => {
      expect(await replayed(script, "1")).toMatchObject({
        status: "interrupted",
        error: { code: "replay_diverged" },
      });
    },
  );

  test("[N25] an updated agent that still does the same goes on", async () => {
    const goesOn: Script = function* () {
      yield* think("first");
      const result = yield* tool(quick, { n: 1 });
      yield* tools([[toolOf("never", () => "now it answers"), {}]]);
      yield* text(`recalled ${result}`);
    };
    expect(await replayed(goesOn, "2")).toMatchObject({
      status: "succeeded",
      content: "recalled done",
      attempts: 2,
    });
  });

  test("[N13] an agent that is gone ends its runs as interrupted", async () => {
    await atDesk(agentOf(begin), async (desk) => {
      await ask(desk);
      await settle();
      desk.crash({ ...agentOf(begin), name: "another" });
      const socket = desk.connect({ epoch: "id1", since: "0" });
      await desk.idle();
      expect(socket.of("agent_completed")[0].payload).toMatchObject({
        status: "interrupted",
        error: { code: "agent_changed", retryable: false },
      });
      const who = principalWith(["chat"]);
      const listed: any = desk.session.requests.listMessages(who, { thread_id: "main", limit: 9 });
      const [, shown] = desk.connect().of("state_snapshot")[0].payload.messages;
      for (const answer of [listed.value.messages.at(-1), shown]) {
        expect(answer).toMatchObject({ status: "interrupted", error: { code: "agent_changed" } });
      }
    });
  });

  test("[N11] text written before a crash is set again as a whole, and continued from there", async () => {
    let open = false;
    const gate = toolOf("gate", () => (open ? "open" : new Promise(() => {})));
    const script: Script = function* () {
      yield* text("before ");
      yield* tool(gate, {});
      yield* text("after");
    };
    await atDesk(agentOf(script), async (desk) => {
      await ask(desk);
      await settle();
      open = true;
      desk.crash();
      const socket = desk.connect({ epoch: "id1", since: "0" });
      await desk.idle();
      expect(socket.of("partial_result").map(({ payload }) => payload)).toMatchObject([
        { attempt: 2, mode: "set", text: "before " },
        { attempt: 2, offset: 7, delta: "after" },
      ]);
      expect(socket.of("agent_completed")[0].payload.content).toBe("before after");
    });
  });
});

describe("what an agent is given", () => {
  test("[N1] is the question, its data, the time of acceptance and the messages before it, oldest first", async () => {
    const inputs: unknown[] = [];
    const script = agentOf(function* (input) {
      inputs.push(input);
      yield* text(`answer to ${input.question}`);
    });
    await atDesk(script, async (desk) => {
      const socket = desk.connect();
      for (const [id, data] of [
        ["q1", undefined],
        ["q2", { rows: [1] }],
      ] as const) {
        await desk.send(socket, { type: "user_message", id, payload: { content: id, data } });
        await desk.idle();
        desk.advance(1_000);
      }
      expect(inputs).toMatchObject([
        { question: "q1", history: [], now: "2026-01-01T00:00:00.000Z" },
        {
          question: "q2",
          data: { rows: [1] },
          now: "2026-01-01T00:00:01.000Z",
          history: [
            { role: "user", content: "q1" },
            { role: "assistant", content: "answer to q1" },
          ],
        },
      ]);
      expect(inputs.every((input) => Object.isFrozen(input))).toBe(true);
    });
  });
});
