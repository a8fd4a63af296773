/** An agent that does what `data.script` says; without a script it is the advisor. */
import * as z from "zod/mini";
import { advisor } from "../../src/agents/advisor/advisor.ts";
import type { Agent } from "../../src/agents/agent.ts";
import { model, report, signal, text, think, tool, tools } from "../../src/agents/effects.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { countedModel } from "./counted-model.ts";
import { probe } from "./probe.ts";

const keyed = z.object({ key: z.string(), value: z.optional(z.unknown()) });
type Keyed = z.infer<typeof keyed>;
const anything = z.unknown();

function scriptedTool(name: string, idempotent: boolean, execute: Tool<Keyed, unknown>["execute"]) {
  const definition: Tool<Keyed, unknown> = {
    name,
    description: `the test tool ${name}`,
    input: keyed,
    output: anything,
    idempotent,
    execute,
  };
  return definition;
}

const TOOLS = {
  echo: scriptedTool("echo", true, ({ key, value }) => {
    probe.executed(key);
    return { echoed: value ?? key };
  }),
  hold: scriptedTool("hold", true, async ({ key }, { signal }) => {
    probe.executed(key);
    while (probe.isHeld(key) && !signal.aborted) await scheduler.wait(2);
    return { released: "held" };
  }),
  release: scriptedTool("release", true, ({ key }) => {
    probe.release(key);
    return { released: "now" };
  }),
  charge: scriptedTool("charge", false, async ({ key }, { signal }) => {
    probe.executed(key);
    while (probe.isHeld(key) && !signal.aborted) await scheduler.wait(2);
    return { charged: key };
  }),
  fail: scriptedTool("fail", true, () => {
    throw new Error("secret inner detail");
  }),
  approved: {
    ...scriptedTool("approved", false, ({ key }) => {
      probe.executed(key);
      return { approved: key };
    }),
    approval: "always" as const,
  },
  huge: scriptedTool("huge", true, () => "x".repeat(70_000)),
};

const toolName = z.enum(["echo", "hold", "release", "charge", "fail", "approved", "huge"]);
const call = z.object({ tool: toolName, key: z.string(), value: z.optional(z.unknown()) });

const line = z.union([
  z.object({ think: z.string() }),
  call,
  z.object({ tools: z.array(call) }),
  z.object({ text: z.string(), times: z.optional(z.number()), pace_ms: z.optional(z.number()) }),
  z.object({ model: z.string() }),
  z.object({ report: z.string() }),
  z.object({ signal: z.string() }),
  z.object({ throws: z.string() }),
  z.object({ bad_args: z.literal(true) }),
]);

const script = z.object({ script: z.array(line) });

export type Line = z.infer<typeof line>;

export const scripted: Agent = {
  name: advisor.name,
  version: advisor.version,
  *run(input) {
    const parsed = script.safeParse(input.data);
    if (!parsed.success) return yield* advisor.run(input);
    for (const step of parsed.data.script) yield* perform(step);
    return { finish_reason: "stop" };
  },
};

function* perform(step: Line) {
  if ("think" in step) yield* think(step.think);
  else if ("tool" in step) yield* tool(TOOLS[step.tool], { key: step.key, value: step.value });
  else if ("tools" in step) {
    const outcomes = yield* tools(
      step.tools.map(({ tool: name, key, value }) => [TOOLS[name], { key, value }] as const),
    );
    yield* text(
      JSON.stringify(outcomes.map((outcome) => (outcome.status === "ok" ? outcome.result : outcome))),
    );
  } else if ("text" in step) {
    for (let i = 0; i < (step.times ?? 1); i += 1) yield* text(step.text, { pace_ms: step.pace_ms ?? 0 });
  } else if ("model" in step) {
    yield* model(countedModel(), { messages: [{ role: "user", content: step.model }] });
  } else if ("report" in step) {
    const { report: summary } = step;
    yield* report({ summary, findings: [], recommendations: [], assumptions: [], questions: [] });
  } else if ("throws" in step) throw new Error(`inner detail ${step.throws}`);
  else if ("signal" in step) {
    yield* text(JSON.stringify(yield* signal(step.signal, { until: "2100-01-01T00:00:00.000Z" })));
  } else yield* tool(TOOLS.echo, JSON.parse('{"key":7}'));
}
