/**
 * One run that does everything an agent can do, and a crash at every point of it:
 * before and after each commit, at each piece of a model's answer, when a tool begins
 * and when it ends. Whatever the point, the run ends as if nothing had happened.
 */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import {
  clientTool,
  model,
  report,
  signal,
  steering,
  text,
  think,
  tools,
  updateState,
} from "../../src/agents/effects.ts";
import type { Model } from "../../src/agents/models/model.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, type RecordingSocket } from "../support/desk.ts";

const anything = z.unknown();
const USAGE = { provider: "p", model: "m", input_tokens: 2, output_tokens: 3, total_tokens: 5 };
const UNTIL = "2026-06-01T00:00:00.000Z";
const REPORT = { summary: "done", findings: [], recommendations: [], assumptions: [], questions: [] };

/** Four calls of a model, three tools, two waits, a patch, a word meanwhile, a report. */
const ANSWER = "Let me see. Then: 1 heard. signalled there. That is all.";

class History {
  /** The point at which it crashes; 0 for never. */
  readonly #crash_at: number;
  points = 0;
  executed: string[] = [];
  asked = 0;
  desk: Desk | undefined;
  /** Resolved when the word that is said to the run at work is on disk: no tool is done before. */
  readonly meanwhile = Promise.withResolvers<void>();

  constructor(crash_at: number) {
    this.#crash_at = crash_at;
  }

  readonly point = (): void => {
    this.points += 1;
    // Every other time the deployment has changed, though not what it does.
    if (this.points === this.#crash_at) this.desk?.crash(this.agent(this.points % 2 === 0 ? "1" : "2"));
  };

  agent(version: string): Agent {
    const once = this.#tool("once", false);
    const again = this.#tool("again", true);
    const where = { name: "where", description: "w", input: anything, output: anything };
    const says = (...words: string[]) => model(this.#model(words), { messages: [] });
    const speaks = (...words: string[]) => model(this.#model(words, "Hm."), { messages: [] });
    return {
      name: "does everything",
      version,
      *run() {
        yield* think("Off we go.");
        yield* speaks("Let ", "me ", "see. ");
        yield* tools([
          [once, 1],
          [again, 2],
        ]);
        yield* speaks("Then: ");
        yield* text(`${(yield* steering()).length} heard. `);
        yield* tools([[again, 3]]);
        yield* updateState([{ op: "add", path: "/n", value: 1 }]);
        yield* signal("s", { until: UNTIL });
        yield* text("signalled ");
        yield* text(`${yield* clientTool(where, {})}. `);
        // Two in a row, without a thought between them.
        yield* says("That ", "is ");
        yield* says("all.");
        yield* report(REPORT);
        return { finish_reason: "stop" };
      },
    };
  }

  #tool(name: string, idempotent: boolean): Tool<unknown, unknown> {
    const execute = async (args: unknown) => {
      this.point();
      this.executed.push(`${name} ${args}`);
      await this.meanwhile.promise;
      this.point();
      return args;
    };
    return { name, description: name, input: anything, output: anything, idempotent, execute };
  }

  #model(words: readonly string[], thought?: string): Model {
    const { point } = this;
    const asked = () => {
      this.asked += 1;
    };
    return {
      provider: "p",
      model_id: "m",
      async *stream() {
        asked();
        if (thought !== undefined) yield { type: "reasoning", delta: thought };
        for (const delta of words) {
          point();
          yield { type: "text", delta };
        }
        point();
        yield { type: "finish", finish_reason: "stop", usage: USAGE };
      },
    };
  }
}

/** A client that says what it has to say until it is told that it was heard, however often it has to come back. */
class Persistent {
  readonly #desk: Desk;
  readonly #told = new Set<string>();
  tab: RecordingSocket;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.tab = connected(desk, {});
  }

