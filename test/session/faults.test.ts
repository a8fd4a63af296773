import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import { type Effect, report, text, think, tool, tools } from "../../src/agents/effects.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { userId } from "../../src/auth/user-id.ts";
import { faultOf } from "../../src/session/faults.ts";
import { connect, newUser, open, stubOf, waitFor } from "../support/client.ts";
import { Desk, principalWith, type RecordingSocket } from "../support/desk.ts";
import { HOST, send } from "../support/edge.ts";
import { probe } from "../support/probe.ts";
import { signToken } from "../support/tokens.ts";

type Script = (input: Parameters<Agent["run"]>[0]) => Generator<Effect, void, unknown>;

function agentOf(script: Script): Agent {
  return {
    name: "desk",
    version: "1",
    *run(input) {
      yield* script(input);
      return { finish_reason: "stop" };
    },
  };
}

function toolOf(name: string, execute: Tool<any, unknown>["execute"], idempotent = true): Tool<any, unknown> {
  return { name, description: name, input: z.any(), output: z.unknown(), idempotent, execute };
}

const REPORT = { summary: "s", findings: [], recommendations: [], assumptions: [], questions: [] };

async function atDesk(script: Script, work: (desk: Desk, storage: DurableObjectStorage) => Promise<void>) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, agentOf(script)), storage);
  });
}

async function ask(desk: Desk, socket: RecordingSocket, id = "q", more = {}): Promise<void> {
  await desk.send(socket, { type: "user_message", id, payload: { content: id, ...more } });
}

