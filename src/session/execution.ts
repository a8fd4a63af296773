/**
 * One attempt at one run: drives the agent's generator, carries its effects out
 * or recalls them from the journal, and says how it ended.
 */
import * as z from "zod/mini";
import type { Agent, AgentInput } from "../agents/agent.ts";
import type { Effect, SteeringMessage, Wait, WaitAnswer } from "../agents/effects.ts";
import type { ModelFailure } from "../agents/models/failure.ts";
import type { Usage } from "../agents/models/model.ts";
import type { ToolOutcome } from "../agents/tool.ts";
import type { Limits } from "../protocol/limits.ts";
import { asJson } from "../protocol/pure/json.ts";
import type { Patch } from "../protocol/pure/json-patch.ts";
import { type Report, report as reportSchema } from "../protocol/report.ts";
import type { FinishReason } from "../protocol/run-events.ts";
import { patch as patchSchema } from "../protocol/shared.ts";
import type { Answer } from "./answer.ts";
import { page } from "./budget.ts";
import { AppendFailed, BadEffect, endingOf } from "./failures.ts";
import { toolCallId } from "./ids.ts";
import { type Call, Divergence, type Journal } from "./journal.ts";
import { MAX_STEER_ENTRY_BYTES } from "./journal-entry.ts";
import { modelStep } from "./model-step.ts";
import type { Clock } from "./ports.ts";
import type { Ending, Run, RunEventDraft, StateRecord, Suspension } from "./run.ts";
import type { Exceeded } from "./spending.ts";
import { Steps, SUSPENDED } from "./steps.ts";
import { toolStep } from "./tool-step.ts";
import { expiryOf } from "./waits.ts";

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
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Appends events of the run in one transaction and sends them; `journal` lies beside the first. */
  readonly append: (drafts: readonly RunEventDraft[], journal: string | undefined) => void;
  /** Writes what the run waits for; from then on nobody executes it. */
  readonly suspend: (suspension: Suspension) => void;
  /** What was said to the run while it was at work, and no agent has been told. */
  readonly heard: () => readonly SteeringMessage[];
  /** Tells whoever is there how far a tool is. */
  readonly progress: (call: Call, note: string) => void;
  /** Reads the shared state, or patches it, in the transaction that records the call and its outcome. */
  readonly consult: (patch: Patch | undefined, record: StateRecord) => ToolOutcome;
  /** Why no model may be called any more today. */
  readonly exceeded: () => Exceeded | undefined;
  /** What a call of a model has cost, with its price. */
  readonly priced: (usage: Usage) => Usage;
  readonly reportBug: (cause: unknown) => void;
  /** A call of a model that failed, for the operator. */
  readonly reportFailure: (failure: ModelFailure) => void;
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
  readonly #steps: Steps;
  #effects = 0;

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
    this.#steps = new Steps(attempt);
  }

  async drive(): Promise<Ending | undefined> {
    const { agent, input, signal, answer } = this.#attempt;
    const generator = agent.run(input);
    let resumed: unknown;
    while (!signal.aborted && resumed !== SUSPENDED) {
      const next = generator.next(resumed);
      if (next.done === true) return this.#end(next.value.finish_reason);
      resumed = await this.#carryOut(next.value);
      if (!answer.full) continue;
      generator.return({ finish_reason: "length" });
      return this.#end("length");
    }
    generator.return({ finish_reason: "cancelled" });
    return undefined;
  }

  #end(finish_reason: FinishReason): Ending {
    const { journal, answer } = this.#attempt;
    if (!journal.exhausted) throw new Divergence("the agent ended before the journal did");
    return { status: "succeeded", finish_reason, ...answer.soFar, open_tools: "cancelled" };
  }

  async #carryOut(effect: Effect): Promise<unknown> {
    this.#effects += 1;
    if (this.#effects % MAX_EFFECTS_IN_A_ROW === 0) await this.#attempt.clock.wait(0);
    switch (effect.kind) {
      case "text":
        return await this.#text(effect.delta, effect.pace_ms ?? 0);
      case "think":
        return this.#publish("agent_thinking", { thought: effect.thought });
      case "report":
        return this.#publish("final_report", { report: checkedReport(effect.report) });
      case "state":
        return this.#state(effect.patch);
      case "tools":
        return effect.calls.length === 0 ? [] : await toolStep(this.#steps, effect.calls);
      case "model":
        return await modelStep(this.#steps, effect);
      case "wait":
        return this.#wait(effect);
      case "steer":
        return this.#steer();
    }
  }

  async #text(delta: string, pace_ms: number): Promise<void> {
    const { journal, answer, clock } = this.#attempt;
    const live = journal.exhausted;
    if (live) answer.write(delta);
    else answer.recall(delta);
    if (live && pace_ms > 0) await clock.wait(pace_ms);
  }

  #publish(...[type, content]: Publication): void {
    const step = this.#steps.next();
    const known = this.#attempt.journal.published(step, type, Object.values(content)[0]);
    this.#steps.tellIfLive();
    if (known) return;
    this.#steps.append([
      (of) =>
        type === "agent_thinking"
          ? { type, payload: { ...of, step, ...content } }
          : { type, payload: { ...of, step, ...content } },
    ]);
  }

  /** Done in the very transaction that records it: a call without an outcome has not happened. */
  #state(given: unknown): ToolOutcome {
    const { run, journal, consult } = this.#attempt;
    const step = this.#steps.next();
    const patch = given === undefined ? undefined : checkedPatch(given);
    const call = {
      tool_call_id: toolCallId(run.start_seq, step, 0),
      tool_name: patch === undefined ? "read_state" : "update_state",
      args: patch === undefined ? {} : { patch },
    };
    const [recorded] = journal.tools(step, [call]);
    this.#steps.tellIfLive();
    if (recorded?.state === "done") return recorded.outcome;
    const { tool_call_id, tool_name } = call;
    return this.#steps.consult((written) =>
      consult(patch, {
        journal: written,
        asked: (of) => ({ type: "tool_executing", payload: { ...of, step, ...call } }),
        answered: (outcome) => (of) => ({
          type: "tool_completed",
          payload: { ...of, step, tool_call_id, tool_name, ...outcome, duration_ms: 0 },
        }),
      }),
    );
  }

  /** Costs a step and a row only where something was said. */
  #steer(): readonly SteeringMessage[] {
    const { journal, heard } = this.#attempt;
    const known = journal.steered(this.#steps.upcoming);
    if (known !== undefined) {
      this.#steps.next();
      this.#steps.tellIfLive();
      return known;
    }
    const fresh = journal.exhausted ? page(MAX_STEER_ENTRY_BYTES, heard()) : [];
    if (fresh.length === 0) return [];
    const step = this.#steps.next();
    this.#attempt.answer.note({ step, steered: fresh });
    const thought = fresh.length === 1 ? "Heard another message." : `Heard ${fresh.length} more messages.`;
    this.#steps.append([(of) => ({ type: "agent_thinking", payload: { ...of, step, thought } })]);
    return fresh;
  }

  #wait(wanted: Wait): WaitAnswer | typeof SUSPENDED {
    const { journal, clock } = this.#attempt;
    const step = this.#steps.next();
    const { for: kind, name, reason, args, expires_at } = checkedWait(wanted);
    const recorded = journal.wait(step, { kind, name });
    this.#steps.tellIfLive();
    if (recorded === undefined) {
      const until = expiryOf(expires_at, clock.now());
      return this.#steps.suspend([], [{ kind, step, name, reason, args, expires_at: until }]);
    }
    const { decision, value } = recorded;
    return decision === "answered" ? { status: "answered", value } : { status: "expired" };
  }
}

