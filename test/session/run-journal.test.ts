/** The journal of a run, as it is read; and that what is read steps its agent through the run again. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { recordingIn } from "../../scripts/replay/recording.ts";
import { replay } from "../../scripts/replay/stepping.ts";
import { verdictOf } from "../../scripts/replay/verdict.ts";
import type { Agent } from "../../src/agents/agent.ts";
import { model, sleep, steering, text, think, tool, tools } from "../../src/agents/effects.ts";
import type { Model } from "../../src/agents/models/model.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { newUser, stubOf } from "../support/client.ts";
import { Desk, principalWith } from "../support/desk.ts";

const anything = z.unknown();
const executed: unknown[] = [];

const note: Tool<unknown, unknown> = {
  name: "note",
  description: "notes what it is given",
  input: anything,
  output: anything,
  idempotent: true,
  async execute(args) {
    if (args === "fail") throw new Error("inner detail");
    executed.push(args);
    return { noted: args };
  },
};

/** Answers with what it was asked. */
function echo(more = ""): Model & { asked: number } {
  const usage = { provider: "p", model: "m", input_tokens: 2, output_tokens: 3, total_tokens: 5 };
  return {
    provider: "p",
    model_id: "m",
    asked: 0,
    async *stream({ messages }) {
      this.asked += 1;
      yield { type: "text", delta: `${messages[0]?.content}${more}` };
      yield { type: "finish", finish_reason: "stop", usage };
    },
  };
}

function agentOf(run: Agent["run"], version = "1"): Agent {
  return { name: "tester", version, run };
}

function says(content: string) {
  return { messages: [{ role: "user" as const, content }] };
}

async function at(agent: Agent, work: (desk: Desk, ask: () => Promise<string>) => Promise<void>) {
  executed.length = 0;
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    const desk = new Desk(storage, agent);
    const ask = async () => {
      const tab = desk.connect();
      await desk.send(tab, { type: "user_message", id: crypto.randomUUID(), payload: { content: "go on" } });
      await desk.idle();
      return tab.of("message_ack").at(-1).payload.run_id;
    };
    await work(desk, ask);
  });
}

/** As it comes over HTTP. */
function journalOf(desk: Desk, run_id: string): any {
  const found = desk.session.requests.runJournal(run_id, principalWith(["chat"]));
  if (!found.ok) throw new Error(found.refusal.code);
  const { events, ...rest } = found.value;
  return JSON.parse(`${JSON.stringify(rest).slice(0, -1)},"events":[${events.join(",")}]}`);
}

async function replayed(desk: Desk, run_id: string, agent: Agent) {
  const recording = recordingIn(journalOf(desk, run_id), "it");
  return verdictOf(recording, await replay(recording, agent));
}

