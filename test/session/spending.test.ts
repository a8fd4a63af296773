/** What models cost: counted by day and model, stopped at the budget of the plan. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Agent } from "../../src/agents/agent.ts";
import { model, signal, think } from "../../src/agents/effects.ts";
import type { Model } from "../../src/agents/models/model.ts";
import { countedUsage } from "../../src/agents/models/usage.ts";
import { DEFAULT_PLANS, type Limits } from "../../src/protocol/limits.ts";
import type { Ports } from "../../src/session/ports.ts";
import { newUser, stubOf, waitFor } from "../support/client.ts";
import { COST, COUNTED, countedModel, PRICE } from "../support/counted-model.ts";
import { BEGIN, Desk, principalWith, type RecordingSocket } from "../support/desk.ts";

const DAY_MS = 24 * 60 * 60_000;
const who = principalWith(["chat", "agents"]);
const request = { messages: [{ role: "user", content: "?" }] } as const;

interface Wanted {
  readonly calls?: number;
  readonly hangs?: boolean;
  readonly waits?: boolean;
}

/** `data.calls` calls of a model, a thought after each, or a signal that is waited for if `data.waits`; the last one hangs if `data.hangs`. */
const talker: Agent = {
  name: "talker",
  version: "1",
  uses_models: true,
  *run({ data }) {
    const { calls = 1, hangs = false, waits = false } = data as Wanted;
    for (let i = 1; i <= calls; i += 1) {
      yield* model(countedModel({ hangs: hangs && i === calls }), request);
      if (waits) yield* signal("s", { until: "2026-01-03T00:00:00.000Z" });
      else if (i < calls) yield* think(`call ${i}`);
    }
    return { finish_reason: "stop" };
  },
};

const prices = new Map([["fake/counted", PRICE]]);

function budget(limits: Partial<Limits>): Partial<Ports> {
  return { prices, plans: { ...DEFAULT_PLANS, free: { ...DEFAULT_PLANS.free, ...limits } } };
}

async function atTheDesk(
  work: (desk: Desk, storage: DurableObjectStorage) => Promise<void>,
  over: Partial<Ports> = { prices },
  agent = talker,
) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, agent, over), storage);
  });
}

function ask(desk: Desk, tab: RecordingSocket, id: string, data: object = {}) {
  return desk.send(tab, { type: "user_message", id, payload: { content: id, data } });
}

function report(desk: Desk): any {
  const usage = desk.session.requests.readUsage(who);
  return usage.ok ? usage.value : usage;
}

const ended = (tab: RecordingSocket) => tab.of("agent_completed").map(({ payload }) => payload);
const row = (calls: number, more = {}) => ({
  day: "2026-01-01",
  provider: "fake",
  model: "counted",
  calls,
  input_tokens: 10 * calls,
  output_tokens: 5 * calls,
  cached_input_tokens: 4 * calls,
  reasoning_tokens: 2 * calls,
  cost_usd: COST * calls,
  ...more,
});