async function pause(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Makes statements that begin like this fail until told to stop. */
function failing(storage: DurableObjectStorage, beginning: string, times = Number.POSITIVE_INFINITY) {
  const { exec } = storage.sql;
  let left = times;
  storage.sql.exec = ((query: string, ...bindings: unknown[]) => {
    if (query.startsWith(beginning) && left > 0) {
      left -= 1;
      throw new Error("disk trouble");
    }
    return exec.call(storage.sql, query, ...bindings);
  }) as never;
  return () => {
    left = 0;
  };
}

describe("what an agent yields", () => {
  test.each([
    ["four questions", { ...REPORT, questions: ["1", "2", "3", "4"] }],
    [
      "a number that is none",
      { ...REPORT, recommendations: [recommendation({ monthly_saving_low: Number.NaN })] },
    ],
    ["a negative saving", { ...REPORT, recommendations: [recommendation({ monthly_saving_high: -1 })] }],
    ["no steps", { ...REPORT, recommendations: [recommendation({ action_steps: [] })] }],
  ])("[N26] a report with %s ends the run as failed, and the user's log stays readable", async (_, bad) => {
    await atDesk(
      function* () {
        yield* report(bad as never);
      },
      async (desk) => {
        const socket = desk.connect();
        await ask(desk, socket);
        await desk.idle();
        expect(socket.of("final_report")).toEqual([]);
        expect(socket.of("agent_completed")[0].payload).toMatchObject({
          status: "failed",
          error: { code: "agent_failed" },
        });
        expect(desk.connect().of("state_snapshot")[0].payload.messages).toHaveLength(2);
      },
    );
  });

  test("[N26] an event over 256 KiB ends the run as failed with event_too_large", async () => {
    await atDesk(
      function* () {
        yield* think("x".repeat(256 * 1024));
      },
      async (desk) => {
        const socket = desk.connect();
        await ask(desk, socket);
        await desk.idle();
        expect(socket.of("agent_completed")[0].payload.error.code).toBe("event_too_large");
      },
    );
  });

  test("[N27] arguments and reports are what goes through JSON: live, for the tool, and on replay", async () => {
    const given: unknown[] = [];
    const note = toolOf("note", (args) => {
      given.push(args);
      return args;
    });
    const gate = toolOf("gate", () => new Promise(() => {}));
    await atDesk(
      function* () {
        yield* tools([]);
        yield* tool(note, { at: new Date(0), link: new URL("https://x.test/"), gone: undefined });
        yield* tool(note, undefined);
        yield* report({ ...REPORT, more: "than the schema knows" } as never);
        yield* tool(gate, {});
      },
      async (desk) => {
        await ask(desk, desk.connect());
        await pause();
        desk.crash(
          agentOf(function* () {
            yield* tools([]);
            yield* tool(note, { at: new Date(0), link: new URL("https://x.test/"), gone: undefined });
            yield* tool(note, undefined);
            yield* report({ ...REPORT, more: "than the schema knows" } as never);
            yield* tools([[toolOf("gate", () => "open"), {}]]);
          }),
        );
        const socket = desk.connect({ epoch: "id1", since: "0" });
        await desk.idle();
        expect(socket.of("agent_completed")[0].payload).toMatchObject({ status: "succeeded", attempts: 2 });
        expect(given).toEqual([{ at: "1970-01-01T00:00:00.000Z", link: "https://x.test/" }, null]);
      },
    );
  });

  test("[N24] an agent that never stops yielding is stopped by the limit, and others get their turn", async () => {
    await atDesk(
      function* () {
        for (;;) yield* text("");
      },
      async (desk) => {
        const socket = desk.connect();
        await ask(desk, socket);
        await pause();
        await desk.send(socket, { type: "ping", payload: {} });
        expect(socket.of("pong")).toHaveLength(1);
        desk.advance(45_000);
        await desk.idle();
        expect(socket.of("agent_completed")[0].payload.error.code).toBe("timeout");
      },
    );
  });
});

describe("streamed text", () => {
  test("[N28] a surrogate pair is never split between two frames", async () => {
    await atDesk(
      function* () {
        for (const half of ["a\ud83d", "\udc4d", "b"]) yield* text(half, { pace_ms: 1 });
      },
      async (desk) => {
        const socket = desk.connect();
        await ask(desk, socket);
        await desk.idle();
        const deltas = socket.of("partial_result").map(({ payload }) => payload.delta);
        expect(deltas[0]).toBe("a");
        expect(deltas.join("")).toBe("a👍b");
        expect(deltas.every((delta: string) => delta.isWellFormed())).toBe(true);
      },
    );
  });

  test("[N9] an answer that is cut equals what was streamed", async () => {
    await atDesk(
      function* () {
        for (let i = 0; i < 40; i += 1) yield* text("\ufeffé👍x".repeat(1_000));
      },
      async (desk) => {
        const socket = desk.connect();
        await ask(desk, socket);
        await desk.idle();
        const streamed = socket
          .of("partial_result")
          .map(({ payload }) => payload.delta)
          .join("");
        const { content, finish_reason } = socket.of("agent_completed")[0].payload;
        expect(finish_reason).toBe("length");
        expect(content).toBe(streamed);
        expect(content.isWellFormed()).toBe(true);
        expect(new TextEncoder().encode(content).byteLength).toBeGreaterThan(256 * 1024 - 4);
      },
    );
  });

  test("[N23] nobody is set to an empty text while a run that was taken over waits for a tool", async () => {
    const slow = toolOf("slow", () => new Promise(() => {}));
    await atDesk(
      function* () {
        yield* text("before ");
        yield* tool(slow, {});
      },
      async (desk) => {
        await ask(desk, desk.connect());
        await pause();
        desk.crash();
        await pause();
        const late = desk.connect({ epoch: "id1", since: "0" });
        expect(late.of("partial_result").map(({ payload }) => payload)).toMatchObject([
          { attempt: 2, mode: "set", text: "before " },
        ]);
      },
    );
  });
});

describe("a fault", () => {
  test("[D7] in a greeting leaves no connection behind", async () => {
    const sub = newUser();
    await connect(sub);
    let repair = () => {};
    await runInDurableObject(await stubOf(sub), (_, { storage }) => {
      repair = failing(storage, "SELECT thread_id, title");
    });
    for (let i = 0; i < 12; i += 1) {
      const client = await open(sub);
      expect(await client.untilClosed()).toEqual({ code: 4204, reason: "internal" });
      expect(client.frames.at(-1)).toMatchObject({
        type: "error",
        payload: { code: "internal", fatal: true },
      });
    }
    repair();
    await expect(connect(sub)).resolves.toBeDefined();
  });

  test("[D3] on one socket costs neither the sender nor the others nor the run anything", async () => {
    await atDesk(
      function* () {
        yield* text("answer");
      },
      async (desk) => {
        const [sick, sender, other] = [desk.connect(), desk.connect(), desk.connect()];
        sick.serializeAttachment = () => {
          throw new Error("no");
        };
        await ask(desk, sender);
        await desk.idle();
        for (const socket of [sender, other]) {
          expect(socket.of("agent_completed")).toHaveLength(1);
          expect(socket.readyState).toBe(1);
        }
        expect(sender.of("message_ack")).toHaveLength(1);
        expect(sick.sent.at(-1)).toEqual({ closed: { code: 4204, reason: "internal" } });
        expect(sick.sent.at(-2)).toMatchObject({ type: "error", payload: { code: "internal", fatal: true } });
      },
    );
  });

  test("[N29] of the storage while a run appends is not the agent's: the next attempt goes on from there", async () => {
    let executions = 0;
    const count = toolOf("count", () => {
      executions += 1;
      return executions;
    });
    await atDesk(
      function* () {
        yield* tool(count, {});
        yield* think("then");
        yield* text("whole");
      },
      async (desk, storage) => {
        const socket = desk.connect();
        let thoughts = 0;
        const { exec } = storage.sql;
        storage.sql.exec = ((query: string, ...bindings: unknown[]) => {
          if (bindings.includes("agent_thinking") && thoughts++ === 0) throw new Error("disk trouble");
          return exec.call(storage.sql, query, ...bindings);
        }) as never;
        await ask(desk, socket);
        await desk.idle();
        expect(socket.of("agent_completed")).toHaveLength(1);
        expect(socket.of("agent_completed")[0].payload).toMatchObject({
          status: "succeeded",
          content: "whole",
          attempts: 2,
        });
        expect(executions).toBe(1);
        expect(desk.timers).toBe(0);
      },
    );
  });

  test("[N14] in one takeover costs no other run its own, and the alarm tries again", async () => {
    const slow = toolOf("slow", () => new Promise(() => {}));
    const script: Script = function* (input) {
      if (input.question === "quick") yield* text("x");
      yield* tool(slow, {});
    };
    const ends: Script = function* (input) {
      if (input.question === "quick") yield* text("x");
      yield* tools([[toolOf("slow", () => "done"), {}]]);
    };
    await atDesk(script, async (desk, storage) => {
      const first = desk.connect();
      await ask(desk, first, "one", { thread_id: crypto.randomUUID() });
      await ask(desk, first, "two", { thread_id: crypto.randomUUID() });
      await pause();
      const repair = failing(storage, "UPDATE runs SET state", 1);
      desk.crash(agentOf(ends));
      const socket = desk.connect({ epoch: "id1", since: "0" });
      await desk.idle();
      expect(socket.of("agent_completed")).toHaveLength(1);
      repair();
      desk.session.deadlines.fire();
      await desk.idle();
      expect(socket.of("agent_completed")).toHaveLength(2);
    });
  });

  test("[N16] a run cancelled before its attempt is on disk never does anything", async () => {
    let charged = 0;
    const charge = toolOf(
      "charge",
      () => {
        charged += 1;
        return charged;
      },
      false,
    );
    await atDesk(
      function* () {
        yield* text("never");
        yield* tool(charge, {});
      },
      async (desk) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        desk.sync = () => promise;
        const socket = desk.connect();
        await ask(desk, socket);
        const { run_id } = socket.of("message_ack")[0].payload;
        await desk.send(socket, { type: "run_cancel", id: "stop", payload: { run_id } });
        resolve();
        await desk.idle();
        expect(charged).toBe(0);
        expect(socket.of("partial_result")).toEqual([]);
        expect(socket.of("agent_completed")[0].payload.status).toBe("cancelled");
        expect(desk.timers).toBe(0);
      },
    );
  });

  test("[D8] is reported by kind and place, never by its message", () => {
    const cause = new TypeError("my secret salary\n  at least 100 k\nsecond secret");
    const fault = faultOf(cause);
    expect(fault.kind).toBe("TypeError");
    expect(fault.where.length).toBeGreaterThan(0);
    expect(JSON.stringify(fault)).not.toMatch(/secret|salary|least/);
    expect(faultOf("a token")).toEqual({ kind: "string", where: [] });
  });
});