describe("the journal of a run", () => {
  test("[J1] has what the agent was given and every event of the run, tools in parallel too", async () => {
    const agent = agentOf(function* () {
      yield* think("hm");
      yield* tools([
        [note, "a"],
        [note, "fail"],
      ]);
      yield* text("done");
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk, ask) => {
      const run_id = await ask();
      const journal = journalOf(desk, run_id);
      expect(journal.run).toMatchObject({
        run_id,
        agent_name: "tester",
        agent_version: "1",
        state: "ended",
        status: "succeeded",
        attempts: 1,
      });
      expect(journal.input).toMatchObject({ run_id, question: "go on", history: [] });
      expect(journal.events.map(({ payload }: any) => payload.run_seq)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect([journal.models, journal.complete]).toEqual([[], true]);
      expect(await replayed(desk, run_id, agent)).toMatchObject({ diverged: false });
      expect(executed).toEqual(["a"]);
    });
  });

  test("[J1] [N35] whose last call was cut is live from there", async () => {
    let asked = 0;
    const talker: Model = {
      provider: "p",
      model_id: "m",
      async *stream() {
        asked += 1;
        if (asked === 2) await new Promise(() => {});
        const usage = { provider: "p", model: "m", input_tokens: 2, output_tokens: 3, total_tokens: 5 };
        yield { type: "text", delta: "one " };
        yield { type: "finish", finish_reason: "stop", usage };
      },
    };
    const agent = agentOf(function* () {
      yield* steering();
      yield* model(talker, says("one"));
      yield* steering();
      yield* model(talker, says("two"));
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk) => {
      const tab = desk.connect();
      await desk.send(tab, { type: "user_message", id: "q", payload: { content: "go on" } });
      for (let i = 0; i < 50 && tab.of("agent_thinking").length === 0; i += 1) await scheduler.wait(0);
      const { run_id } = tab.of("message_ack")[0].payload;
      desk.crash();
      const verdict = await replayed(desk, run_id, agent);
      expect(verdict).toEqual({ diverged: false, text: "live from here: the run is running" });
    });
  });

  test("[J2] has every answer of a model, the last one too, for no row more and counted once", async () => {
    const asked = echo();
    const agent = agentOf(function* () {
      const first = yield* model(asked, says("one "));
      yield* tool(note, first.text);
      yield* model(asked, says("two"));
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk, ask) => {
      const run_id = await ask();
      const journal = journalOf(desk, run_id);
      expect(journal.models.map(({ step, result }: any) => [step, result.text])).toEqual([
        [1, "one "],
        [3, "two"],
      ]);
      const [started, , , completed, ...more] = journal.events;
      expect([started.type, completed.type, more]).toEqual(["agent_started", "agent_completed", []]);
      expect(completed.payload.usage).toMatchObject([{ total_tokens: 10 }]);
      expect(asked.asked).toBe(2);
      expect(await replayed(desk, run_id, agent)).toEqual({
        diverged: false,
        text: "ends as recorded: succeeded, stop",
      });
      expect(asked.asked).toBe(2);
    });
  });

  test("[J2] says that it is not whole where the last answer was too long to be kept", async () => {
    const long = echo("x".repeat(300_000));
    const agent = agentOf(function* () {
      yield* think("hm");
      yield* model(long, says("?"));
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk, ask) => {
      const run_id = await ask();
      expect(journalOf(desk, run_id)).toMatchObject({ models: [], complete: false });
      expect(await replayed(desk, run_id, agent)).toMatchObject({ diverged: false });
    });
  });

  test("[J1] is read of a run that waits, and goes on where its answer will", async () => {
    const agent = agentOf(function* () {
      yield* tool(note, 1);
      yield* sleep("2027-01-01T00:00:00.000Z");
      yield* think("awake");
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk, ask) => {
      const run_id = await ask();
      expect(journalOf(desk, run_id).run).toMatchObject({ state: "waiting", agent_version: "1" });
      const { diverged, text } = await replayed(desk, run_id, agent);
      expect([diverged, text]).toEqual([
        false,
        "live from here: the run is waiting for what it asked for last",
      ]);
    });
  });

  test("[J1] is read of a run that messages have joined, whether it has heard them or not", async () => {
    let arrived = () => {};
    const said = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const wait: Tool<unknown, unknown> = {
      ...note,
      name: "wait",
      async execute() {
        await said;
        return null;
      },
    };
    const agent = agentOf(function* () {
      yield* tool(wait, 1);
      for (const { content } of yield* steering()) yield* text(`heard ${content}`);
      yield* think("done");
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk) => {
      const tab = desk.connect();
      await desk.send(tab, { type: "user_message", id: "q", payload: { content: "go on" } });
      const { run_id } = tab.of("message_ack")[0].payload;
      const more = { content: "more", policy: "steer" };
      await desk.send(tab, { type: "user_message", id: "s", payload: more });
      expect(journalOf(desk, run_id)).toMatchObject({ run: { state: "running" }, complete: true });
      arrived();
      await desk.idle();
      const journal = journalOf(desk, run_id);
      expect(journal.events.map(({ payload }: any) => payload.run_seq)).toEqual([0, 1, 2, 3, 4, 5]);
      expect([journal.models[0].steered[0].content, journal.complete]).toEqual(["more", true]);
      expect(await replayed(desk, run_id, agent)).toMatchObject({ diverged: false });
    });
  });

  test("[J1] is read of a run that failed, and fails again", async () => {
    const agent = agentOf(function* () {
      yield* text("so far");
      yield* tool(note, "fail");
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk, ask) => {
      const run_id = await ask();
      expect(journalOf(desk, run_id).run.status).toBe("failed");
      expect(await replayed(desk, run_id, agent)).toEqual({
        diverged: false,
        text: "ends as recorded: failed, error",
      });
    });
  });

  test("[J3] says that it is not whole once the steps have been deleted, what models answered with them", async () => {
    const agent = agentOf(function* () {
      yield* model(echo(), says("?"));
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk, ask) => {
      const run_id = await ask();
      await ask();
      expect(journalOf(desk, run_id).models).toHaveLength(1);
      desk.advance(32 * 24 * 60 * 60_000);
      desk.session.deadlines.fire();
      const found = desk.session.requests.runJournal(run_id);
      expect(found).toMatchObject({ ok: true, value: { complete: false, models: [] } });
      if (found.ok) expect(found.value.events).toHaveLength(1);
      const trimmed = { ...(found.ok ? found.value : {}), events: [] };
      expect(() => recordingIn({ ...trimmed, events: [{}] }, "it")).toThrow("events.0");
    });
  });

  test("[J3] has the first whole steps of what is more than 4 MiB", async () => {
    const agent = agentOf(function* () {
      for (let i = 0; i < 20; i += 1) yield* think(`${i}${"x".repeat(250_000)}`);
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk, ask) => {
      const run_id = await ask();
      const journal = journalOf(desk, run_id);
      expect(journal.complete).toBe(false);
      expect(JSON.stringify(journal).length).toBeLessThan(4 * 1024 * 1024);
      expect(journal.events.length).toBeGreaterThan(14);
      expect(await replayed(desk, run_id, agent)).toEqual({
        diverged: false,
        text: "the file ends here: it has only the first steps of the run",
      });
    });
  });

  test("[J4] of a run that never was, was deleted, or is named by another's id is not found", async () => {
    const agent = agentOf(function* () {
      yield* think("hm");
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk, ask) => {
      const run_id = await ask();
      const refused = { ok: false, refusal: { code: "not_found" } };
      for (const id of ["r_1_other", "r_99_x", "x", "", run_id.replace("r_", "m_")]) {
        expect(desk.session.requests.runJournal(id)).toMatchObject(refused);
      }
      const who = { ...principalWith(["chat"]), iat: 1 };
      desk.session.signOut();
      expect(desk.session.requests.runJournal(run_id, who)).toMatchObject({ ok: false });
      const tab = desk.connect({ principal: { ...principalWith(["chat", "agents"]), iat: 4e9 } });
      await desk.send(tab, { type: "thread_delete", id: "d", payload: { thread_id: "main" } });
      expect(desk.session.requests.runJournal(run_id)).toMatchObject(refused);
    });
  });

  test("[J5] shows where another agent goes another way", async () => {
    const agent = agentOf(function* () {
      yield* think("hm");
      yield* tool(note, 1);
      return { finish_reason: "stop" };
    });
    await at(agent, async (desk, ask) => {
      const run_id = await ask();
      const other = agentOf(function* () {
        yield* think("hm");
        yield* tool(note, 2);
        return { finish_reason: "stop" };
      }, "2");
      expect(await replayed(desk, run_id, other)).toEqual({
        diverged: true,
        text: "DIVERGED: step 2: the agent wants note 2; the journal has tool_executing note, tool_completed note",
      });
      const shorter = agentOf(function* () {
        yield* think("hm");
        return { finish_reason: "stop" };
      });
      expect((await replayed(desk, run_id, shorter)).text).toMatch("the agent ended; next in the journal is");
      const longer = agentOf(function* (input) {
        yield* agent.run(input);
        yield* think("and more");
        return { finish_reason: "stop" };
      });
      expect((await replayed(desk, run_id, longer)).text).toMatch("the recorded run succeeded here");
      expect(executed).toEqual([1]);
    });
  });
});