describe("what models cost", () => {
  test("[U2] is in the end of the run, by model, and in the day of the user", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await ask(desk, tab, "one", { calls: 2 });
      await ask(desk, tab, "two");
      await desk.idle();
      const twice = { ...COUNTED, input_tokens: 20, output_tokens: 10, total_tokens: 30, cost_usd: 2 * COST };
      expect(ended(tab)[0].usage).toEqual([{ ...twice, cached_input_tokens: 8, reasoning_tokens: 4 }]);
      expect(report(desk)).toMatchObject({ today: { calls: 3, cost_usd: 3 * COST }, days: [row(3)] });
    });
  });

  test("[U2] by step too, where steps are read, the last call included", async () => {
    await atTheDesk(async (desk) => {
      await ask(desk, desk.connect(), "one", { calls: 2 });
      await desk.idle();
      const page: any = desk.session.requests.listMessages(who, { thread_id: "main", steps: true, limit: 9 });
      const call = { ...COUNTED, cost_usd: COST };
      expect(page.value.messages[1].model_calls).toEqual([
        { step: 1, ...call },
        { step: 3, ...call },
      ]);
      expect(page.value.messages[0].model_calls).toBeUndefined();
    });
  });

  test("[U2] has no cost without a price, and keeps the one it had when prices change", async () => {
    await atTheDesk(async (desk, storage) => {
      await ask(desk, desk.connect(), "one");
      await desk.idle();
      expect(report(desk).days).toEqual([row(1)]);
      const later = new Desk(storage, talker);
      const tab = later.connect({ client_id: "later" });
      await ask(later, tab, "two");
      await later.idle();
      expect(tab.of("agent_completed").at(-1).payload.usage).toEqual([COUNTED]);
      expect(report(later).days).toEqual([row(2, { cost_usd: COST })]);
    });
  });

  test("[U2] counts a call that was cut short, when it is cancelled or its thread is deleted", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await ask(desk, tab, "one", { calls: 2, hangs: true });
      await waitFor(() => tab.of("agent_thinking").length === 1 && desk.session.requests.readUsage(who).ok);
      const { run_id } = tab.of("agent_started")[0].payload;
      await desk.send(tab, { type: "run_cancel", id: "c", payload: { run_id } });
      await desk.idle();
      expect(ended(tab)[0].status).toBe("cancelled");
      const { calls } = report(desk).today;
      expect(calls).toBeGreaterThan(0);
      await ask(desk, tab, "two", { calls: 2, hangs: true });
      await waitFor(() => tab.of("agent_thinking").length === 2);
      await desk.send(tab, { type: "thread_delete", id: "d", payload: { thread_id: "main" } });
      await desk.idle();
      expect(report(desk).today.calls).toBeGreaterThan(calls);
    });
  });

  test("[U2] counts what had come of a tool call that was cut short", async () => {
    let piece_taken = false;
    const calling: Model = {
      ...countedModel(),
      async *stream(_, { signal }) {
        yield { type: "tool_call_piece", chars: 400 };
        piece_taken = true;
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      },
    };
    const agent: Agent = {
      ...talker,
      *run() {
        yield* model(calling, request);
        return { finish_reason: "stop" };
      },
    };
    const work = async (desk: Desk) => {
      const tab = desk.connect();
      await ask(desk, tab, "one");
      await waitFor(() => piece_taken);
      const { run_id } = tab.of("agent_started")[0].payload;
      await desk.send(tab, { type: "run_cancel", id: "c", payload: { run_id } });
      await desk.idle();
      expect(ended(tab)[0].usage).toMatchObject([{ output_tokens: 100, estimated: true }]);
    };
    await atTheDesk(work, { prices }, agent);
  });

  test("[U2] is counted once, however often the run is continued", async () => {
    await atTheDesk(async (desk) => {
      const tab = desk.connect();
      await ask(desk, tab, "one", { calls: 2, hangs: true });
      await waitFor(() => tab.of("agent_thinking").length === 1);
      desk.crash({ ...talker, run: (input) => talker.run({ ...input, data: { calls: 2 } }) });
      const again = desk.connect();
      await waitFor(() => again.of("agent_completed").length === 1);
      await desk.idle();
      expect(report(desk).days).toEqual([row(2)]);
    });
  });

  test("[U2] a run that asked no model makes no table, nor does looking", async () => {
    await atTheDesk(async (desk, storage) => {
      await ask(desk, desk.connect(), "one", { calls: 0 });
      await desk.idle();
      const nothing = { calls: 0, input_tokens: 0, output_tokens: 0 };
      expect(report(desk)).toMatchObject({ today: nothing, last_30_days: nothing, days: [] });
      expect(storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'usage'").toArray()).toEqual([]);
    });
  });

  test("[U2] of a fed run is what its feeder says in our words", async () => {
    await atTheDesk(async (desk) => {
      const service = { ...who, permissions: ["service" as const] };
      const start = { executor: "feed" as const, content: "?", agent_name: "x", takeover: false };
      const run: any = await desk.session.requests.startRun({ who: service, start });
      const usage = [{ ...COUNTED, cost_usd: 5 }, { tokens: 7 }, { ...COUNTED, input_tokens: -1 }];
      const payload = { status: "succeeded", content: "x", finish_reason: "stop", usage } as const;
      const events: any = [{ type: "agent_completed", run_seq: 1, payload }];
      await desk.session.requests.feed({ who: service, run_id: run.value.run_id, events });
      expect(report(desk).days).toEqual([row(1, { cost_usd: 5 })]);
    });
  });
});