describe("a request that fails in the object", () => {
  const SECRET_TEXT = "my secret salary";
  const INTERNAL = { ok: false, refusal: { code: "internal", message: expect.any(String) } };

  test("[D8] [E14] throws nothing out of it, and reports neither text nor message", async () => {
    const sub = newUser();
    const tab = await connect(sub);
    tab.say("m", "hello", { respond: false });
    await tab.next("message_ack");
    const stub = await stubOf(sub);
    // A row that is no JSON: the engine repeats it in the message of what it throws.
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec("UPDATE events SET frame = ?", SECRET_TEXT);
    });
    await evictDurableObject(stub);
    const before = probe.reports().length;
    const query = { thread_id: "main", limit: 10 };
    expect(await (await stubOf(sub)).listMessages(principalWith(["chat"]), query)).toEqual(INTERNAL);
    const reports = probe.reports().slice(before);
    expect(reports).toContainEqual({
      level: "error",
      message: "a request failed",
      facts: { kind: "SyntaxError", where: expect.any(Array) },
    });
    expect(JSON.stringify(reports)).not.toMatch(/secret|salary/);
  });

  test("[D8] [E14] by RPC is a 500 at the edge", async () => {
    const sub = newUser();
    (await connect(sub)).close();
    probe.throwAtIdCalls([1]);
    const user_id = await userId("local", sub);
    const headers = { Authorization: `Bearer ${await signToken({ permissions: ["admin"] })}` };
    const url = new URL(`/v1/users/${user_id}/invalidate`, HOST);
    const answer = await send(new Request(url, { method: "POST", headers }));
    probe.throwAtIdCalls([]);
    expect([answer.status, await answer.json()]).toEqual([500, { error: INTERNAL.refusal }]);
  });

  test("[D8] [E14] before a socket is accepted is answered, too", async () => {
    const answer = await (await stubOf(newUser())).fetch("https://throughline.test/");
    expect([answer.status, await answer.json()]).toMatchObject([500, { error: { code: "internal" } }]);
  });
});