type Publication =
  | [type: "agent_thinking", content: { readonly thought: string }]
  | [type: "final_report", content: { readonly report: Report }];

/** A report with a number that is none, or a list that is too long, is the agent's bug, not the reader's problem. */
function checkedReport(value: unknown): Report {
  const parsed = reportSchema.safeParse(asJson(value));
  if (parsed.success) return parsed.data;
  throw new BadEffect(`the report is not valid at ${parsed.error.issues[0]?.path.map(String).join(".")}`);
}

/** Of a wait: it is what whoever answers knows it by, and every snapshot has it. */
const MAX_NAME_CHARS = 128;

const wait = z.object({
  for: z.enum(["signal", "timer"]),
  name: z.optional(z.string().check(z.maxLength(MAX_NAME_CHARS))),
  reason: z.optional(z.string()),
  args: z.optional(z.unknown()),
  expires_at: z.string(),
});

function checkedWait(value: unknown): z.infer<typeof wait> {
  const parsed = wait.safeParse(asJson(value));
  if (parsed.success) return parsed.data;
  throw new BadEffect(`the wait is not valid at ${parsed.error.issues[0]?.path.map(String).join(".")}`);
}

function checkedPatch(value: unknown): Patch {
  const parsed = patchSchema.safeParse(asJson(value));
  if (parsed.success) return parsed.data;
  throw new BadEffect(`the patch is not valid at ${parsed.error.issues[0]?.path.map(String).join(".")}`);
}
