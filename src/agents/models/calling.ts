/**
 * One call of a model with its rules: how long it may take, when it is tried
 * again, and what is kept of one that fails. docs/models.md has them in a table.
 */
import type { FinishReason } from "../../protocol/run-events.ts";
import { type FailureCode, ModelFailure } from "./failure.ts";
import { Heard } from "./heard.ts";
import type { Model, ModelPart, ModelRequest, RequestedCall, Usage } from "./model.ts";
import { type CallClock, Watch } from "./watch.ts";

/** Milliseconds, except the number of retries. */
export interface CallLimits {
  /** Until anything of the answer has come. */
  readonly first_chunk_ms: number;
  /** Between two pieces of the answer. */
  readonly chunk_ms: number;
  /** For all of it, retries and the pauses between them included. */
  readonly step_ms: number;
  readonly max_retries: number;
}

export type Delta = Extract<ModelPart, { type: "text" | "reasoning" }>;

export interface CallOptions {
  /** Aborted when the run ends: the provider's stream is closed at once. */
  readonly signal: AbortSignal;
  readonly clock: CallClock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly limits: CallLimits;
  /**
   * Handed each piece of text and reasoning as it comes; nothing more is read
   * from the provider until it has returned. `false` says that no more is
   * wanted: the call ends there, with `finish_reason: "length"`.
   */
  readonly onDelta: (part: Delta) => MaybeEnough | Promise<MaybeEnough>;
  /** Whether an answer without a word is one: everything has been said. */
  readonly silent?: boolean;
  /** Told each part as it comes, before anything is done with it: for whoever counts along. */
  readonly onPart?: (part: ModelPart) => void;
  /** Each attempt that failed, for the operator's log: `code`, `status` and `provider_code`, and `cause` if it may be a bug. */
  readonly onFailure?: (failure: ModelFailure) => void;
}

type MaybeEnough = boolean | undefined;

export type ModelOutcome =
  | {
      readonly status: "ok";
      readonly text: string;
      readonly reasoning: string;
      readonly tool_calls: readonly RequestedCall[];
      readonly finish_reason: FinishReason;
      readonly usage: Usage;
    }
  | {
      readonly status: "error";
      readonly error: {
        readonly code: FailureCode;
        /** May be shown to people. */
        readonly message: string;
        readonly retryable: boolean;
        readonly retry_after_ms?: number;
      };
      /** What had come before it failed; it has been handed to `onDelta`. */
      readonly text: string;
      readonly reasoning: string;
      /** Of an attempt that had begun to answer, or that the provider counts, and so is paid for. */
      readonly usage?: Usage;
    };

/** The longest pause that is drawn before the first retry; it doubles with each. */
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 8_000;

/** Never rejects, whatever the model does; only what `onDelta` throws is thrown on, once the stream is closed. */
export async function callModel(
  model: Model,
  request: ModelRequest,
  options: CallOptions,
): Promise<ModelOutcome> {
  const { clock, limits, onFailure } = options;
  const deadline = clock.now() + limits.step_ms;
  for (let retries = 0; ; retries += 1) {
    const heard = new Heard();
    const failure = await attempt(model, request, heard, deadline, options);
    if (failure === undefined) return outcome(model, request, heard);
    onFailure?.(failure);
    const again = failure.retryable && !heard.begun && retries < limits.max_retries;
    const pause_ms = again ? pauseBefore(retries, failure, options.random) : 0;
    // What would come back when the time is over is of no use: better to fail now, and say when to try again.
    if (!again || clock.now() + pause_ms >= deadline) return failed(failure, model, request, heard);
    if (!(await rest(pause_ms, options))) return failed(new ModelFailure("cancelled"), model, request, heard);
  }
}

/** @returns why it failed, or undefined if `heard` has the whole answer */
async function attempt(
  model: Model,
  request: ModelRequest,
  heard: Heard,
  deadline: number,
  { signal, clock, limits, onDelta, onPart, silent = false }: CallOptions,
): Promise<ModelFailure | undefined> {
  const watch = new Watch({ clock, signal, deadline });
  const source = new Source(model, request, watch);
  try {
    while (heard.finish_reason === undefined) {
      const part = await source.next(limits, heard.begun);
      heard.take(part);
      onPart?.(part);
      if (part.type !== "text" && part.type !== "reasoning") continue;
      if ((await watch.untilOver(() => onDelta(part))) === false) heard.cutShort();
    }
    const missing = heard.missing(silent);
    return missing && new ModelFailure(missing);
  } catch (cause) {
    if (cause instanceof ModelFailure) return cause;
    throw cause;
  } finally {
    watch.close();
    source.close();
  }
}

/** The parts of one attempt; whatever a model throws is a `ModelFailure` here. */
class Source {
  readonly #watch: Watch;
  readonly #begin: () => AsyncIterator<ModelPart>;
  #parts: AsyncIterator<ModelPart> | undefined;

  constructor(model: Model, request: ModelRequest, watch: Watch) {
    this.#watch = watch;
    this.#begin = () => model.stream(request, { signal: watch.signal })[Symbol.asyncIterator]();
  }

  async next({ first_chunk_ms, chunk_ms }: CallLimits, begun: boolean): Promise<ModelPart> {
    const [ms, otherwise] = begun
      ? ([chunk_ms, "model_stalled"] as const)
      : ([first_chunk_ms, "model_no_answer"] as const);
    const next = await this.#watch.within(() => this.#pull(), ms, otherwise);
    if (next.done === true) throw new ModelFailure("model_stream_cut");
    return next.value;
  }

  async #pull(): Promise<IteratorResult<ModelPart>> {
    try {
      this.#parts ??= this.#begin();
      return await this.#parts.next();
    } catch (cause) {
      throw cause instanceof ModelFailure ? cause : new ModelFailure("model_failed", { cause });
    }
  }

  /** Not waited for: an iterator that hangs would hold up the run, and its signal has been aborted. */
  close(): void {
    const parts = this.#parts;
    this.#parts = undefined;
    dismiss(parts).catch(() => {});
  }
}

async function dismiss(parts: AsyncIterator<ModelPart> | undefined): Promise<void> {
  await parts?.return?.();
}

/** Full jitter, so that those who failed together do not come back together; on top of what the provider asks for. */
function pauseBefore(retries: number, { retry_after_ms = 0 }: ModelFailure, random: () => number): number {
  return retry_after_ms + random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** retries);
}

/** False if the run ended meanwhile. */
async function rest(ms: number, { clock, signal }: CallOptions): Promise<boolean> {
  if (signal.aborted) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const cancelTimer = clock.timer(ms, () => resolve(true));
  const cancelled = () => resolve(false);
  signal.addEventListener("abort", cancelled);
  try {
    return await promise;
  } finally {
    cancelTimer();
    signal.removeEventListener("abort", cancelled);
  }
}

function outcome(model: Model, request: ModelRequest, heard: Heard): ModelOutcome {
  const { text, reasoning, tool_calls, finish_reason = "other" } = heard;
  return { status: "ok", text, reasoning, tool_calls, finish_reason, usage: heard.usage(model, request) };
}

function failed(failure: ModelFailure, model: Model, request: ModelRequest, heard: Heard): ModelOutcome {
  const { code, message, retryable, retry_after_ms } = failure;
  return {
    status: "error",
    error: { code, message, retryable, ...(retry_after_ms !== undefined && { retry_after_ms }) },
    text: heard.text,
    reasoning: heard.reasoning,
    ...(heard.paid && { usage: heard.usage(model, request) }),
  };
}
