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
import type { CallLimits } from "./models/calling.ts";
import type { Model, ModelRequest } from "./models/model.ts";
import { type ModelResult, modelResult } from "./models/result.ts";
import { type JsonSchema, validate } from "./schema.ts";
import { type ClientTool, type Tool, type ToolCall, ToolFailure, type ToolOutcome } from "./tool.ts";
import { clientToolCall, toolCall } from "./tool-call.ts";

export type Effect =
  | { readonly kind: "think"; readonly thought: string }
  | { readonly kind: "tools"; readonly calls: readonly ToolCall[] }
  | { readonly kind: "text"; readonly delta: string; readonly pace_ms?: number }
  | { readonly kind: "report"; readonly report: Report }
  /** Without a patch the shared state is only read. */
  | { readonly kind: "state"; readonly patch?: Patch }
  | ModelCall
  | Wait
  /** What was said to the run since it began, or since the last time. */
  | { readonly kind: "steer" };

/** A message that joins a run at work. */
export interface SteeringMessage {
  readonly message_id: string;
  readonly content: string;
}

/** Nothing goes on until it is answered, or its time is over; until then the run costs nothing. */
export interface Wait {
  readonly kind: "wait";
  /** `signal`: for what somebody else has to say; `timer`: for nothing but the time. */
  readonly for: "signal" | "timer";
  /** What whoever answers knows it by. */
  readonly name?: string;
  readonly reason?: string;
  /** What whoever answers has to know. */
  readonly args?: unknown;
  /** ISO 8601. */
  readonly expires_at: string;
}

/** How a wait ended. */
export type WaitAnswer =
  | { readonly status: "answered"; readonly value: unknown }
  | { readonly status: "expired" };

/** One call of a model. Its text is streamed as it comes, its reasoning is a thought or two. */
export interface ModelCall {
  readonly kind: "model";
  readonly model: Model;
  readonly request: ModelRequest;
  /** Other time limits than those of every model. */
  readonly limits?: Partial<CallLimits>;
}

/** What an effect evaluates to inside a helper: the generator is resumed with an untyped value. */
type Step<T> = Generator<Effect, T, unknown>;

/** Thrown into the agent where a model it relies on has failed; uncaught, it ends the run as `failed`, with the text so far. */
export class ModelCallFailed extends Error {
  override readonly name = "ModelCallFailed";
  readonly code: string;
  readonly retryable: boolean;

  constructor({ code, message, retryable }: (ModelResult & { readonly status: "error" })["error"]) {
    super(message);
    this.code = code;
    this.retryable = retryable;
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

/** Calls a model once; throws `ModelCallFailed` into the agent if that failed for good. Durable. */
export function* model(
  model: Model,
  request: ModelRequest,
  limits: Partial<CallLimits> = {},
): Step<ModelResult & { readonly status: "ok" }> {
  const resumed = yield { kind: "model", model, request, limits };
  const result = modelResult.parse(resumed);
  if (result.status === "ok") return result;
  throw new ModelCallFailed(result.error);
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
  const outcomes = yield* execute(calls.map(([definition, args]) => toolCall(definition, args)));
  return calls.map(([definition], index) => typed(definition, outcomes[index]));
}

/** Runs calls whose types are erased, in parallel; the outcomes are in their order, and nobody has looked at the results. */
export function* execute(calls: readonly ToolCall[]): Step<readonly ToolOutcome[]> {
  const resumed = yield { kind: "tools", calls };
  const outcomes = Array.isArray(resumed) ? resumed : [];
  return calls.map((_, index) => asOutcome(outcomes[index]));
}

/** Runs a tool where the user is, in a page or an app that knows it; throws `ToolFailure` if nobody did in time. */
export function* clientTool<Args, Result>(definition: ClientTool<Args, Result>, args: Args): Step<Result> {
  const { name } = definition;
  const [found] = yield* execute([clientToolCall(definition, args)]);
  const outcome = typed(definition, found);
  if (outcome.status === "ok") return outcome.result;
  throw new ToolFailure(name, outcome.error.code, outcome.error.message);
}

/** Waits for what somebody else has to say: a person, or another service. Durable, and free of cost meanwhile. */
export function* signal(
  name: string,
  { until, reason }: { readonly until: string; readonly reason?: string },
): Step<WaitAnswer> {
  const resumed = yield {
    kind: "wait",
    for: "signal",
    name,
    expires_at: until,
    ...(reason === undefined ? {} : { reason }),
  };
  return answerIn(resumed);
}

function answerIn(resumed: unknown): WaitAnswer {
  if (!isRecord(resumed) || resumed.status !== "answered") return { status: "expired" };
  return { status: "answered", value: resumed.value };
}

/**
 * Asks the user something, and waits for the answer: in the page a field under what
 * was said so far. `response_schema` (JSON Schema) says what form it is to have;
 * nothing holds the user to it, so look at what comes.
 */
export function* question(
  reason: string,
  { until, response_schema }: { readonly until: string; readonly response_schema?: JsonSchema },
): Step<WaitAnswer> {
  const args = { reason, ...(response_schema === undefined ? {} : { response_schema }) };
  const resumed = yield { kind: "wait", for: "signal", name: "question", reason, args, expires_at: until };
  return answerIn(resumed);
}

/**
 * What the user has said to this very run meanwhile (`policy: "steer"`), oldest
 * first; each message is handed over once. What an agent does not ask for is
 * answered by a run of its own when this one ends or begins to wait.
 */
export function* steering(): Step<readonly SteeringMessage[]> {
  const resumed = yield { kind: "steer" };
  return Array.isArray(resumed) ? resumed : [];
}

/** Does nothing until then. Durable, and free of cost meanwhile. @param until ISO 8601 */
export function* sleep(until: string): Step<void> {
  yield { kind: "wait", for: "timer", expires_at: until };
}

function typed<Args, Result>(
  definition: Pick<Tool<Args, Result>, "name" | "output">,
  resumed: unknown,
): ToolOutcome<Result> {
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
