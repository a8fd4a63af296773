/**
 * The effects an agent may yield, and typed helpers to yield them:
 *
 *     const usage = yield* tool(parseUsage, { text: input.question });
 *     yield* think("Most of the spend is inference.");
 *     yield* text("You can save about ");
 *     yield* report({ summary, findings, recommendations, assumptions, questions });
 *
 * The host executes an effect, appends its event, and hands the result back
 * after a JSON round trip, so live and replayed results are the same.
 */
import { isRecord } from "../protocol/pure/json.ts";
import type { Patch } from "../protocol/pure/json-patch.ts";
import type { Report } from "../protocol/report.ts";
import { type Schema, validate } from "./schema.ts";

export interface ToolContext {
  /** Aborted when the run is cancelled, times out, or the tool does. */
  readonly signal: AbortSignal;
}

export interface Tool<Args, Result> {
  readonly name: string;
  readonly description: string;
  readonly input: Schema<Args>;
  readonly output: Schema<Result>;
  /** True if running it twice does no harm: a call cut by a crash is then simply repeated. */
  readonly idempotent: boolean;
  /** Overrides the limit for all tools, milliseconds. */
  readonly timeout_ms?: number;
  execute(args: Args, context: ToolContext): Result | Promise<Result>;
}

/** A tool call whose types are erased; `execute` validates the arguments itself. */
export interface ToolCall {
  readonly tool_name: string;
  readonly args: unknown;
  readonly idempotent: boolean;
  readonly timeout_ms?: number;
  execute(args: unknown, context: ToolContext): Promise<unknown>;
}

export type ToolOutcome<T = unknown> =
  | { readonly status: "ok"; readonly result: T }
  | { readonly status: "error"; readonly error: { readonly code: string; readonly message: string } };

export type Effect =
  | { readonly kind: "think"; readonly thought: string }
  | { readonly kind: "tools"; readonly calls: readonly ToolCall[] }
  | { readonly kind: "text"; readonly delta: string; readonly pace_ms?: number }
  | { readonly kind: "report"; readonly report: Report }
  /** Without a patch the shared state is only read. */
  | { readonly kind: "state"; readonly patch?: Patch };

/** What an effect evaluates to inside a helper: the generator is resumed with an untyped value. */
type Step<T> = Generator<Effect, T, unknown>;

/** Thrown into the agent where a tool it relies on has failed; uncaught, it ends the run as `failed`. */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
  readonly tool_name: string;
  readonly code: string;

  constructor(tool_name: string, code: string, message: string) {
    super(message);
    this.tool_name = tool_name;
    this.code = code;
  }
}

/** Shows intermediate reasoning (`agent_thinking`). Durable. */
export function* think(thought: string): Step<void> {
  yield { kind: "think", thought };
}

/**
 * Streams a piece of the answer (`partial_result`). Transient: the whole answer
 * is durable with `agent_completed`. `pace_ms` spreads an answer that is ready
 * at once over time, so that it can be read as it appears; replay ignores it.
 */
export function* text(delta: string, options: { readonly pace_ms?: number } = {}): Step<void> {
  yield { kind: "text", delta, ...options };
}

/** Publishes the structured result (`final_report`). Durable. */
export function* report(value: Report): Step<void> {
  yield { kind: "report", report: value };
}

/** What the user's tabs and agents share, as it is now. Durable, shown as a tool call: a replay reads the same again. */
export function* readState(): Step<{ readonly version: number; readonly document: unknown }> {
  const outcome = asOutcome(yield { kind: "state" });
  const found = outcome.status === "ok" ? outcome.result : undefined;
  if (!isRecord(found)) throw new ToolFailure("read_state", "internal", "the state could not be read");
  return { version: Number(found.version), document: found.document };
}

/**
 * Patches the shared state as it is then, whole or not at all; done once, however
 * often the run is replayed. A `test` that fails is the outcome `conflict`: read
 * the state and try again.
 */
export function* updateState(patch: Patch): Step<ToolOutcome<{ readonly version: number }>> {
  const outcome = asOutcome(yield { kind: "state", patch });
  if (outcome.status === "error") return outcome;
  const made = isRecord(outcome.result) ? outcome.result.version : undefined;
  return { status: "ok", result: { version: Number(made) } };
}

/** Runs one tool and returns its result; throws `ToolFailure` into the agent if it failed. */
export function* tool<Args, Result>(definition: Tool<Args, Result>, args: Args): Step<Result> {
  const [outcome] = yield* tools([[definition, args]]);
  if (outcome?.status === "ok") return outcome.result;
  throw new ToolFailure(
    definition.name,
    outcome?.error.code ?? "internal",
    outcome?.error.message ?? "no outcome",
  );
}

/**
 * Runs tools in parallel; outcomes come back in the order of the calls, failures
 * included. A result that is not what its tool promised throws a `SchemaError`.
 */
export function* tools<Args, Result>(
  calls: ReadonlyArray<readonly [Tool<Args, Result>, Args]>,
): Step<ReadonlyArray<ToolOutcome<Result>>> {
  const resumed = yield { kind: "tools", calls: calls.map(([definition, args]) => erase(definition, args)) };
  const outcomes = Array.isArray(resumed) ? resumed : [];
  return calls.map(([definition], index) => typed(definition, outcomes[index]));
}

function erase<Args, Result>(definition: Tool<Args, Result>, args: Args): ToolCall {
  const { name, idempotent, timeout_ms } = definition;
  return {
    tool_name: name,
    args,
    idempotent,
    ...(timeout_ms === undefined ? {} : { timeout_ms }),
    async execute(given, context) {
      return definition.execute(validate(definition.input, given, `arguments of ${name}`), context);
    },
  };
}

function typed<Args, Result>(definition: Tool<Args, Result>, resumed: unknown): ToolOutcome<Result> {
  const outcome = asOutcome(resumed);
  if (outcome.status === "error") return outcome;
  const result = validate(definition.output, outcome.result, `result of ${definition.name}`);
  return { status: "ok", result };
}

function asOutcome(outcome: unknown): ToolOutcome {
  if (typeof outcome !== "object" || outcome === null) return failure("internal", "the tool gave no outcome");
  if ("result" in outcome) return { status: "ok", result: outcome.result };
  const error = "error" in outcome ? outcome.error : undefined;
  if (typeof error !== "object" || error === null) return failure("internal", "the tool gave no outcome");
  const code = "code" in error ? String(error.code) : "internal";
  return failure(code, "message" in error ? String(error.message) : code);
}

function failure(code: string, message: string): ToolOutcome<never> {
  return { status: "error", error: { code, message } };
}
