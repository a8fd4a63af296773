/** What is kept of a run at work, so that nothing is paid, said or done twice: and that it always can be kept. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import {
  clientTool,
  model,
  question,
  signal,
  sleep,
  steering,
  text,
  tool,
} from "../../src/agents/effects.ts";
import type { Model, ModelPart } from "../../src/agents/models/model.ts";
import { type Tool, ToolFailure } from "../../src/agents/tool.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, type RecordingSocket } from "../support/desk.ts";

const USAGE = { provider: "p", model: "m", input_tokens: 2, output_tokens: 3, total_tokens: 5 };
const anything = z.unknown();

/** Answers with these parts; the call of this number never does. */
function speaker(parts: readonly ModelPart[], hangs?: number): Model & { asked: number } {
  return {
    provider: "p",
    model_id: "m",
    asked: 0,
    async *stream() {
      this.asked += 1;
      if (this.asked === hangs) await new Promise(() => {});
      yield* parts;
      yield { type: "finish", finish_reason: "stop", usage: USAGE };
    },
  };
}

function says(content: string) {
  return { messages: [{ role: "user" as const, content }] };
}

function agentOf(run: Agent["run"], version = "1"): Agent {
  return { name: "tester", version, run };
}

function toolOf(execute: Tool<unknown, unknown>["execute"]): Tool<unknown, unknown> {
  return { name: "t", description: "t", input: anything, output: anything, idempotent: true, execute };
}

interface Bench {
  readonly desk: Desk;
  readonly tab: RecordingSocket;
  readonly say: (content?: string, more?: object) => Promise<string>;
}

async function at(agent: Agent, work: (bench: Bench) => Promise<void>): Promise<void> {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const desk = new Desk(storage, agent);
    const tab = desk.connect();
    let count = 0;
    const say = async (content = "go on", more: object = {}) => {
      count += 1;
      await desk.send(tab, { type: "user_message", id: `c${count}`, payload: { content, ...more } });
      return tab.of("message_ack").at(-1)?.payload.run_id;
    };
    await work({ desk, tab, say });
  });
}

function endOf(tab: RecordingSocket): any {
  return tab.of("agent_completed").at(-1)?.payload;
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !holds(); i += 1) await new Promise((resolve) => setTimeout(resolve, 0));
  expect(holds()).toBe(true);
}

const answer: readonly ModelPart[] = [{ type: "text", delta: "word " }];

describe("two calls of a model in a row", () => {
  test.each([
    ["without a thought", answer],
    ["with one", [{ type: "reasoning", delta: "hm" }, ...answer] as const],
  ])("[N32] %s: a crash in the second repeats the second alone", async (_, parts) => {
    const asked = speaker(parts, 2);
    const twice = agentOf(function* () {
      yield* model(asked, says("one"));
      yield* model(asked, says("two"));
      return { finish_reason: "stop" };
    });
    await at(twice, async ({ desk, say }) => {
      await say();
      await until(() => asked.asked === 2);
      desk.crash();
      const tab = desk.connect();
      await desk.idle();
      expect(asked.asked).toBe(3);
      expect(endOf(tab)).toMatchObject({ status: "succeeded", content: "word word ", attempts: 2 });
      expect(endOf(tab).usage).toMatchObject([{ total_tokens: 10 }]);
    });
  });
});