describe("an amount that nobody can have spent", () => {
  const fed = async (desk: Desk, usage: object[]) => {
    const service = { ...who, permissions: ["service" as const] };
    const start = { executor: "feed" as const, content: "?", agent_name: "x", takeover: false };
    const run: any = await desk.session.requests.startRun({ who: service, start });
    const payload = { status: "succeeded", content: "x", finish_reason: "stop", usage } as const;
    const events: any = [{ type: "agent_completed", run_seq: 1, payload }];
    return desk.session.requests.feed({ who: service, run_id: run.value.run_id, events });
  };

  test.each([
    ["dollars", { cost_usd: 1.7e308 }],
    ["tokens", { input_tokens: 1e300 }],
    ["a little too many", { output_tokens: 1e15 + 1 }],
  ])("[U2] of %s is not in our words: what is counted stays a number", async (_, amount) => {
    await atTheDesk(async (desk) => {
      for (let i = 0; i < 2; i += 1)
        await fed(desk, [
          { ...COUNTED, ...amount },
          { ...COUNTED, cost_usd: 1e15 },
        ]);
      expect(report(desk).days).toEqual([row(2, { cost_usd: 2e15 })]);
    });
  });

  test("[U2] is no usage of a provider's either", () => {
    const said = { input: 1e15, output: 1, total: 1, reasoning: 1, cached: 1e16, cache_write: 1 };
    const { input_tokens, cached_input_tokens } = countedUsage({ provider: "p", model: "m" }, said) ?? {};
    expect([input_tokens, cached_input_tokens]).toEqual([0, undefined]);
  });
});

describe("a budget of the day", () => {
  test.each([
    ["tokens", { tokens_per_day: 15 }, 15],
    ["dollars", { cost_usd_per_day: COST }, COST],
  ])("[U3] of %s refuses what asks for an answer once it is used up", async (_, limits, limit) => {
    await atTheDesk(async (desk, storage) => {
      const tab = desk.connect();
      expect(tab.sent[0].payload.limits).toMatchObject(limits);
      await ask(desk, tab, "one");
      await desk.idle();
      const before = storage.sql.exec("SELECT COUNT(*) AS n FROM events").one().n;
      desk.advance(60_000);
      const { message_id } = ended(tab)[0];
      await ask(desk, tab, "two");
      await desk.send(tab, { type: "message_regenerate", id: "three", payload: { message_id } });
      const refused = { code: "budget_exceeded", limit, retry_after_ms: DAY_MS - 60_000, retryable: false };
      expect(tab.of("error").map(({ payload }) => payload)).toMatchObject([refused, refused]);
      const service = { ...who, permissions: ["service" as const] };
      const start = { executor: "agent" as const, content: "?", takeover: false };
      expect(await desk.session.requests.startRun({ who: service, start })).toMatchObject({
        refusal: { code: "budget_exceeded" },
      });
      expect(storage.sql.exec("SELECT COUNT(*) AS n FROM events").one().n).toBe(before);
    }, budget(limits));
  });

  test("[U3] ends with the day, and lets through what asks for no answer or is fed", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        await ask(desk, tab, "one");
        await desk.idle();
        await desk.send(tab, { type: "user_message", id: "two", payload: { content: "x", respond: false } });
        const service = { ...who, permissions: ["service" as const] };
        const start = { executor: "feed" as const, content: "?", agent_name: "x", takeover: false };
        const other = await desk.session.requests.startRun({ who: service, start });
        expect([tab.of("error"), other.ok]).toEqual([[], true]);
        desk.advance(DAY_MS);
        const next = desk.connect({ principal: { ...who, exp: who.exp + 90_000 }, client_id: "next" });
        await ask(desk, next, "three");
        expect(next.of("error")).toEqual([]);
      },
      budget({ tokens_per_day: 15 }),
    );
  });

  test("[U3] is no matter for an agent that calls no models", async () => {
    const quiet: Agent = { ...talker, uses_models: false };
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        await ask(desk, tab, "one");
        await desk.idle();
        await ask(desk, tab, "two", { calls: 0 });
        await desk.idle();
        expect([tab.of("error"), ended(tab).at(-1).status]).toEqual([[], "succeeded"]);
      },
      budget({ tokens_per_day: 1 }),
      quiet,
    );
  });

  test("[U4] ends a run before the call that would go beyond it, with all there is of it", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        await ask(desk, tab, "one", { calls: 5 });
        await desk.idle();
        expect(ended(tab)[0]).toMatchObject({
          status: "failed",
          finish_reason: "error",
          content: "Hello.Hello.",
          error: { code: "budget_exceeded", retryable: false },
          usage: [{ output_tokens: 10 }],
        });
        expect(tab.of("agent_thinking")).toHaveLength(2);
      },
      budget({ tokens_per_day: 30 }),
    );
  });

  test("[U4] one that is left exactly is enough for the calls that reach it, and counts what others spent", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        await ask(desk, tab, "one", { calls: 2 });
        await desk.idle();
        await ask(desk, tab, "two", { calls: 2 });
        await desk.idle();
        expect(ended(tab).map(({ status, error }) => error?.code ?? status)).toEqual([
          "succeeded",
          "budget_exceeded",
        ]);
        expect(report(desk).left).toEqual({ tokens: 0 });
      },
      budget({ tokens_per_day: 45 }),
    );
  });

  test("[U4] sees what runs that wait have cost, each once, over a crash and at their end", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        for (const id of ["one", "two", "three"]) {
          await ask(desk, tab, id, { waits: true, calls: 2 });
          await desk.idle();
        }
        expect(tab.of("error").map(({ payload }) => payload.code)).toEqual(["budget_exceeded"]);
        expect(report(desk)).toMatchObject({ days: [row(2)], left: { tokens: 0 } });
        desk.crash();
        desk.advance(DAY_MS);
        const late = { ...who, exp: who.exp + 2 * 86_400 };
        const again = desk.connect({ principal: late });
        for (const { payload } of tab.of("run_waiting")) {
          const resume = { type: "run_resume", id: payload.wait_id, payload: { wait_id: payload.wait_id } };
          await desk.send(again, resume);
          await desk.idle();
        }
        const second = again.of("run_waiting").map(({ payload }) => payload);
        await desk.send(again, { type: "run_cancel", id: "c", payload: { run_id: second[0].run_id } });
        await desk.send(again, { type: "thread_delete", id: "d", payload: { thread_id: "main" } });
        expect(again.of("agent_completed")[0].payload.usage).toMatchObject([{ output_tokens: 10 }]);
        const copy: any = desk.session.requests.exportPage(late, 0);
        expect(copy.value.facts.usage).toEqual([row(2), row(2, { day: "2026-01-02" })]);
      },
      budget({ tokens_per_day: 30 }),
    );
  });

  test("[U4] sees what others that are at work have cost", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        await ask(desk, tab, "one", { calls: 2, hangs: true });
        await waitFor(() => tab.of("agent_thinking").length === 1);
        const thread_id = "018f0000-0000-7000-8000-000000000001";
        const more = { thread_id, content: "two", data: { calls: 2 } };
        await desk.send(tab, { type: "user_message", id: "two", payload: more });
        await waitFor(() => ended(tab).length === 1);
        expect(ended(tab)[0]).toMatchObject({
          error: { code: "budget_exceeded" },
          usage: [{ output_tokens: 5 }],
        });
        await ask(desk, tab, "three");
        expect(tab.of("error").map(({ payload }) => payload.code)).toEqual(["budget_exceeded"]);
        await desk.send(tab, {
          type: "run_cancel",
          id: "c",
          payload: { run_id: tab.of("agent_started")[0].payload.run_id },
        });
        await desk.idle();
      },
      budget({ tokens_per_day: 30 }),
    );
  });

  test("[U4] of dollars alone cannot stop what has no price", async () => {
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect();
        await ask(desk, tab, "one", { calls: 3 });
        await desk.idle();
        expect(ended(tab)[0].status).toBe("succeeded");
        expect(report(desk)).toMatchObject({ budget: { cost_usd_per_day: 0.01 }, left: { cost_usd: 0.01 } });
      },
      { ...budget({ cost_usd_per_day: 0.01 }), prices: new Map() },
    );
  });
});