describe("what was acknowledged", () => {
  test("[S14] by nobody stays unacknowledged: a fresh connection has acknowledged nothing", async () => {
    const acked = async (storage: DurableObjectStorage) =>
      storage.sql.exec("SELECT acked FROM events ORDER BY seq DESC LIMIT 1").one().acked;
    await atDesk(
      function* () {},
      async (desk, storage) => {
        await ask(desk, desk.connect(), "one", { respond: false });
        const fresh = desk.connect();
        desk.evict();
        await ask(desk, fresh, "two", { respond: false });
        expect(await acked(storage)).toBe(0);
        await desk.send(fresh, { type: "ack", payload: { seq: 1 } });
        await ask(desk, fresh, "three", { respond: false });
        expect(await acked(storage)).toBe(1);
        desk.evict();
        await ask(desk, fresh, "four", { respond: false });
        expect(await acked(storage)).toBe(1);
      },
    );
  });
});

describe("a clock that is set back", () => {
  test("[T5] changes neither the order of threads nor that of times", async () => {
    await atDesk(
      function* () {},
      async (desk) => {
        const socket = desk.connect();
        const [older, newer] = [crypto.randomUUID(), crypto.randomUUID()];
        await ask(desk, socket, "one", { respond: false, thread_id: older });
        desk.now -= 600_000;
        await ask(desk, socket, "two", { respond: false, thread_id: newer });
        const { threads, messages } = desk.connect().of("state_snapshot")[0].payload;
        expect(threads.map(({ thread_id }: { thread_id: string }) => thread_id)).toEqual([newer, older]);
        expect(messages[0].content).toBe("two");
        const times = socket.of("user_message").map(({ payload }) => payload.timestamp);
        expect(times).toEqual(times.toSorted());
      },
    );
  });
});

describe("a snapshot that would be too large", () => {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).byteLength;

  test("[S11] shows the steps of a run without their data rather than no messages", async () => {
    const big = toolOf("big", () => "r".repeat(60_000));
    const slow = toolOf("slow", () => new Promise(() => {}));
    await atDesk(
      function* () {
        for (let i = 0; i < 8; i += 1) yield* tool(big, { i });
        yield* tool(slow, {});
      },
      async (desk) => {
        await ask(desk, desk.connect());
        await waitFor(async () => {
          await pause();
          return true;
        });
        const frame = desk.connect().of("state_snapshot")[0];
        expect(bytes(frame)).toBeLessThan(257 * 1024);
        expect(frame.payload.messages).toHaveLength(1);
        expect(frame.payload.runs[0].steps).toHaveLength(9);
      },
    );
  });

  test("[S11] cuts the newest message if it alone does not fit, and says so", async () => {
    await atDesk(
      function* () {
        yield* text("\u0001".repeat(200_000));
      },
      async (desk) => {
        await ask(desk, desk.connect());
        await desk.idle();
        const frame = desk.connect().of("state_snapshot")[0];
        expect(bytes(frame)).toBeLessThan(257 * 1024);
        expect(frame.payload.messages.map(({ truncated }: { truncated?: boolean }) => truncated)).toEqual([
          undefined,
          true,
        ]);
      },
    );
  });
});

function recommendation(over: Record<string, unknown>) {
  return {
    title: "t",
    action_steps: ["do"],
    monthly_saving_low: 1,
    monthly_saving_high: 2,
    currency: "USD",
    confidence: "low",
    effort: "low",
    risk: "",
    evidence: "",
    assumption_ids: [],
    ...over,
  };
}
