/**
 * Replay: the events of a run are its journal. Given a durable effect, the
 * journal knows whether it was carried out before, and with what result.
 */

import type { ModelResult } from "../agents/models/result.ts";
import type { ToolOutcome } from "../agents/tool.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import type { Event } from "../protocol/events.ts";
import type { RunWaiting, ToolCompleted, WaitKind } from "../protocol/run-events.ts";
import {
  type AskedEntry,
  isAskedEntry,
  isModelEntry,
  isSteerEntry,
  type JournalEntry,
  journalEntries,
  type ModelEntry,
  type SteerEntry,
} from "./journal-entry.ts";
import type { LogReader } from "./log-reader.ts";
import type { Run } from "./run.ts";
import { readEvents } from "./stored-event.ts";
import type { RecordedAnswer } from "./waits.ts";

/** The generator did not do again what the journal says it did. */
export class Divergence extends Error {
  override readonly name = "Divergence";
}

export interface Call {
  readonly tool_call_id: string;
  readonly tool_name: string;
  readonly args: unknown;
}

/** What is known about one tool call; `open`: begun, and the crash came before its outcome. */
export type Recorded =
  | { readonly state: "new" | "open"; readonly answer?: RecordedAnswer | undefined }
  | { readonly state: "done"; readonly outcome: ToolOutcome; readonly answer?: undefined };

type StepRecord =
  | { readonly kind: "published"; readonly content: string }
  | { readonly kind: "model"; readonly entry: ModelEntry }
  | { readonly kind: "asked"; readonly entry: AskedEntry }
  | { readonly kind: "steer"; readonly entry: SteerEntry }
  | { readonly kind: "tools"; readonly calls: Map<string, RecordedCall> }
  | { readonly kind: "wait"; readonly content: string; readonly wait_id: string };

interface RecordedCall {
  /** Name and arguments, canonical. */
  readonly content: string;
  /** False while it is only asked for. */
  readonly begun: boolean;
  readonly wait_id?: string;
  readonly outcome?: ToolOutcome;
}

export class Journal {
  readonly #steps = new Map<number, StepRecord>();
  readonly #answers = new Map<string, RecordedAnswer>();

  /**
   * @param events every event of the run, in order
   * @param entries what models answered it, and what it was told meanwhile
   */
  constructor(events: readonly Event[], entries: readonly JournalEntry[]) {
    for (const entry of entries) {
      if (isAskedEntry(entry)) this.#steps.set(entry.step, { kind: "asked", entry });
      if (isModelEntry(entry)) this.#steps.set(entry.step, { kind: "model", entry });
      if (isSteerEntry(entry)) this.#steps.set(entry.step, { kind: "steer", entry });
    }
    for (const event of events) this.#record(event);
  }

  /** Before the first attempt nothing was done: only those that follow it have something to repeat. */
  static of(log: LogReader, { run_id, start_seq, attempt }: Run): Journal {
    if (attempt === 1) return new Journal([], []);
    const entries = log.journalOf(run_id, start_seq).flatMap(journalEntries);
    return new Journal(readEvents(log.ofRun(run_id, start_seq)), entries);
  }

  /** True once every recorded effect has been repeated: from here on the run is live. */
  get exhausted(): boolean {
    return this.#steps.size === 0;
  }

  /** What is known of a step that is still to be repeated. */
  kindAt(step: number): StepRecord["kind"] | undefined {
    return this.#steps.get(step)?.kind;
  }

  /** True if exactly this was published at this step before. */
  published(step: number, type: "agent_thinking" | "final_report", content: unknown): boolean {
    const record = this.#take(step);
    if (record === undefined) return false;
    const recorded = record.kind === "published" ? record.content : undefined;
    if (recorded !== canonicalJson([type, content])) throw diverged(step);
    return true;
  }

  /** What a model answered at this step before; undefined if it did not, though it may have been asked. */
  model(step: number, request: string): ModelResult | undefined {
    const record = this.#take(step);
    if (record === undefined) return undefined;
    if (record.kind !== "model" && record.kind !== "asked") throw diverged(step);
    if (record.entry.request !== request) throw diverged(step);
    return record.kind === "model" ? record.entry.result : undefined;
  }

  /** What was handed over at the step that is about to come; undefined if nothing was. */
  steered(step: number): SteerEntry["steered"] | undefined {
    const record = this.#steps.get(step);
    if (record?.kind !== "steer") return undefined;
    this.#steps.delete(step);
    return record.entry.steered;
  }