describe("a thought that takes its time", () => {
  /** Thinks ten words, 300 ms apart, and answers; the call of this number stops in the middle. */
  function thinker(clock: () => Desk, hangs?: number): Model & { asked: number } {
    return {
      provider: "p",
      model_id: "m",
      asked: 0,
      async *stream() {
        this.asked += 1;
        for (let word = 0; word < 10; word += 1) {
          if (this.asked === hangs && word === 6) await new Promise(() => {});
          yield { type: "reasoning", delta: word === 4 ? "\ud83d" : word === 5 ? "\ude00" : `${word} ` };
          clock().advance(300);
        }
        yield* answer;
        yield { type: "finish", finish_reason: "stop", usage: USAGE };
      },
    };
  }

  const WHOLE = "0 1 2 3 \ud83d\ude006 7 8 9 ";

  function thinking(asked: Model): Agent {
    return agentOf(function* () {
      yield* model(asked, says("?"));
      return { finish_reason: "stop" };
    });
  }

  test("[N35] [N28] is shown after a second as far as it has come, and the rest with the answer", async () => {
    let desk: Desk | undefined;
    const asked = thinker(() => desk as Desk);
    await at(thinking(asked), async (bench) => {
      desk = bench.desk;
      await bench.say();
      await bench.desk.idle();
      const thoughts = bench.tab.of("agent_thinking").map(({ payload }) => payload.thought);
      expect(thoughts).toEqual(["0 1 2 3 ", WHOLE.slice(8)]);
      expect(endOf(bench.tab)).toMatchObject({ status: "succeeded", content: "word " });
    });
  });

  test("[N35] cut by a crash it is thought again, and the answer is paid once more", async () => {
    let desk: Desk | undefined;
    const asked = thinker(() => desk as Desk, 1);
    await at(thinking(asked), async (bench) => {
      desk = bench.desk;
      await bench.say();
      await until(() => bench.tab.of("agent_thinking").length === 1);
      bench.desk.crash();
      const tab = bench.desk.connect();
      await bench.desk.idle();
      expect(asked.asked).toBe(2);
      expect(endOf(tab)).toMatchObject({ status: "succeeded", content: "word ", attempts: 2 });
    });
  });

  test("[N25] [N35] another request than the one that had begun is a divergence", async () => {
    let desk: Desk | undefined;
    const asked = thinker(() => desk as Desk, 1);
    let question = "?";
    const fickle = agentOf(function* () {
      yield* model(asked, says(question));
      return { finish_reason: "stop" };
    });
    await at(fickle, async (bench) => {
      desk = bench.desk;
      await bench.say();
      await until(() => bench.tab.of("agent_thinking").length === 1);
      question = "!";
      bench.desk.crash();
      const tab = bench.desk.connect();
      await bench.desk.idle();
      expect(endOf(tab)).toMatchObject({ status: "interrupted", error: { code: "replay_diverged" } });
    });
  });
});

describe("what is too long to be kept", () => {
  const long = "\u4e2d".repeat(400_000);

  test.each<[string, readonly ModelPart[]]>([
    ["arguments", [{ type: "tool_call", tool_call_id: "c", tool_name: "t", args_text: long }]],
    ["a text", [{ type: "text", delta: long }]],
    ["a thought", [{ type: "reasoning", delta: long }, ...answer]],
  ])(
    "[N33] %s over a megabyte: the model is asked once, and what it used is counted",
    async (what, parts) => {
      const asked = speaker(parts);
      const agent = agentOf(function* () {
        yield* model(asked, says("?"));
        yield* tool(
          toolOf(() => 1),
          {},
        );
        return { finish_reason: "stop" };
      });
      await at(agent, async ({ desk, tab, say }) => {
        await say();
        await desk.idle();
        expect(asked.asked).toBe(1);
        expect(endOf(tab)).toMatchObject(
          what === "arguments"
            ? { status: "failed", error: { code: "model_bad_response" } }
            : { attempts: 1 },
        );
        expect(endOf(tab).usage).toMatchObject([{ model: "m" }]);
      });
    },
  );

  test("[N33] a thought of a model is kept as far as it is shown", async () => {
    let thought = "";
    const agent = agentOf(function* () {
      thought = (yield* model(speaker([{ type: "reasoning", delta: long }, ...answer]), says("?"))).reasoning;
      return { finish_reason: "stop" };
    });
    await at(agent, async ({ desk, tab, say }) => {
      await say();
      await desk.idle();
      expect(tab.of("agent_thinking")[0].payload.thought).toBe(thought);
      expect(new TextEncoder().encode(thought).byteLength).toBeLessThanOrEqual(32 * 1024);
    });
  });

  test("[N33] [N31] of much that is said meanwhile each step hears a part, all of it, once and in order", async () => {
    const heard: string[] = [];
    const gates: (() => void)[] = [];
    const agent = agentOf(function* () {
      yield* tool(
        toolOf(() => new Promise((resolve) => gates.push(() => resolve(1)))),
        {},
      );
      for (let step = 0; step < 12; step += 1) {
        for (const { content } of yield* steering()) heard.push(content.slice(0, 2));
      }
      return { finish_reason: "stop" };
    });
    await at(agent, async ({ desk, tab, say }) => {
      await say();
      await until(() => gates.length === 1);
      const numbers = Array.from({ length: 9 }, (_, index) => `m${index}`);
      for (const number of numbers) {
        await say(`${number}${"\u0001".repeat(9_000)}`, { policy: "steer" });
      }
      gates[0]?.();
      await desk.idle();
      expect(heard).toEqual(numbers);
      expect(tab.of("agent_thinking").length).toBeGreaterThan(1);
      expect(tab.of("agent_completed")).toHaveLength(1);
      expect(endOf(tab)).toMatchObject({ status: "succeeded", attempts: 1 });
    });
  });
});

