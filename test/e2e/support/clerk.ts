/** An agent for all that the advisor never does: it asks before it acts, waits for others, thinks at length and fails. */
import * as z from "zod/mini";
import type { Agent, AgentResult } from "../../../src/agents/agent.ts";
import { type Effect, question, signal, text, think, tool, tools } from "../../../src/agents/effects.ts";
import type { Tool } from "../../../src/agents/tool.ts";

/** Long enough to be seen. */
const BANK_MS = 1_500;

const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;

const payment = z.object({ amount_usd: z.number(), to: z.string(), note: z.string() });

const refund: Tool<z.infer<typeof payment>, { readonly receipt: string }> = {
  name: "send_refund",
  description: "Sends money back.",
  input: payment,
  output: z.object({ receipt: z.string() }),
  idempotent: true,
  approval: "always",
  async execute(_, { progress }) {
    progress("Asking the bank");
    await new Promise((resolve) => setTimeout(resolve, BANK_MS));
    return { receipt: "R-7" };
  },
};

const audit: Tool<object, object> = {
  name: "audit_books",
  description: "Never works.",
  input: z.object({}),
  output: z.object({}),
  idempotent: true,
  execute: () => Promise.reject(new Error("the books are closed")),
};

const REASONING = [
  "The invoice has not been paid, and the customer has asked twice.",
  ..."There are two ways to go on, and neither is free. ".repeat(8).split(". "),
].join("\n");

type Course = Generator<Effect, AgentResult, unknown>;

const COURSES: Readonly<Record<string, (now: string) => Course>> = {
  *refund() {
    yield* think("The last invoice was paid twice.");
    yield* text("I can send the second payment back. ");
    const args = { amount_usd: 1_200, to: "Zoë <b>Ltd</b>", note: "paid\u202Etwice" };
    const [outcome] = yield* tools([[refund, args]]);
    const done = outcome?.status === "ok";
    yield* text(done ? `Done, receipt ${outcome.result.receipt}.` : "Then I leave it as it is.");
    return { finish_reason: "stop" };
  },
  *ask(now) {
    yield* text("I can book it. ");
    const until = new Date(Date.parse(now) + WEEK_MS).toISOString();
    const project = yield* question("Which project is it for?", { until });
    yield* text(project.status === "answered" ? `Booked for ${project.value}.` : "Nobody said.");
    return { finish_reason: "stop" };
  },
  *wait(now) {
    yield* think(REASONING);
    const until = new Date(Date.parse(now) + WEEK_MS).toISOString();
    const { status } = yield* signal("invoice_paid", { until, reason: "number 17" });
    yield* text(`It was ${status}.`);
    return { finish_reason: "stop" };
  },
  *audit() {
    yield* text("So far so good. ");
    yield* tool(audit, {});
    return { finish_reason: "stop" };
  },
};

/** It takes what begins with its name and the word for what it does: `clerk: refund`. */
export function clerk({ question, now }: Parameters<Agent["run"]>[0]): Course | undefined {
  const [, what = ""] = /^clerk: (\w+)$/.exec(question) ?? [];
  return Object.hasOwn(COURSES, what) ? COURSES[what]?.(now) : undefined;
}