  /** What is there to be said now: the question, a word meanwhile, and an answer to whatever is waited for. */
  async speak(meanwhile: boolean): Promise<void> {
    this.tab = wholeLog(this.#desk, this.tab);
    await this.#say("q", "user_message", { content: "?" });
    if (meanwhile) await this.#say("m", "user_message", { content: "!", policy: "steer" });
    const waits = this.tab.of("run_waiting").map(({ payload }) => payload);
    const ended = this.tab.of("run_resumed").map(({ payload }) => payload.wait_id);
    for (const { run_id, wait_id } of waits.filter((wait) => !ended.includes(wait.wait_id))) {
      const payload = { run_id, wait_id, decision: "answered", value: "there" };
      await this.#say(wait_id, "run_resume", payload);
    }
  }

  wasTold(id: string): boolean {
    return this.#told.has(id);
  }

  get hasEnd(): boolean {
    return this.tab.of("agent_completed").length > 0;
  }

  async #say(id: string, type: string, payload: object): Promise<void> {
    if (this.#told.has(id)) return;
    await this.#desk.send(this.tab, { type, id, payload }).catch(() => {});
    if (this.tab.sent.some(({ reply_to, type }) => reply_to === id && type !== "error")) this.#told.add(id);
  }
}

/** Far more than any history needs. */
const TURNS = 50;

/** Enough for a run to get to where it waits for somebody. */
const TICKS = 15;

/** From the first word to the end; what a newcomer then reads. */
async function played(crash_at: number) {
  const history = new History(crash_at);
  let all: any[] = [];
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const desk = new Desk(storage, history.agent("1"));
    history.desk = desk;
    desk.atTransaction = history.point;
    const client = new Persistent(desk);
    for (let turn = 0; turn < TURNS && !client.hasEnd; turn += 1) {
      await client.speak(history.executed.length > 0);
      if (client.wasTold("m")) history.meanwhile.resolve();
      for (let i = 0; i < TICKS; i += 1) await tick();
    }
    await desk.idle();
    const newcomer = wholeLog(desk, client.tab);
    all = newcomer.sent.filter(({ seq }) => seq !== undefined);
    expect(desk.timers).toBe(0);
  });
  return { history, all };
}

/** A tab that is told everything there ever was. */
function wholeLog(desk: Desk, earlier: RecordingSocket): RecordingSocket {
  const { epoch } = earlier.sent[0]?.payload ?? {};
  return connected(desk, typeof epoch === "string" ? { epoch, since: "0" } : {});
}

/** Who finds the object dying comes again. */
function connected(desk: Desk, query: { epoch?: string; since?: string }): RecordingSocket {
  try {
    return desk.connect(query);
  } catch {
    return desk.connect(query);
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function ofType(all: readonly any[], ...types: string[]): any[] {
  return all.filter(({ type }) => types.includes(type)).map(({ payload }) => payload);
}

describe("a run that does everything", () => {
  test("[N11] [N12] [O22] ends as if nothing had happened, wherever its object dies", async () => {
    const undisturbed = await played(0);
    const shown = (all: readonly any[]) => ofType(all, "agent_completed").map(({ content }) => content);
    expect(shown(undisturbed.all)).toEqual([ANSWER]);
    expect(undisturbed.history.points).toBeGreaterThan(50);
    for (let crash_at = 1; crash_at <= undisturbed.history.points; crash_at += 1) {
      const { history, all } = await played(crash_at);
      expectWhole(all, history, crash_at);
    }
  }, 120_000);
});

function expectWhole(all: readonly any[], { executed, asked }: History, crash_at: number): void {
  const ends = ofType(all, "agent_completed");
  expect({ crash_at, ends }).toMatchObject({ crash_at, ends: [{ status: "succeeded", content: ANSWER }] });
  expect(ends[0].usage).toMatchObject([{ total_tokens: 4 * USAGE.total_tokens }]);
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
  const ofRun = all.filter(({ payload }) => "run_seq" in payload);
  expect(ofRun.map(({ payload }) => payload.run_seq)).toEqual(ofRun.map((_, index) => index));
  for (const type of ["tool_executing", "tool_completed"]) {
    const ids = ofType(all, type).map(({ tool_call_id }) => tool_call_id);
    expect(ids).toHaveLength(5);
    expect(new Set(ids).size).toBe(5);
  }
  expect(ofType(all, "final_report")).toHaveLength(1);
  expect(ofType(all, "run_waiting")).toHaveLength(2);
  // The one that must not be repeated is not, and neither is any that was completed.
  expect(executed.filter((call) => call.startsWith("once")).length).toBeLessThanOrEqual(1);
  expect(executed.length).toBeLessThanOrEqual(3 + 2);
  expect(asked).toBeLessThanOrEqual(4 + 1);
  const state = ofType(all, "tool_completed").filter(({ tool_name }) => tool_name === "update_state");
  expect(state).toMatchObject([{ status: "ok", result: { version: 1 } }]);
}