describe("a time that an agent names", () => {
  test.each([
    ["long past", "-200000-01-01T00:00:00Z", 0],
    ["past", "2020-01-01T00:00:00Z", 0],
    ["too far away", "+200000-01-01T00:00:00Z", 366 * 86_400_000],
    ["no time", "tomorrow", 86_400_000],
  ])("[L14] %s: the wait ends", async (_, until, after_ms) => {
    const agent = agentOf(function* () {
      yield* sleep(until);
      return { finish_reason: "stop" };
    });
    await at(agent, async ({ desk, tab, say }) => {
      await say();
      await desk.idle();
      expect(Date.parse(tab.of("run_waiting")[0].payload.expires_at)).toBe(desk.now + after_ms);
    });
  });

  test.each([
    [Number.POSITIVE_INFINITY, 366 * 86_400_000],
    [Number.NaN, 86_400_000],
    [-5, 0],
    [undefined, 86_400_000],
  ])("[L14] a client that has %s ms has until there is an end", async (expires_ms, after_ms) => {
    const asked = { name: "where", description: "w", input: anything, output: anything };
    const agent = agentOf(function* () {
      yield* clientTool(expires_ms === undefined ? asked : { ...asked, expires_ms }, {});
      return { finish_reason: "stop" };
    });
    await at(agent, async ({ desk, tab, say }) => {
      await say();
      await desk.idle();
      expect(Date.parse(tab.of("run_waiting")[0].payload.expires_at)).toBe(desk.now + after_ms);
    });
  });

  test("[L14] an approval has as long as its tool says", async () => {
    const asks = { ...toolOf(() => 1), approval: "always", expires_ms: 60_000 } as const;
    const agent = agentOf(function* () {
      yield* tool(asks, {});
      return { finish_reason: "stop" };
    });
    await at(agent, async ({ desk, tab, say }) => {
      await say();
      await desk.idle();
      const { kind, expires_at } = tab.of("run_waiting")[0].payload;
      expect([kind, Date.parse(expires_at)]).toEqual(["approval", desk.now + 60_000]);
    });
  });

  test.each([
    ["a name", { name: 7 }],
    ["a name of 129 characters", { name: "n".repeat(129) }],
    ["a reason", { reason: {} }],
    ["a time", { expires_at: 12 }],
    ["a kind", { for: "ever" }],
  ])("[N26] %s that is none ends the run, and no event has it", async (_, wrong) => {
    const agent = agentOf(function* () {
      yield { kind: "wait", for: "signal", name: "s", expires_at: "2026-01-02T00:00:00Z", ...wrong } as never;
      return { finish_reason: "stop" };
    });
    await at(agent, async ({ desk, tab, say }) => {
      await say();
      await desk.idle();
      expect(tab.of("run_waiting")).toEqual([]);
      expect(endOf(tab)).toMatchObject({ status: "failed", error: { code: "agent_failed" } });
    });
  });
});

describe("a question of an agent", () => {
  test.each([
    ["answered", { decision: "answered", value: "blue" }, '{"status":"answered","value":"blue"}'],
    ["left alone", undefined, '{"status":"expired"}'],
  ])(
    "[L2] that is %s has its words and its form in the event, and is asked once over crashes",
    async (_, answer, said) => {
      const response_schema = { type: "string" };
      const asks = agentOf(function* () {
        const until = "2026-01-01T00:30:00.000Z";
        yield* text(JSON.stringify(yield* question("Which?", { until, response_schema })));
        return { finish_reason: "stop" };
      });
      await at(asks, async ({ desk, tab, say }) => {
        const run_id = await say();
        await desk.idle();
        const { payload } = tab.of("run_waiting")[0];
        const args = { reason: "Which?", response_schema };
        expect(payload).toMatchObject({ kind: "signal", name: "question", reason: "Which?", args });
        desk.crash();
        const later = desk.connect();
        if (answer === undefined) {
          desk.advance(1_800_000);
          desk.session.deadlines.fire();
        } else {
          const resume = { run_id, wait_id: payload.wait_id, ...answer };
          await desk.send(later, { type: "run_resume", id: "r", payload: resume });
        }
        await desk.idle();
        expect(later.of("run_waiting")).toEqual([]);
        expect(endOf(later)).toMatchObject({ status: "succeeded", content: said });
      });
    },
  );
});

