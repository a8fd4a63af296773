/** Runs an agent to its end as the host would: tools for real, every result through JSON. */
import type { Agent, AgentInput, AgentResult } from "../../src/agents/agent.ts";
import type { Effect } from "../../src/agents/effects.ts";
import type { ToolCall, ToolContext, ToolOutcome } from "../../src/agents/tool.ts";
import type { Report } from "../../src/protocol/report.ts";

export interface DrivenTool {
  readonly name: string;
  readonly args: unknown;
  readonly outcome: ToolOutcome;
}

export interface Driven {
  readonly thoughts: readonly string[];
  readonly tools: readonly DrivenTool[];
  readonly text: string;
  readonly report: Report | undefined;
  readonly durableEffects: number;
  readonly result: AgentResult;
  /** Everything the agent did, comparable with `toEqual`. */
  readonly effects: readonly unknown[];
  readonly deltas: readonly string[];
  /** What tool effects were answered with, in order: feed it to `recorded` to replay. */
  readonly outcomes: ReadonlyArray<readonly ToolOutcome[]>;
}

export interface DriveOptions {
  /** Answers instead of executing tools. */
  readonly recorded?: ReadonlyArray<readonly ToolOutcome[]>;
  /** Names of tools that fail. */
  readonly broken?: readonly string[];
}

const NOW = "2026-07-01T12:00:00.000Z";

export function ask(question: string, more: Partial<AgentInput> = {}): AgentInput {
  const who = { run_id: "r_1", thread_id: "main", question, history: [], now: NOW, max_steps: 20 };
  return Object.freeze({ ...who, ...more });
}

export function toolContext(input = ask("")): ToolContext {
  return { input, signal: new AbortController().signal, progress: () => {} };
}

export async function drive(agent: Agent, input: AgentInput, options: DriveOptions = {}): Promise<Driven> {
  const generator = agent.run(input);
  const done: Effect[] = [];
  const outcomes: Array<readonly ToolOutcome[]> = [];
  let step = generator.next();
  while (!step.done) {
    done.push(step.value);
    const answer =
      step.value.kind === "tools"
        ? await execute(step.value.calls, input, outcomes.length, options)
        : undefined;
    if (answer !== undefined) outcomes.push(answer);
    step = generator.next(answer);
  }
  return { ...observed(done, outcomes), result: step.value, outcomes };
}

function observed(done: readonly Effect[], outcomes: ReadonlyArray<readonly ToolOutcome[]>) {
  const calls = done.filter((effect) => effect.kind === "tools").map((effect) => effect.calls);
  const deltas = done.flatMap((effect) => (effect.kind === "text" ? [effect.delta] : []));
  return {
    thoughts: done.flatMap((effect) => (effect.kind === "think" ? [effect.thought] : [])),
    tools: calls.flatMap((batch, at) => batch.map((call, index) => driven(call, outcomes[at]?.[index]))),
    text: deltas.join(""),
    deltas,
    report: done.find((effect) => effect.kind === "report")?.report,
    durableEffects: done.filter(({ kind }) => kind !== "text").length,
    effects: done.map((effect) => JSON.parse(JSON.stringify(effect))),
  };
}

function driven({ tool_name, args }: ToolCall, outcome: ToolOutcome | undefined): DrivenTool {
  if (outcome === undefined) throw new Error(`${tool_name} has no outcome`);
  return { name: tool_name, args, outcome };
}

async function execute(
  calls: readonly ToolCall[],
  input: AgentInput,
  at: number,
  { recorded, broken = [] }: DriveOptions,
): Promise<readonly ToolOutcome[]> {
  const known = recorded?.[at];
  if (known !== undefined) return known;
  return Promise.all(
    calls.map(async (call) => {
      const error = { code: "tool_failed", message: "the tool failed" };
      if (broken.includes(call.tool_name)) return { status: "error" as const, error };
      const args = JSON.parse(JSON.stringify(call.args));
      const result = await call.execute(args, toolContext(input));
      return { status: "ok" as const, result: JSON.parse(JSON.stringify(result)) };
    }),
  );
}