describe("usage that is kept", () => {
  test("[U5] is told the operator and the user for 30 days, and taken away whole", async () => {
    await atTheDesk(async (desk) => {
      await ask(desk, desk.connect(), "one");
      await desk.idle();
      desk.now = BEGIN + 30 * DAY_MS;
      const tab = desk.connect({ principal: { ...who, exp: who.exp + 40 * 86_400 }, client_id: "next" });
      await ask(desk, tab, "two");
      await desk.idle();
      const today = row(1, { day: "2026-01-31" });
      const shown = { day: "2026-01-31", last_30_days: { calls: 1 }, days: [today] };
      expect(desk.session.requests.overview()).toMatchObject({ value: { usage: shown } });
      expect(report(desk)).toMatchObject({
        ...shown,
        resets_at: "2026-02-01T00:00:00.000Z",
        budget: {},
        left: {},
      });
      const copy: any = desk.session.requests.exportPage(who, 0);
      expect(copy.value.facts.usage).toEqual([row(1), today]);
    });
  });

  test("[U6] goes after 400 days, by an alarm, and no sooner", async () => {
    await atTheDesk(async (desk) => {
      await ask(desk, desk.connect(), "one");
      await desk.idle();
      const days = () => (desk.session.requests.exportPage(who, 0) as any).value.facts.usage.length;
      for (const day of [32, 64, 399, 400.9]) {
        desk.now = BEGIN + day * DAY_MS;
        desk.session.deadlines.fire();
      }
      expect([days(), desk.alarms.at(-1)]).toEqual([1, BEGIN + 401 * DAY_MS]);
      desk.now = BEGIN + 401 * DAY_MS;
      desk.session.deadlines.fire();
      expect(days()).toBe(0);
    });
  });
});