describe("the text at a wait", () => {
  const told = (length: number, args: unknown = {}) =>
    agentOf(function* () {
      yield* text("x".repeat(length));
      const where = { name: "where", description: "w", input: anything, output: anything };
      yield* clientTool(where, args);
      return { finish_reason: "stop" };
    });
  const KIB = 1024;

  test.each([
    ["short", 10 * KIB, {}, 10 * KIB],
    ["long", 200 * KIB, {}, undefined],
    ["beside long arguments", 120 * KIB, "a".repeat(150 * KIB), undefined],
    ["beside arguments that are mostly escapes", 100 * KIB, '"'.repeat(100 * KIB), undefined],
  ])("[L15] %s is kept when the run is cancelled while it waits", async (_, length, args, shown) => {
    await at(told(length, args), async ({ desk, tab, say }) => {
      const run_id = await say();
      await desk.idle();
      expect(tab.of("run_waiting")[0].payload.text?.length).toBe(shown);
      desk.crash();
      const later = desk.connect();
      await desk.send(later, { type: "run_cancel", id: "x", payload: { run_id } });
      expect(endOf(later)).toMatchObject({ status: "cancelled", content: "x".repeat(length) });
    });
  });

  test.each([
    ["escapes, each of which is two characters", '"\n', 200 * KIB, 200 * KIB],
    ["escapes, each of which is six: as much of it as there is room for", "\u0001", 200 * KIB, 50 * KIB],
  ])("[L15] [N33] that is nothing but %s", async (_, unit, length, kept) => {
    const agent = agentOf(function* () {
      yield* text(unit.repeat(length / unit.length));
      yield* signal("s", { until: "2026-01-02T00:00:00Z" });
      return { finish_reason: "stop" };
    });
    await at(agent, async ({ desk, say }) => {
      const run_id = await say();
      await desk.idle();
      desk.crash();
      const later = desk.connect();
      await desk.send(later, { type: "run_cancel", id: "x", payload: { run_id } });
      expect(endOf(later).content).toHaveLength(kept);
    });
  });

  test("[L15] is kept when the run is cancelled before the replay is there again, and when its agent is gone", async () => {
    const agent = agentOf(function* () {
      yield* text("so far");
      yield* signal("s", { until: "2026-01-02T00:00:00Z" });
      yield* text(", and on");
      return { finish_reason: "stop" };
    });
    for (const after of ["cancel", "gone"]) {
      await at(agent, async ({ desk, tab, say }) => {
        const run_id = await say();
        await desk.idle();
        const { wait_id } = tab.of("run_waiting")[0].payload;
        if (after === "gone") desk.crash({ ...agent, name: "another" });
        const later = desk.connect();
        const resume = { run_id, wait_id, decision: "answered", value: 1 };
        const { sync } = desk;
        const disk = Promise.withResolvers<void>();
        desk.sync = () => disk.promise;
        await desk.send(later, { type: "run_resume", id: "r", payload: resume });
        desk.sync = sync;
        if (after === "cancel") await desk.send(later, { type: "run_cancel", id: "x", payload: { run_id } });
        disk.resolve();
        await desk.idle();
        expect(endOf(later)).toMatchObject({
          status: after === "cancel" ? "cancelled" : "interrupted",
          content: "so far",
        });
      });
    }
  });
});

describe("what a tool says", () => {
  test("[N34] goes out at once, then the newest at most every 250 ms, cut, and not once the call is over", async () => {
    let progress: (note: string) => void = () => {};
    const done = Promise.withResolvers<void>();
    const works = toolOf(async (_, context) => {
      progress = context.progress;
      await done.promise;
    });
    const agent = agentOf(function* () {
      yield* tool(works, {});
      return { finish_reason: "stop" };
    });
    await at(agent, async ({ desk, tab, say }) => {
      await say();
      for (let note = 0; note < 500; note += 1) progress(`${note}`);
      const notes = () => tab.of("tool_progress").map(({ payload }) => payload.note);
      expect(notes()).toEqual(["0"]);
      desk.advance(250);
      expect(notes()).toEqual(["0", "499"]);
      desk.advance(250);
      progress("y".repeat(5_000));
      expect(notes().at(-1)).toBe("y".repeat(1_024));
      progress("pending");
      done.resolve();
      await desk.idle();
      progress("late");
      desk.advance(250);
      expect(notes()).toHaveLength(3);
      expect(desk.timers).toBe(0);
    });
  });

  test("[N7] why a tool fails is cut, and the agent goes on", async () => {
    const failing = toolOf(() => {
      throw new ToolFailure("t", "c".repeat(1_000), "m".repeat(300_000));
    });
    let caught: unknown;
    const agent = agentOf(function* () {
      try {
        yield* tool(failing, {});
      } catch (cause) {
        caught = cause;
      }
      return { finish_reason: "stop" };
    });
    await at(agent, async ({ desk, tab, say }) => {
      await say();
      await desk.idle();
      expect(caught).toBeInstanceOf(ToolFailure);
      const { error } = tab.of("tool_completed")[0].payload;
      expect([error.code.length, error.message.length]).toEqual([64, 1_024]);
      expect(endOf(tab).status).toBe("succeeded");
    });
  });
});
