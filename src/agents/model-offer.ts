/** What a model agent offers its model to call, and what it does with the calls of one answer. */
import { type Effect, execute, report } from "./effects.ts";
import type { RequestedCall, ToolSpec } from "./models/model.ts";
import { type OfferedTool, Registry } from "./registry.ts";
import { PUBLISHED, PUBLISHED_ALREADY, REPORT_TOOL, reportIn } from "./report-tool.ts";
import type { ToolOutcome } from "./tool.ts";

interface Offered {
  readonly tools?: readonly OfferedTool[];
  readonly reports?: boolean;
}

/** What a model is offered to call. */
export interface Offer {
  readonly registry: Registry;
  readonly specs: readonly ToolSpec[];
  readonly reports: boolean;
}

/** @throws TypeError naming the tool that cannot be offered */
export function offerOf({ tools = [], reports = false }: Offered): Offer {
  const registry = new Registry(tools);
  if (!reports) return { registry, specs: registry.specs, reports };
  if (tools.some(({ name }) => name === REPORT_TOOL.name)) {
    throw new TypeError(`a tool cannot be named ${REPORT_TOOL.name} where reports are published`);
  }
  return { registry, specs: [...registry.specs, REPORT_TOOL], reports };
}

/** At most: the call of the model, its tools, its report; what came of them wants another answer. */
export function stepsOfARound({ reports }: Offer, published: boolean): number {
  return reports && !published ? 3 : 2;
}

export interface Round {
  /** In the order of the calls. */
  readonly outcomes: readonly ToolOutcome[];
  readonly published: boolean;
  /** Taken by the tools and the report. */
  readonly steps: number;
}

/** The tools run in parallel, as one step; a report is published after them. */
export function* carryOut(
  { registry, reports }: Offer,
  calls: readonly RequestedCall[],
  before: boolean,
): Generator<Effect, Round, unknown> {
  const isReport = ({ tool_name }: RequestedCall) => reports && tool_name === REPORT_TOOL.name;
  const executed = calls.filter((call) => !isReport(call));
  const results = executed.length === 0 ? [] : yield* execute(executed.map((call) => registry.call(call)));
  const outcomes = new Map<RequestedCall, ToolOutcome>(
    executed.map((call, index) => [call, registry.outcome(call, results[index] ?? NO_OUTCOME)]),
  );
  let published = before;
  for (const call of calls.filter(isReport)) {
    const read = published ? PUBLISHED_ALREADY : reportIn(call);
    if (read.status === "ok") yield* report(read.result);
    outcomes.set(call, read.status === "ok" ? PUBLISHED : read);
    published ||= read.status === "ok";
  }
  const steps = Number(executed.length > 0) + Number(published && !before);
  return { outcomes: calls.map((call) => outcomes.get(call) ?? NO_OUTCOME), published, steps };
}

const NO_OUTCOME = {
  status: "error",
  error: { code: "internal", message: "the tool gave no outcome" },
} as const;