  /** What is known of the calls of a step, in their order. */
  tools(step: number, calls: readonly Call[]): Recorded[] {
    const record = this.#take(step);
    if (record === undefined) return calls.map(() => ({ state: "new" }));
    const known = record.kind === "tools" ? record.calls : new Map<string, RecordedCall>();
    const waited = [...known.values()].some(({ wait_id }) => wait_id !== undefined);
    // Calls begin together, unless some have to be agreed to or executed elsewhere first.
    if (known.size > calls.length || (!waited && known.size < calls.length)) throw diverged(step);
    return calls.map((call) => this.#recalled(step, call, known.get(call.tool_call_id)));
  }

  /** How a wait of this step ended; undefined if it has not begun. */
  wait(step: number, asked: { readonly kind: WaitKind; readonly name: string | undefined }) {
    const record = this.#take(step);
    if (record === undefined) return undefined;
    if (record.kind !== "wait" || record.content !== canonicalJson(asked)) throw diverged(step);
    return this.#answerTo(step, record.wait_id);
  }

  #recalled(step: number, { tool_name, args }: Call, known: RecordedCall | undefined): Recorded {
    if (known === undefined) return { state: "new" };
    if (known.content !== canonicalJson([tool_name, args])) throw diverged(step);
    if (known.outcome !== undefined) return { state: "done", outcome: known.outcome };
    const answer = known.wait_id === undefined ? undefined : this.#answerTo(step, known.wait_id);
    return { state: known.begun ? "open" : "new", answer };
  }

  /** A run goes on only when all it waits for has come. */
  #answerTo(step: number, wait_id: string): RecordedAnswer {
    const answer = this.#answers.get(wait_id);
    if (answer === undefined) throw diverged(step);
    return answer;
  }

  #take(step: number): StepRecord | undefined {
    const record = this.#steps.get(step);
    if (record === undefined && !this.exhausted) throw diverged(step);
    this.#steps.delete(step);
    return record;
  }

  #record(event: Event): void {
    switch (event.type) {
      case "agent_thinking":
        return this.#publish(event.payload.step, [event.type, event.payload.thought]);
      case "final_report":
        return this.#publish(event.payload.step, [event.type, event.payload.report]);
      case "tool_executing":
        return this.#call(event.payload.step, event.payload.tool_call_id, {
          content: canonicalJson([event.payload.tool_name, event.payload.args]),
          begun: true,
        });
      case "tool_completed":
        return this.#outcome(event.payload);
      case "run_waiting":
        return this.#waiting(event.payload);
      case "run_resumed":
        this.#answers.set(event.payload.wait_id, event.payload);
        return undefined;
      default:
        return undefined;
    }
  }

  #waiting({ step, wait_id, kind, name, tool_call_id, tool_name, args }: RunWaiting["payload"]): void {
    if (tool_call_id === undefined) {
      this.#steps.set(step, { kind: "wait", content: canonicalJson({ kind, name }), wait_id });
      return;
    }
    const content = canonicalJson([tool_name, args]);
    this.#call(step, tool_call_id, { content, begun: kind === "client_tool", wait_id });
  }

  #publish(step: number, content: unknown): void {
    // The reasoning of a model is part of what it answered, and so is the word that something was heard.
    if (this.#steps.has(step)) return;
    this.#steps.set(step, { kind: "published", content: canonicalJson(content) });
  }

  #call(step: number, tool_call_id: string, call: RecordedCall): void {
    const known = this.#steps.get(step);
    const calls = known?.kind === "tools" ? known.calls : new Map<string, RecordedCall>();
    this.#steps.set(step, {
      kind: "tools",
      calls: calls.set(tool_call_id, { ...calls.get(tool_call_id), ...call }),
    });
  }

  #outcome(payload: ToolCompleted["payload"]): void {
    const record = this.#steps.get(payload.step);
    const call = record?.kind === "tools" ? record.calls.get(payload.tool_call_id) : undefined;
    if (call === undefined) return;
    this.#call(payload.step, payload.tool_call_id, { ...call, outcome: outcomeOf(payload) });
  }
}

/** An outcome that is not `ok` and has no error of its own comes from a later version: still an error here. */
function outcomeOf({ status, result, error }: ToolCompleted["payload"]): ToolOutcome {
  if (status === "ok") return { status: "ok", result };
  return { status: "error", error: error ?? { code: status, message: `the call was ${status}` } };
}

function diverged(step: number): Divergence {
  return new Divergence(`step ${step} is not what the journal says`);
}
