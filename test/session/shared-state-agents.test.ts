import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Agent, AgentInput, AgentResult } from "../../src/agents/agent.ts";
import { type Effect, readState, text, tool, updateState } from "../../src/agents/effects.ts";
import type { Tool } from "../../src/agents/tool.ts";
import type { Patch } from "../../src/protocol/pure/json-patch.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

type Script = (input: AgentInput) => Generator<Effect, AgentResult | undefined, unknown>;

function agentOf(script: Script): Agent {
  return {
    name: "stateful",
    version: "1",
    *run(input) {
      return (yield* script(input)) ?? { finish_reason: "stop" };
    },
  };
}

async function atDesk(script: Script, work: (desk: Desk, socket: RecordingSocket) => Promise<void>) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const desk = new Desk(storage, agentOf(script));
    await work(desk, desk.connect());
  });
}

const ask = (desk: Desk, socket: RecordingSocket) =>
  desk.send(socket, { type: "user_message", id: "q", payload: { content: "go" } });

const set = (value: unknown): Patch => [{ op: "replace", path: "", value }];

function shared(desk: Desk) {
  const read = desk.session.requests.readState(principalWith(["chat"]));
  return read.ok ? read.value : undefined;
}

/** Takes for ever the first time. */
function stuckOnce(): Tool<Record<string, never>, string> {
  let calls = 0;
  return {
    name: "stuck",
    description: "waits",
    input: z.object({}),
    output: z.string(),
    idempotent: true,
    execute: () => {
      calls += 1;
      return calls === 1 ? new Promise<string>(() => {}) : "free";
    },
  };
}

describe("an agent and the shared state", () => {
  test("[Y10] reads what tabs wrote and patches it, for every tab to see", async () => {
    const script: Script = function* () {
      const { version, document } = yield* readState();
      const made = yield* updateState([{ op: "add", path: "/seen", value: document }]);
      yield* text(JSON.stringify({ version, made }));
      return undefined;
    };
    await atDesk(script, async (desk, socket) => {
      await desk.send(socket, {
        type: "state_update",
        id: "u",
        payload: { base_version: 0, patch: set({ draft: "x" }) },
      });
      await ask(desk, socket);
      await desk.idle();
      expect(shared(desk)).toEqual({ version: 2, shared: { draft: "x", seen: { draft: "x" } } });
      expect(socket.of("agent_completed")[0].payload).toMatchObject({
        status: "succeeded",
        content: '{"version":1,"made":{"status":"ok","result":{"version":2}}}',
      });
      expect(socket.of("state_patch").map(({ payload }) => payload.version)).toEqual([1, 2]);
      expect(socket.of("tool_completed").map(({ payload }) => [payload.tool_name, payload.result])).toEqual([
        ["read_state", { version: 1, document: { draft: "x" } }],
        ["update_state", { version: 2 }],
      ]);
    });
  });

  test("[Y10] does it once, and hears the same again, when its object dies behind it", async () => {
    const stuck = stuckOnce();
    const script: Script = function* () {
      const before = yield* readState();
      yield* updateState([{ op: "add", path: "/list", value: [before.version] }]);
      const made = yield* updateState([{ op: "add", path: "/list/-", value: 1 }]);
      yield* tool(stuck, {});
      yield* text(JSON.stringify([before.version, made]));
      return undefined;
    };
    await atDesk(script, async (desk, socket) => {
      await ask(desk, socket);
      while (socket.of("tool_executing").length < 4) await new Promise((resolve) => setTimeout(resolve, 1));
      await desk.send(socket, {
        type: "state_update",
        id: "u",
        payload: { base_version: 2, patch: [{ op: "add", path: "/tab", value: true }] },
      });
      desk.crash();
      const again = desk.connect();
      await desk.idle();
      expect(again.of("agent_completed")[0].payload).toMatchObject({
        attempts: 2,
        content: '[0,{"status":"ok","result":{"version":2}}]',
      });
      expect(shared(desk)).toEqual({ version: 3, shared: { list: [0, 1], tab: true } });
    });
  });

  test("[Y10] is told of a test that fails, of a place that is not there and of a hostile patch, and nothing changes", async () => {
    const tries: Patch[] = [
      [{ op: "test", path: "/a", value: 2 }],
      [{ op: "remove", path: "/b" }],
      [{ op: "add", path: "/__proto__/x", value: 1 }],
      [{ op: "add", path: "/c", value: JSON.parse('{"constructor":{"prototype":1}}') }],
      [{ op: "add", path: "/c", value: "x".repeat(70_000) }],
    ];
    const script: Script = function* () {
      yield* updateState(set({ a: 1 }));
      const codes = [];
      for (const patch of tries) {
        const outcome = yield* updateState(patch);
        codes.push(outcome.status === "ok" ? "ok" : outcome.error.code);
      }
      yield* text(codes.join());
      return undefined;
    };
    await atDesk(script, async (desk, socket) => {
      await ask(desk, socket);
      await desk.idle();
      expect(socket.of("agent_completed")[0].payload.content).toBe(
        "conflict,invalid_payload,invalid_payload,invalid_payload,too_large",
      );
      expect(shared(desk)).toEqual({ version: 1, shared: { a: 1 } });
    });
  });

  test("[Y10] [N26] that yields what is no patch has failed", async () => {
    const script: Script = function* () {
      yield* updateState(JSON.parse('[{"op":"merge","path":""}]'));
      return undefined;
    };
    await atDesk(script, async (desk, socket) => {
      await ask(desk, socket);
      await desk.idle();
      expect(socket.of("agent_completed")[0].payload).toMatchObject({
        status: "failed",
        error: { code: "agent_failed" },
      });
      expect(shared(desk)?.version).toBe(0);
    });
  });

  test("[Y10] that does something else on replay than it did is interrupted, not believed", async () => {
    const stuck = stuckOnce();
    let attempt = 0;
    const script: Script = function* () {
      attempt += 1;
      yield* updateState(set({ attempt }));
      yield* tool(stuck, {});
      return undefined;
    };
    await atDesk(script, async (desk, socket) => {
      await ask(desk, socket);
      while (socket.of("tool_executing").length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
      desk.crash();
      const again = desk.connect();
      await desk.idle();
      expect(again.of("agent_completed")[0].payload.error.code).toBe("replay_diverged");
      expect(shared(desk)).toEqual({ version: 1, shared: { attempt: 1 } });
    });
  });
});
