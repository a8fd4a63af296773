/**
 * Steps an agent through a recorded run, by the very code that continues a run
 * after a crash. Nothing is carried out: what the journal does not know ends the
 * replay, and no tool or model can be reached.
 */
import type { Agent, AgentInput } from "../../src/agents/agent.ts";
import type { Effect } from "../../src/agents/effects.ts";
import type { Event } from "../../src/protocol/events.ts";
import { DEFAULT_PLANS } from "../../src/protocol/limits.ts";
import { Answer } from "../../src/session/answer.ts";
import { execute } from "../../src/session/execution.ts";
import { AppendFailed } from "../../src/session/failures.ts";
import { seqOf } from "../../src/session/ids.ts";
import { Journal } from "../../src/session/journal.ts";
import type { Clock } from "../../src/session/ports.ts";
import type { Ending, Run } from "../../src/session/run.ts";
import type { Recording } from "./recording.ts";

/** One effect of the agent, and what it was handed for it. */
export interface Stepped {
  /** Absent of what is not durable. */
  readonly step: number | undefined;
  readonly effect: Effect;
  /** Undefined where the replay ended. */
  answered?: { readonly result: unknown };
}

export interface Replayed {
  readonly steps: readonly Stepped[];
  /** Undefined if the agent wanted more than the journal has. */
  readonly ending: Ending | undefined;
  /** True if the agent came to its own end. */
  readonly returned: boolean;
  /** What the agent threw, if it did. */
  readonly bug: unknown;
}

/** Not the agent's fault, nor the journal's: from here on the run would be live. */
class EndOfJournal extends AppendFailed {
  constructor() {
    super("the journal ends here");
  }
}

export async function replay(recording: Recording, agent: Agent): Promise<Replayed> {
  const journal = new Journal(settled(recording.events), recording.models);
  const watched = new Watched(agent, journal);
  let bug: unknown;
  const ending = await execute({
    run: runOf(recording, agent),
    agent: watched,
    input: inputOf(recording),
    journal,
    answer: new Answer(runOf(recording, agent), standing(recording), () => {}),
    clock: standing(recording),
    // Whatever the plan allowed then.
    limits: { ...DEFAULT_PLANS.enterprise, run_steps: Number.MAX_SAFE_INTEGER },
    signal: new AbortController().signal,
    random: () => 0,
    append: endOfJournal,
    suspend: endOfJournal,
    consult: endOfJournal,
    heard: () => [],
    exceeded: () => undefined,
    priced: (usage) => usage,
    progress: () => {},
    reportBug: (cause) => {
      bug = cause;
    },
    reportFailure: () => {},
  }).catch((cause: unknown) => {
    if (cause instanceof EndOfJournal) return undefined;
    throw cause;
  });
  return { steps: watched.steps, returned: watched.returned, ending, bug };
}

function endOfJournal(): never {
  throw new EndOfJournal();
}

/** The agent, with all it yields written down and made harmless. */
class Watched implements Agent {
  readonly #agent: Agent;
  readonly #journal: Journal;
  readonly steps: Stepped[] = [];
  returned = false;
  #step = 0;

  constructor(agent: Agent, journal: Journal) {
    this.#agent = agent;
    this.#journal = journal;
  }

  get name() {
    return this.#agent.name;
  }

  get version() {
    return this.#agent.version;
  }

  *run(input: AgentInput): ReturnType<Agent["run"]> {
    const generator = this.#agent.run(input);
    let resumed: unknown;
    for (;;) {
      const next = generator.next(resumed);
      if (next.done === true) {
        this.returned = true;
        return next.value;
      }
      const stepped = this.#note(next.value);
      if (stepped.step !== undefined && this.#isLive(stepped.step)) endOfJournal();
      resumed = yield harmless(next.value);
      stepped.answered = { result: resumed };
    }
  }

  /** A call that had begun when its object died was made again. */
  #isLive(step: number): boolean {
    return this.#journal.exhausted || this.#journal.kindAt(step) === "asked";
  }

  #isDurable(effect: Effect): boolean {
    if (effect.kind === "tools") return effect.calls.length > 0;
    // To listen is a step only where something was heard.
    if (effect.kind === "steer") return this.#journal.kindAt(this.#step + 1) === "steer";
    return effect.kind !== "text";
  }

  #note(effect: Effect): Stepped {
    const durable = this.#isDurable(effect);
    if (durable) this.#step += 1;
    const stepped: Stepped = { step: durable ? this.#step : undefined, effect };
    this.steps.push(stepped);
    return stepped;
  }
}

/** A call that a crash had cut would be made again. */
function harmless(effect: Effect): Effect {
  if (effect.kind === "tools") {
    const execute = () => Promise.reject(new Error("a replay executes nothing"));
    return { ...effect, calls: effect.calls.map((call) => ({ ...call, execute })) };
  }
  return effect.kind === "model" ? { ...effect, model: { ...idle, ...named(effect.model) } } : effect;
}

function named({ provider, model_id }: { readonly provider: string; readonly model_id: string }) {
  return { provider, model_id };
}

const idle = { stream: endOfJournal };

/** What a run still waits for has not come: as if it had not been asked for. */
function settled(events: readonly Event[]): Event[] {
  const open = openWaitsIn(events);
  const waits = new Set(open.map(({ wait_id }) => wait_id));
  const calls = new Set(open.map(({ tool_call_id }) => tool_call_id));
  return events.filter(({ type, payload }) => {
    if (type === "run_waiting") return !waits.has(payload.wait_id);
    if (type === "tool_executing" || type === "tool_completed") return !calls.has(payload.tool_call_id);
    return true;
  });
}

function openWaitsIn(events: readonly Event[]) {
  const answered = events.flatMap(({ type, payload }) => (type === "run_resumed" ? [payload.wait_id] : []));
  const waits = events.flatMap(({ type, payload }) => (type === "run_waiting" ? [payload] : []));
  return waits.filter(({ wait_id }) => !answered.includes(wait_id));
}

function runOf({ run, input }: Recording, agent: Agent): Run {
  const { run_id, thread_id, agent_name, agent_version, question_id, message_id, attempts } = run;
  return {
    ...{ run_id, thread_id, agent_name, question_id, message_id },
    agent_version: agent_version ?? agent.version,
    start_seq: seqOf(run_id, ["r"]) ?? 0,
    accepted_at: Date.parse(input.now),
    plan: "enterprise",
    state: "running",
    attempt: attempts,
  };
}

function inputOf({ input: { data, ...input } }: Recording): AgentInput {
  return Object.freeze({ ...input, ...(data === undefined ? {} : { data }) });
}

/** No time goes by. */
function standing({ input }: Recording): Clock {
  const now = Date.parse(input.now);
  return { now: () => now, wait: async () => {}, timer: () => () => {} };
}
