/** A run is stopped wherever it is: what it does is stopped, too, and what had been said is kept. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import { model, signal, text, think, tools } from "../../src/agents/effects.ts";
import type { Model } from "../../src/agents/models/model.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, type RecordingSocket } from "../support/desk.ts";

const anything = z.unknown();
const USAGE = { provider: "p", model: "m", input_tokens: 2, output_tokens: 3, total_tokens: 5 };

/** What was told to stop, by name. */
let stopped: string[] = [];

function until(signal: AbortSignal, name: string): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      stopped.push(name);
      resolve();
    });
  });
}

function busy(name: string): Tool<unknown, unknown> {
  const execute = async (_: unknown, { signal }: { signal: AbortSignal }) => await until(signal, name);
  return { name, description: name, input: anything, output: anything, idempotent: true, execute };
}

/** Thinks, says two words, and then never anything more; closed when nobody wants more of it. */
function talker({ says }: { says: boolean }): Model {
  return {
    provider: "p",
    model_id: "m",
    async *stream(_, { signal }) {
      try {
        yield { type: "reasoning", delta: "hm" };
        if (says) yield { type: "text", delta: "two words" };
        await until(signal, "request");
        yield { type: "finish", finish_reason: "stop", usage: USAGE };
      } finally {
        stopped.push("stream");
      }
    },
  };
}

const request = { messages: [] };

/** Stops for ever at what the question names. */
const worker: Agent = {
  name: "worker",
  version: "1",
  *run({ question }) {
    yield* text("So far. ");
    switch (question) {
      case "thinking":
        for (;;) {
          yield* think("and on");
          yield* text("", { pace_ms: 1 });
        }
      case "tools":
        yield* tools([
          [busy("one"), 1],
          [busy("two"), 2],
        ]);
        break;
      case "model thinks":
        yield* model(talker({ says: false }), request);
        break;
      case "model speaks":
        yield* model(talker({ says: true }), request);
        break;
      default:
        yield* signal("s", { until: "2026-01-02T00:00:00Z" });
    }
    return { finish_reason: "stop" };
  },
};

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

async function cancelled(question: string, check: (tab: RecordingSocket, desk: Desk) => void) {
  stopped = [];
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const desk = new Desk(storage, worker);
    const tab = desk.connect();
    await desk.send(tab, { type: "user_message", id: "q", payload: { content: question } });
    const { run_id } = tab.of("message_ack")[0].payload;
    await settled();
    expect(tab.of("agent_completed")).toEqual([]);
    await desk.send(tab, { type: "run_cancel", id: "x", payload: { run_id } });
    await desk.idle();
    const ends = tab.of("agent_completed").map(({ payload }) => payload);
    expect(ends).toMatchObject([{ run_id, status: "cancelled", finish_reason: "cancelled" }]);
    const [begun, done] = ["tool_executing", "tool_completed"].map((type) => tab.of(type).length);
    expect(done).toBe(begun);
    expect(desk.timers).toBe(0);
    check(tab, desk);
    const length = tab.sent.length;
    await settled();
    expect(tab.sent).toHaveLength(length);
  });
}

function endOf(tab: RecordingSocket): any {
  return tab.of("agent_completed").at(-1).payload;
}

describe("a run that is cancelled", () => {
  test("[N16] while it thinks does nothing more", () =>
    cancelled("thinking", (tab) => {
      expect(endOf(tab).content).toBe("So far. ");
      expect(endOf(tab)).not.toHaveProperty("error");
    }));

  test("[N16] while its tools run has each of them told to stop, and completed as cancelled", () =>
    cancelled("tools", (tab) => {
      expect(stopped.toSorted()).toEqual(["one", "two"]);
      const errors = tab.of("tool_completed").map(({ payload }) => payload.error.code);
      expect(errors).toEqual(["cancelled", "cancelled"]);
      expect(endOf(tab).content).toBe("So far. ");
    }));

  test.each([
    ["thinks", "So far. "],
    ["speaks", "So far. two words"],
  ])(
    "[N16] [O6] while its model %s has the request told to stop, keeps the text, and counts what it cost",
    (what, content) =>
      cancelled(`model ${what}`, (tab) => {
        expect(stopped).toEqual(["request", "stream"]);
        expect(endOf(tab)).toMatchObject({ content, usage: [{ model: "m", estimated: true }] });
      }),
  );

  test("[N16] [L8] while it waits can be answered no more", () =>
    cancelled("wait", (tab) => {
      expect(endOf(tab).content).toBe("So far. ");
      expect(tab.of("run_resumed")).toEqual([]);
    }));
});
