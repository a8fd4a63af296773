/** One call of a model as a step of a run: streamed while it comes, and kept so that it is paid for once. */
import type { ModelCall } from "../agents/effects.ts";
import { type CallLimits, callModel, type Delta } from "../agents/models/calling.ts";
import { ModelFailure } from "../agents/models/failure.ts";
import { Heard } from "../agents/models/heard.ts";
import { type ModelResult, modelResult } from "../agents/models/result.ts";
import { hasSpoken } from "../agents/spoken.ts";
import { beginning, fitsBytes } from "../protocol/primitives.ts";
import { asJson } from "../protocol/pure/json.ts";
import { BudgetExceeded } from "./failures.ts";
import { MAX_MODEL_ENTRY_BYTES, type ModelEntry, requestKey } from "./journal-entry.ts";
import type { Steps } from "./steps.ts";
import { MAX_THOUGHT_BYTES, Thoughts } from "./thoughts.ts";

/** Below what a run may take as a whole, so that a model that hangs is named as what failed. */
const LIMITS: CallLimits = { first_chunk_ms: 20_000, chunk_ms: 15_000, step_ms: 40_000, max_retries: 2 };

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
  const thoughts = new Thoughts(steps, { step, request });
  // Otherwise a crash during this call would have the one before it repeated.
  if (steps.owes) thoughts.publish("Asking the model again.");
  const asked = await ask(steps, step, call, thoughts);
  if (steps.attempt.signal.aborted) return asked;
  const entry = kept({ step, request, result: asked });
  answer.note(entry);
  thoughts.end();
  return entry.result;
}

/** What can be kept of an answer: it is paid for, and must not have to be asked for again. */
function kept(entry: ModelEntry): ModelEntry {
  if (fitsBytes(JSON.stringify(entry), MAX_MODEL_ENTRY_BYTES)) return entry;
  const { usage } = entry.result;
  const { code, message, retryable } = new ModelFailure("model_bad_response");
  const error = { code, message, retryable };
  return { ...entry, result: { status: "error", error, text: "", reasoning: "", ...(usage && { usage }) } };
}

async function ask(
  { attempt }: Steps,
  step: number,
  { model, request, limits }: ModelCall,
  thoughts: Thoughts,
): Promise<ModelResult> {
  const { answer, clock, random, signal, priced, reportFailure } = attempt;
  const heard = new Heard();
  answer.calling(() => ({ ...priced(heard.usage(model, request)), step }));
  const onDelta = (part: Delta) => {
    if (part.type === "reasoning") thoughts.take(part.delta);
    return part.type === "text" ? answer.write(part.delta) : undefined;
  };
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
  const reasoning = beginning(outcome.reasoning, MAX_THOUGHT_BYTES);
  // As it is read from the journal, so that live and replayed results are the same.
  return modelResult.parse(asJson({ ...outcome, reasoning, usage }));
}
