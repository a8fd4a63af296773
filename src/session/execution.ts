/**
 * One attempt at one run: drives the agent's generator, carries its effects out
 * or recalls them from the journal, and says how it ended.
 */
import type { Agent, AgentInput } from "../agents/agent.ts";
import type { Effect } from "../agents/effects.ts";
import type { ToolCall, ToolOutcome } from "../agents/tool.ts";
import type { Limits } from "../protocol/limits.ts";
import type { Patch } from "../protocol/pure/json-patch.ts";
import { type Report, report as reportSchema } from "../protocol/report.ts";
import type { FinishReason } from "../protocol/run-events.ts";
import { patch as patchSchema } from "../protocol/shared.ts";
import type { Answer } from "./answer.ts";
import { AppendFailed, BadEffect, endingOf, StepLimit } from "./failures.ts";
import { toolCallId } from "./ids.ts";
import { type Call, Divergence, type Journal, type Recorded } from "./journal.ts";
import type { Clock } from "./ports.ts";
import type { Ending, Run, RunEventDraft } from "./run.ts";
import { executeTool } from "./tools.ts";

/** Effects in a row that wait for nothing; then timers, cancels and other users' frames get their turn. */
const MAX_EFFECTS_IN_A_ROW = 256;

export interface Attempt {
  readonly run: Run;
  readonly agent: Agent;
  readonly input: AgentInput;
  readonly journal: Journal;
  readonly answer: Answer;
  readonly clock: Clock;
  readonly limits: Limits;
  /** Aborted as soon as the run has ended in any other way: nothing is done from then on. */
  readonly signal: AbortSignal;
  /** Appends events of the run in one transaction and sends them. */
  readonly append: (drafts: readonly RunEventDraft[]) => void;
  /** Reads the shared state, or patches it, in the transaction that records the call and its outcome. */
  readonly consult: (patch: Patch | undefined, record: StateRecord) => ToolOutcome;
  readonly reportBug: (cause: unknown) => void;
}

/** The events that say what was asked of the shared state, and what came of it. */
export interface StateRecord {
  readonly asked: RunEventDraft;
  readonly answered: (outcome: ToolOutcome) => RunEventDraft;
}

/**
 * Runs the agent to its end, whatever it does. Undefined if `signal` was aborted
 * meanwhile. Rejects only with `AppendFailed`: then the storage is at fault, not
 * the agent, and the run is to be continued by another attempt.
 */
export async function execute(attempt: Attempt): Promise<Ending | undefined> {
  try {
    return await new Execution(attempt).drive();
  } catch (cause) {
    if (cause instanceof AppendFailed) throw cause;
    return endingOf(attempt, cause);
  }
}

