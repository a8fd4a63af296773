/** One call of a model as a step of a run: streamed while it comes, and kept so that it is paid for once. */
import type { ModelCall } from "../agents/effects.ts";
import { type CallLimits, callModel, type Delta } from "../agents/models/calling.ts";
import { Heard } from "../agents/models/heard.ts";
import { type ModelResult, modelResult } from "../agents/models/result.ts";
import { hasSpoken } from "../agents/spoken.ts";
import { beginning } from "../protocol/primitives.ts";
import { BudgetExceeded } from "./failures.ts";
import { requestKey } from "./model-entry.ts";
import type { Steps } from "./steps.ts";

/** Below what a run may take as a whole, so that a model that hangs is named as what failed. */
const LIMITS: CallLimits = { first_chunk_ms: 20_000, chunk_ms: 15_000, step_ms: 40_000, max_retries: 2 };

/** A thought is read by people; what a model thought beyond is cut. UTF-8 bytes. */
const MAX_THOUGHT_BYTES = 32 * 1024;

export async function modelStep(steps: Steps, call: ModelCall): Promise<ModelResult> {
  const { journal, answer } = steps.attempt;
  const request = requestKey(call);
  const step = steps.next();
  const known = journal.model(step, request);
  if (known !== undefined) {
    answer.recall(known.text);
    steps.tellIfLive();
    return known;
  }
  steps.tellIfLive();
  const exceeded = steps.attempt.exceeded();
  if (exceeded !== undefined) throw new BudgetExceeded(exceeded.message);
  // Otherwise a crash during this call would have the one before it repeated.
  if (steps.owes) thought(steps, step, "Asking the model again.");
  const result = await ask(steps, step, call);
  if (steps.attempt.signal.aborted) return result;
  answer.note({ step, request, result });
  if (result.reasoning !== "") thought(steps, step, beginning(result.reasoning, MAX_THOUGHT_BYTES));
  return result;
}

async function ask(
  { attempt }: Steps,
  step: number,
  { model, request, limits }: ModelCall,
): Promise<ModelResult> {
  const { answer, clock, random, signal, priced, reportFailure } = attempt;
  const heard = new Heard();
  answer.calling(() => ({ ...priced(heard.usage(model, request)), step }));
  const onDelta = (part: Delta) => (part.type === "text" ? answer.write(part.delta) : undefined);
  const outcome = await callModel(model, request, {
    signal,
    clock,
    random,
    limits: { ...LIMITS, ...limits },
    silent: hasSpoken(request.messages),
    onDelta,
    // An answer that is cut short has cost what it had come to, calls that are not whole included.
    onPart: (part) => heard.take(part),
    onFailure: reportFailure,
  });
  const usage = outcome.usage && priced(outcome.usage);
  // As it is read from the journal, so that live and replayed results are the same.
  return modelResult.parse(JSON.parse(JSON.stringify({ ...outcome, usage })));
}

function thought(steps: Steps, step: number, thought: string): void {
  steps.append([(of) => ({ type: "agent_thinking", payload: { ...of, step, thought } })]);
}
