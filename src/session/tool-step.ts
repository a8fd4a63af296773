/**
 * The tool calls of one effect, as a step of a run. Those a person has to agree to
 * are asked about first; those that a client executes are waited for; the rest run
 * in parallel. Outcomes come back in the order of the calls.
 */
import type { ToolCall, ToolOutcome } from "../agents/tool.ts";
import { asJson } from "../protocol/pure/json.ts";
import { toolCallId } from "./ids.ts";
import type { Call, Recorded } from "./journal.ts";
import type { RunEventDraft } from "./run.ts";
import type { Steps, SUSPENDED } from "./steps.ts";
import { executeTool } from "./tools.ts";
import { expiryAfter, type RecordedAnswer, type WaitDraft } from "./waits.ts";

/** One call: what the agent asked for, how it is recorded, and what is known of it. */
interface Known {
  readonly effect: ToolCall;
  readonly call: Call;
  readonly recorded: Recorded;
}

export async function toolStep(
  steps: Steps,
  effects: readonly ToolCall[],
): Promise<readonly ToolOutcome[] | typeof SUSPENDED> {
  const { run, journal } = steps.attempt;
  const step = steps.next();
  const calls = effects.map((effect, index) => ({
    tool_call_id: toolCallId(run.start_seq, step, index),
    tool_name: effect.tool_name,
    // The same in the event, for the tool, and on replay.
    args: asJson(effect.args),
  }));
  const recorded = journal.tools(step, calls);
  steps.tellIfLive();
  const known = effects.flatMap((effect, index): Known[] => {
    const [call, record] = [calls[index], recorded[index]];
    return call === undefined || record === undefined ? [] : [{ effect, call, recorded: record }];
  });
  const unasked = known.filter(({ effect, recorded }) => effect.waits_for !== undefined && isNew(recorded));
  if (unasked.length > 0) return ask(steps, step, unasked);
  begin(
    steps,
    step,
    known.filter(({ recorded }) => recorded.state === "new"),
  );
  return await Promise.all(known.map((one) => finish(steps, step, one)));
}

function isNew({ state, answer }: Recorded): boolean {
  return state === "new" && answer === undefined;
}

/** A call that a client executes has begun with this; one that needs an approval has not. */
function ask(steps: Steps, step: number, unasked: readonly Known[]): typeof SUSPENDED {
  const now = steps.attempt.clock.now();
  const theirs = unasked.filter(({ effect }) => effect.waits_for === "client_tool");
  const waits = unasked.map(({ effect, call }): WaitDraft => {
    const expires_at = expiryAfter(effect.expires_ms, now);
    return { kind: effect.waits_for ?? "approval", step, ...call, expires_at };
  });
  return steps.suspend(
    theirs.map(({ call }) => executing(step, call)),
    waits,
  );
}

/** All that is about to happen is written before any of it does; what nobody agreed to ends with the same write. */
function begin(steps: Steps, step: number, fresh: readonly Known[]): void {
  if (fresh.length === 0) return;
  const drafts = fresh.flatMap(({ call, recorded }) => {
    const refused = refusedBy(recorded.answer);
    const begun = executing(step, call);
    return refused === undefined ? [begun] : [begun, completed(step, call, refused, 0)];
  });
  steps.append(drafts);
}

async function finish(steps: Steps, step: number, { effect, call, recorded }: Known): Promise<ToolOutcome> {
  if (recorded.state === "done") return recorded.outcome;
  const refused = recorded.state === "new" ? refusedBy(recorded.answer) : undefined;
  if (refused !== undefined) return asOutcome(refused);
  const { clock, signal } = steps.attempt;
  const begun = clock.now();
  const outcome = await outcomeOf(steps, { effect, call, recorded });
  if (signal.aborted) return outcome;
  steps.append([completed(step, call, outcome, Math.max(0, clock.now() - begun))]);
  return outcome;
}

async function outcomeOf({ attempt }: Steps, { effect, call, recorded }: Known): Promise<ToolOutcome> {
  const { clock, input, limits, signal, progress } = attempt;
  if (effect.waits_for === "client_tool") return brought(recorded.answer);
  if (recorded.state === "open" && !effect.idempotent) return OUTCOME_UNKNOWN;
  return await executeTool(
    { ...effect, args: call.args },
    { input, clock, signal, timeout_ms: limits.tool_ms, progress: (note) => progress(call, note) },
  );
}

function executing(step: number, call: Call): RunEventDraft {
  return (of) => ({ type: "tool_executing", payload: { ...of, step, ...call } });
}

type Completion = ToolOutcome | { readonly status: "denied"; readonly error: Failure };
type Failure = { readonly code: string; readonly message: string };

function completed(step: number, call: Call, outcome: Completion, duration_ms: number): RunEventDraft {
  const { tool_call_id, tool_name } = call;
  return (of) => ({
    type: "tool_completed",
    payload: { ...of, step, tool_call_id, tool_name, ...outcome, duration_ms },
  });
}

/** Without an answer nobody was asked. */
function refusedBy(answer: RecordedAnswer | undefined) {
  if (answer === undefined || answer.decision === "approved") return undefined;
  const error =
    answer.decision === "expired"
      ? { code: "approval_expired", message: "nobody agreed to the call in time" }
      : { code: "denied", message: "the call was denied" };
  return { status: "denied", error } as const;
}

function asOutcome({ error }: { readonly error: Failure }): ToolOutcome {
  return { status: "error", error };
}

/** What a client brought is its own word; whether it is what the tool promised, its agent looks at. */
function brought(answer: RecordedAnswer | undefined): ToolOutcome {
  if (answer?.decision === "answered") return { status: "ok", result: answer.value ?? null };
  if (answer?.decision === "failed") {
    return asOutcome({ error: { code: "tool_failed", message: "the tool failed where it ran" } });
  }
  return asOutcome({ error: { code: "timeout", message: "no client executed the tool in time" } });
}

/** A call cut by a crash that may or may not have had its effect is not repeated. */
const OUTCOME_UNKNOWN: ToolOutcome = {
  status: "error",
  error: { code: "outcome_unknown", message: "the run was interrupted before the outcome was known" },
};
