/** Whose limits hold. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/protocol/greeting.ts";
import { DEFAULT_PLANS, type Plans } from "../../src/protocol/limits.ts";
import { ok } from "../../src/protocol/result.ts";
import type { Ports } from "../../src/session/ports.ts";
import { newUser, stubOf, waitFor } from "../support/client.ts";
import { Desk, principalWith } from "../support/desk.ts";
import { probe } from "../support/probe.ts";
import { scripted } from "../support/scripted-agent.ts";

const on = (plan: Plan) => ({ ...principalWith(["chat", "agents"]), plan });

async function atTheDesk(work: (desk: Desk) => Promise<void>, over: Partial<Ports> = {}) {
  await runInDurableObject(await stubOf(newUser()), async (_, { storage }) => {
    await work(new Desk(storage, scripted, over));
  });
}

const message = (id: string, more = {}) => ({
  type: "user_message",
  id,
  payload: { content: id, respond: false, ...more },
});

describe("a plan", () => {
  test.each(["free", "pro", "enterprise"] as const)(
    "[A24] %s: its limits are in the greeting",
    async (plan) => {
      await atTheDesk(async (desk) => {
        const { payload } = desk.connect({ principal: on(plan) }).sent[0];
        expect(payload).toMatchObject({ plan, limits: DEFAULT_PLANS[plan] });
      });
    },
  );

  test.each([
    ["free", 10],
    ["pro", 20],
    ["enterprise", 50],
  ] as const)("[A24] %s has %i connections", async (plan, connections) => {
    await atTheDesk(async (desk) => {
      const shake = (i: number) => ({ codec: "native", principal: on(plan), client_id: `c${i}` });
      for (let i = 0; i < connections; i += 1) {
        expect(desk.session.reception.admit(shake(i)).ok).toBe(true);
        desk.connect(shake(i));
      }
      expect(desk.session.reception.admit(shake(-1))).toMatchObject({
        refusal: { code: "connection_limit", limit: connections },
      });
    });
  });

  test("[A24] gives a connection its rate, and another one from the frame after a renewal on", async () => {
    const plans: Plans = { ...DEFAULT_PLANS, pro: { ...DEFAULT_PLANS.pro, commands_burst: 70 } };
    await atTheDesk(
      async (desk) => {
        const tab = desk.connect({ principal: on("free") });
        for (let i = 0; i < 61; i += 1) await desk.send(tab, message(`a${i}`));
        expect(tab.of("message_ack")).toHaveLength(60);
        expect(tab.of("error")).toHaveLength(1);
        desk.advance(10_000);
        await desk.send(tab, { type: "auth_refresh", id: "r", payload: { token: "a.b.c" } });
        desk.advance(10_000);
        for (let i = 0; i < 71; i += 1) await desk.send(tab, message(`b${i}`));
        expect(tab.of("message_ack")).toHaveLength(60 + 70);
      },
      { plans, verify: async () => ok(on("pro")) },
    );
  });

  test("[A24] of who asked holds for a run that waits, whoever is connected later, and after a crash", async () => {
    const narrow = { ...DEFAULT_PLANS.free, runs_per_user: 1 };
    const plans: Plans = { ...DEFAULT_PLANS, free: narrow };
    await atTheDesk(
      async (desk) => {
        const key = newUser();
        probe.hold(key);
        const held = { respond: true, data: { script: [{ tool: "hold", key }] } };
        const thread = () => ({ thread_id: crypto.randomUUID() });
        const tab = desk.connect({ principal: on("free") });
        await desk.send(tab, message("first", { ...held, ...thread() }));
        await waitFor(() => tab.of("tool_executing").length === 1);
        await desk.send(tab, message("waits", { ...held, ...thread() }));
        const rich = desk.connect({ principal: on("pro") });
        await desk.send(rich, message("goes", { ...held, ...thread() }));
        await waitFor(() => rich.of("tool_executing").length === 1);
        desk.crash();
        const states = desk
          .connect()
          .of("state_snapshot")[0]
          .payload.runs.map(({ status }: any) => status);
        expect(states).toEqual(["running", "queued", "running"]);
        probe.release(key);
        await desk.idle();
      },
      { plans },
    );
  });

  test("[A24] bounds how long a run may be", async () => {
    const plans: Plans = { ...DEFAULT_PLANS, pro: { ...DEFAULT_PLANS.pro, run_steps: 3 } };
    const script = Array.from({ length: 5 }, (_, i) => ({ think: `${i}` }));
    await atTheDesk(
      async (desk) => {
        for (const plan of ["free", "pro"] as const) {
          const tab = desk.connect({ principal: on(plan), client_id: plan });
          await desk.send(tab, message(plan, { respond: true, data: { script } }));
          await desk.idle();
          const { status, error } = tab.of("agent_completed").at(-1).payload;
          expect([status, error?.code]).toEqual(
            plan === "free" ? ["succeeded", undefined] : ["failed", "step_limit"],
          );
        }
      },
      { plans },
    );
  });
});
