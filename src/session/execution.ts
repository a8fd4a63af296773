/**
 * One attempt at one run: drives the agent's generator, carries its effects out
 * or recalls them from the journal, and says how it ended.
 */
import type { Agent, AgentInput } from "../agents/agent.ts";
import { type Effect, type ToolCall, ToolFailure, type ToolOutcome } from "../agents/effects.ts";
import { type Limits, MAX_ANSWER_BYTES } from "../protocol/limits.ts";
import { fitsBytes } from "../protocol/primitives.ts";
import type { FinishReason } from "../protocol/run-events.ts";
import type { Answer } from "./answer.ts";
import { type Call, Divergence, type Journal, type Recorded } from "./journal.ts";
import type { Clock } from "./ports.ts";
import type { Ending, Run, RunEventDraft } from "./runs.ts";
import { executeTool } from "./tools.ts";

export interface Attempt {
  readonly run: Run;
  readonly agent: Agent;
  readonly input: AgentInput;
  readonly journal: Journal;
  readonly answer: Answer;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Aborted as soon as the run has ended in any other way: nothing is appended from then on. */
  readonly signal: AbortSignal;
  /** Appends events of the run in one transaction and sends them. */
  readonly append: (drafts: readonly RunEventDraft[]) => void;
  readonly reportBug: (cause: unknown) => void;
}

/** Runs the agent to its end. Never rejects; the ending means nothing if `signal` was aborted meanwhile. */
export async function execute(attempt: Attempt): Promise<Ending> {
  try {
    return await new Execution(attempt).drive();
  } catch (cause) {
    return ofFailure(attempt, cause);
  }
}

class Execution {
  readonly #attempt: Attempt;
  /** Ordinal of the last durable effect: the key of the journal. */
  #step = 0;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  async drive(): Promise<Ending> {
    const { agent, input, signal, journal, answer } = this.#attempt;
    const generator = agent.run(input);
    for (let next = generator.next(); ; ) {
      if (next.done === true) {
        if (!journal.exhausted) throw new Divergence("the agent ended before the journal did");
        return succeeded(answer.text, next.value.finish_reason);
      }
      const resumed = await this.#carryOut(next.value);
      if (signal.aborted || !fitsBytes(answer.text, MAX_ANSWER_BYTES)) {
        generator.return({ finish_reason: "length" });
        return succeeded(cut(answer.text), "length");
      }
      next = generator.next(resumed);
    }
  }

  async #carryOut(effect: Effect): Promise<unknown> {
    switch (effect.kind) {
      case "text":
        return await this.#text(effect.delta, effect.pace_ms ?? 0);
      case "think":
        return this.#think(this.#nextStep(), effect.thought);
      case "report":
        return this.#report(this.#nextStep(), effect.report);
      case "tools":
        return await this.#tools(this.#nextStep(), effect.calls);
    }
  }

  #nextStep(): number {
    const limit = this.#attempt.limits.run_steps;
    if (this.#step >= limit) throw new StepLimit(`a run may have ${limit} steps`);
    this.#step += 1;
    return this.#step;
  }

  async #text(delta: string, pace_ms: number): Promise<void> {
    const { journal, answer, clock } = this.#attempt;
    if (!journal.exhausted) return answer.recall(delta);
    answer.write(delta);
    if (pace_ms > 0) await clock.wait(pace_ms);
  }

  #think(step: number, thought: string): void {
    const { journal, append } = this.#attempt;
    if (journal.published(step, "agent_thinking", thought)) return;
    append([(of) => ({ type: "agent_thinking", payload: { ...of, step, thought } })]);
  }

  #report(step: number, report: Extract<Effect, { kind: "report" }>["report"]): void {
    const { journal, append } = this.#attempt;
    if (journal.published(step, "final_report", report)) return;
    append([(of) => ({ type: "final_report", payload: { ...of, step, report } })]);
  }

  /** Calls of one effect run in parallel; their outcomes come back in the order of the calls. */
  async #tools(step: number, effects: readonly ToolCall[]): Promise<readonly ToolOutcome[]> {
    const { run, journal, append } = this.#attempt;
    const calls = effects.map((effect, index) => ({
      effect,
      call: {
        tool_call_id: `c_${run.start_seq}_${step}_${index}`,
        tool_name: effect.tool_name,
        args: effect.args,
      },
    }));
    const recorded = journal.tools(
      step,
      calls.map(({ call }) => call),
    );
    const fresh = calls.filter((_, index) => recorded[index]?.state === "new");
    if (fresh.length > 0) {
      append(
        fresh.map(({ call }) => (of) => ({ type: "tool_executing", payload: { ...of, step, ...call } })),
      );
    }
    return await Promise.all(
      calls.map(({ effect, call }, index) => this.#tool(step, effect, call, recorded[index])),
    );
  }

  async #tool(
    step: number,
    effect: ToolCall,
    { tool_call_id, tool_name }: Call,
    recorded: Recorded | undefined,
  ): Promise<ToolOutcome> {
    if (recorded?.state === "done") return recorded.outcome;
    const { clock, limits, signal, append } = this.#attempt;
    const begun = clock.now();
    const outcome =
      recorded?.state === "open" && !effect.idempotent
        ? OUTCOME_UNKNOWN
        : await executeTool(effect, { clock, signal, timeout_ms: limits.tool_ms });
    if (signal.aborted) return outcome;
    const duration_ms = Math.max(0, clock.now() - begun);
    append([
      (of) => ({
        type: "tool_completed",
        payload: { ...of, step, tool_call_id, tool_name, ...outcome, duration_ms },
      }),
    ]);
    return outcome;
  }
}

class StepLimit extends Error {
  override readonly name = "StepLimit";
}

/** A call cut by a crash that may or may not have had its effect is not repeated. */
const OUTCOME_UNKNOWN: ToolOutcome = {
  status: "error",
  error: { code: "outcome_unknown", message: "the run was interrupted before the outcome was known" },
};

function succeeded(content: string, finish_reason: FinishReason): Ending {
  return { status: "succeeded", finish_reason, content, open_tools: "cancelled" };
}

/** Shortens an answer to its limit without splitting a surrogate pair. */
function cut(text: string): string {
  if (fitsBytes(text, MAX_ANSWER_BYTES)) return text;
  const bytes = new TextEncoder().encode(text).subarray(0, MAX_ANSWER_BYTES);
  return new TextDecoder("utf-8").decode(bytes).replace(/\uFFFD$/, "");
}

/** What a person may know of a failure; what was thrown can hold anything and goes to the log as its name only. */
function ofFailure({ run, agent, answer, reportBug }: Attempt, cause: unknown): Ending {
  const failed = (code: string, message: string, retryable: boolean): Ending => ({
    status: cause instanceof Divergence ? "interrupted" : "failed",
    finish_reason: cause instanceof Divergence ? "interrupted" : "error",
    content: answer.text,
    error: { code, message, retryable },
    open_tools: "outcome_unknown",
  });
  if (cause instanceof StepLimit) return failed("step_limit", cause.message, false);
  if (cause instanceof ToolFailure) return failed(cause.code, `the tool ${cause.tool_name} failed`, true);
  if (cause instanceof Divergence && run.agent_version !== agent.version) {
    return failed("agent_changed", "the agent was updated while it was working", true);
  }
  reportBug(cause);
  if (cause instanceof Divergence) return failed("replay_diverged", "the run could not be continued", true);
  return failed("agent_failed", "the agent failed", true);
}