class Execution {
  readonly #attempt: Attempt;
  /** Ordinal of the last durable effect: the key of the journal. */
  #step = 0;
  #effects = 0;
  #full = false;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
  }

  async drive(): Promise<Ending | undefined> {
    const { agent, input, signal } = this.#attempt;
    const generator = agent.run(input);
    let resumed: unknown;
    while (!signal.aborted) {
      const next = generator.next(resumed);
      if (next.done === true) return this.#end(next.value.finish_reason);
      resumed = await this.#carryOut(next.value);
      if (!this.#full) continue;
      generator.return({ finish_reason: "length" });
      return this.#end("length");
    }
    generator.return({ finish_reason: "cancelled" });
    return undefined;
  }

  #end(finish_reason: FinishReason): Ending {
    const { journal, answer } = this.#attempt;
    if (!journal.exhausted) throw new Divergence("the agent ended before the journal did");
    return { status: "succeeded", finish_reason, content: answer.text, open_tools: "cancelled" };
  }

  async #carryOut(effect: Effect): Promise<unknown> {
    this.#effects += 1;
    if (this.#effects % MAX_EFFECTS_IN_A_ROW === 0) await this.#attempt.clock.wait(0);
    switch (effect.kind) {
      case "text":
        return await this.#text(effect.delta, effect.pace_ms ?? 0);
      case "think":
        return this.#think(effect.thought);
      case "report":
        return this.#report(effect.report);
      case "state":
        return this.#state(effect.patch);
      case "tools":
        return effect.calls.length === 0 ? [] : await this.#tools(effect.calls);
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
    const live = journal.exhausted;
    this.#full = !(live ? answer.write(delta) : answer.recall(delta));
    if (live && pace_ms > 0) await clock.wait(pace_ms);
  }

  #think(thought: string): void {
    const step = this.#nextStep();
    this.#publish(step, "agent_thinking", thought, (of) => ({
      type: "agent_thinking",
      payload: { ...of, step, thought },
    }));
  }

  #report(value: unknown): void {
    const step = this.#nextStep();
    const report = checkedReport(value);
    this.#publish(step, "final_report", report, (of) => ({
      type: "final_report",
      payload: { ...of, step, report },
    }));
  }

  #publish(
    step: number,
    type: "agent_thinking" | "final_report",
    content: unknown,
    draft: RunEventDraft,
  ): void {
    const { journal, append } = this.#attempt;
    const known = journal.published(step, type, content);
    this.#tellIfLive();
    if (!known) append([draft]);
  }

  /** Done in the very transaction that records it: a call without an outcome has not happened. */
  #state(given: unknown): ToolOutcome {
    const { run, journal, consult } = this.#attempt;
    const step = this.#nextStep();
    const patch = given === undefined ? undefined : checkedPatch(given);
    const call = {
      tool_call_id: toolCallId(run.start_seq, step, 0),
      tool_name: patch === undefined ? "read_state" : "update_state",
      args: patch === undefined ? {} : { patch },
    };
    const [recorded] = journal.tools(step, [call]);
    this.#tellIfLive();
    if (recorded?.state === "done") return recorded.outcome;
    const { tool_call_id, tool_name } = call;
    return consult(patch, {
      asked: (of) => ({ type: "tool_executing", payload: { ...of, step, ...call } }),
      answered: (outcome) => (of) => ({
        type: "tool_completed",
        payload: { ...of, step, tool_call_id, tool_name, ...outcome, duration_ms: 0 },
      }),
    });
  }

  /** Calls of one effect run in parallel; their outcomes come back in the order of the calls. */
  async #tools(effects: readonly ToolCall[]): Promise<readonly ToolOutcome[]> {
    const { run, journal, append } = this.#attempt;
    const step = this.#nextStep();
    const calls = effects.map((effect, index) => ({
      effect,
      call: {
        tool_call_id: toolCallId(run.start_seq, step, index),
        tool_name: effect.tool_name,
        args: asJson(effect.args),
      },
    }));
    const plain = calls.map(({ call }) => call);
    const recorded = journal.tools(step, plain);
    this.#tellIfLive();
    const fresh = plain.filter((_, index) => recorded[index]?.state === "new");
    if (fresh.length > 0) {
      append(fresh.map((call) => (of) => ({ type: "tool_executing", payload: { ...of, step, ...call } })));
    }
    return await Promise.all(
      calls.map(({ effect, call }, index) => this.#tool(step, effect, call, recorded[index])),
    );
  }

  async #tool(
    step: number,
    effect: ToolCall,
    { tool_call_id, tool_name, args }: Call,
    recorded: Recorded | undefined,
  ): Promise<ToolOutcome> {
    if (recorded?.state === "done") return recorded.outcome;
    const { clock, limits, signal, append } = this.#attempt;
    const begun = clock.now();
    const outcome =
      recorded?.state === "open" && !effect.idempotent
        ? OUTCOME_UNKNOWN
        : await executeTool({ ...effect, args }, { clock, signal, timeout_ms: limits.tool_ms });
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

  /** The journal has just been used up: clients are shown the text it brought back. */
  #tellIfLive(): void {
    if (this.#attempt.journal.exhausted) this.#attempt.answer.tellRecalled();
  }
}

/** A call cut by a crash that may or may not have had its effect is not repeated. */
const OUTCOME_UNKNOWN: ToolOutcome = {
  status: "error",
  error: { code: "outcome_unknown", message: "the run was interrupted before the outcome was known" },
};

/** What an agent yields is what goes through JSON: the same in the event, for the tool, and on replay. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? "null");
}

/** A report with a number that is none, or a list that is too long, is the agent's bug, not the reader's problem. */
function checkedReport(value: unknown): Report {
  const parsed = reportSchema.safeParse(asJson(value));
  if (parsed.success) return parsed.data;
  throw new BadEffect(`the report is not valid at ${parsed.error.issues[0]?.path.map(String).join(".")}`);
}

function checkedPatch(value: unknown): Patch {
  const parsed = patchSchema.safeParse(asJson(value));
  if (parsed.success) return parsed.data;
  throw new BadEffect(`the patch is not valid at ${parsed.error.issues[0]?.path.map(String).join(".")}`);
}
