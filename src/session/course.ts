/**
 * How a fed run may go on, given how it went: every event has its number, a call
 * is completed once and by its own name, nothing follows the end. What was fed
 * before is known again by its number and its content; only its place in the log
 * is remembered here, so that a course is small however long its run is.
 */
import type * as z from "zod/mini";
import type { SoFar } from "../agents/remote/so-far.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import type { Event } from "../protocol/events.ts";
import {
  type FedEvent,
  fedCompleted,
  fedExecuting,
  fedReport,
  fedThinking,
  fedToolCompleted,
} from "../protocol/feeding.ts";
import { MAX_FED_EVENTS } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { FinishReason, RunStatus } from "../protocol/run-events.ts";
import { fitted } from "./answer.ts";
import { readEvent, type StoredEvent } from "./stored-event.ts";

/** What of a recorded event came from the feeder. */
const FED: Readonly<Record<FedEvent["type"], z.ZodMiniType>> = {
  agent_thinking: fedThinking,
  tool_executing: fedExecuting,
  tool_completed: fedToolCompleted,
  final_report: fedReport,
  agent_completed: fedCompleted,
};

/** What a course remembers of a call that is not completed. */
type OpenCall = Readonly<Pick<z.infer<typeof fedExecuting>, "step" | "tool_name">>;

export class Course {
  /** By `run_seq`: the seq of the event. Those of a batch that is looked at have none yet. */
  readonly #seqs: (number | undefined)[];
  readonly #open: Map<string, OpenCall>;
  readonly #calls: Set<string>;
  #step = 0;
  #chars = 0;
  #status: RunStatus | undefined;

  private constructor(
    seqs: readonly (number | undefined)[],
    open: ReadonlyMap<string, OpenCall>,
    calls: ReadonlySet<string>,
  ) {
    this.#seqs = [...seqs];
    this.#open = new Map(open);
    this.#calls = new Set(calls);
  }

  /** @param recorded all events of the run, in order */
  static of(recorded: readonly StoredEvent[]): Course {
    const course = new Course([], new Map(), new Set());
    for (const row of recorded) {
      course.#chars += row.frame.length;
      const event = readEvent(row);
      if (event === undefined || !("run_seq" in event.payload)) continue;
      course.#add(event);
      course.#seqs[event.payload.run_seq] = row.seq;
    }
    return course;
  }

  /** To go on from here without changing this one. */
  copy(): Course {
    const copy = new Course(this.#seqs, this.#open, this.#calls);
    copy.#step = this.#step;
    copy.#chars = this.#chars;
    copy.#status = this.#status;
    return copy;
  }

  /** The `run_seq` of the event that is next. */
  get next(): number {
    return this.#seqs.length;
  }

  /** The seq of its newest event. */
  get newest(): number | undefined {
    return this.#seqs.at(-1);
  }

  /** All its events together, as they lie in the log. */
  get chars(): number {
    return this.#chars;
  }

  /** Where whoever feeds it after a wait goes on. @param askings how often it has waited */
  soFar(text: string, askings: number): SoFar {
    const open = [...this.#open].map(([tool_call_id, call]) => ({ tool_call_id, ...call }));
    const { next: run_seq, chars } = this;
    return { text, run_seq, step: this.#step, chars, open, calls: [...this.#calls], askings };
  }

  /** Goes on by one event: false if it is known already. `field` names it in a refusal. */
  advance(fed: FedEvent, field: string, eventAt: (seq: number) => Event | undefined): Result<boolean> {
    if (fed.run_seq < this.next) {
      const seq = this.#seqs[fed.run_seq];
      const known = seq === undefined ? undefined : eventAt(seq);
      return same(known, fed) ? ok(false) : this.refuse("another event has this number");
    }
    if (this.#status !== undefined) return this.refuse("the run has ended");
    if (fed.run_seq > this.next) return this.refuse("an event is missing before this one");
    const wrong = this.#wrong(fed);
    if (wrong !== undefined) {
      return refuse("invalid_payload", `${field}.${wrong.join(" ")}`, { field: `${field}.${wrong[0]}` });
    }
    this.#add(fed);
    this.#seqs.push(undefined);
    return ok(true);
  }

  /** The events it went on by last have their places in the log. */
  placed(rows: readonly StoredEvent[]): void {
    const first = this.next - rows.length;
    for (const [index, { seq, frame }] of rows.entries()) {
      this.#seqs[first + index] = seq;
      this.#chars += frame.length;
    }
  }

  get ended(): boolean {
    return this.#status !== undefined;
  }

  /** With all a feeder needs to find its place again, or to see that there is none. */
  refuse(message: string) {
    const status = this.#status;
    const details = { next_run_seq: this.next, ended: this.ended, ...(status && { status }) };
    return refuse("conflict", message, { details });
  }

  /** The field that does not fit, and why. */
  #wrong(fed: FedEvent): readonly [field: string, rule: string] | undefined {
    switch (fed.type) {
      case "agent_completed":
        return this.#open.size > 0 ? ["type", "must wait until every tool call is completed"] : undefined;
      case "tool_completed":
        return this.#wrongCompletion(fed.payload);
      case "tool_executing":
        if (this.#calls.has(fed.payload.tool_call_id)) return ["payload.tool_call_id", "was used before"];
        break;
      case "agent_thinking":
      case "final_report":
    }
    if (fed.payload.step < this.#step) return ["payload.step", `must be at least ${this.#step}`];
    return this.#full(fed);
  }

  #wrongCompletion({ tool_call_id, tool_name, step }: z.infer<typeof fedToolCompleted>) {
    const call = this.#open.get(tool_call_id);
    if (call === undefined) return ["payload.tool_call_id", "is of no open tool call"] as const;
    if (call.tool_name !== tool_name) return ["payload.tool_name", "is not that of the call"] as const;
    if (call.step !== step) return ["payload.step", "is not that of the call"] as const;
    return undefined;
  }

  /** What was begun can always be completed. */
  #full({ run_seq }: FedEvent): readonly [string, string] | undefined {
    return run_seq < MAX_FED_EVENTS ? undefined : ["run_seq", `must be below ${MAX_FED_EVENTS}`];
  }

  #add({ type, payload }: Event | FedEvent): void {
    if (type === "agent_completed") this.#status = payload.status;
    if (type === "tool_completed") this.#open.delete(payload.tool_call_id);
    if (type === "tool_executing") {
      const { tool_call_id, step, tool_name } = payload;
      this.#open.set(tool_call_id, { step, tool_name });
      this.#calls.add(payload.tool_call_id);
    }
    if (
      type === "agent_thinking" ||
      type === "tool_executing" ||
      type === "final_report" ||
      type === "run_waiting"
    ) {
      this.#step = Math.max(this.#step, payload.step);
    }
  }
}

/** An answer as it is recorded: cut to its limit, and saying why it ended. */
export function asRecorded(fed: z.infer<typeof fedCompleted>) {
  const content = fitted(fed.content);
  const finish_reason =
    content.length < fed.content.length ? "length" : (fed.finish_reason ?? REASONS[fed.status]);
  return { ...fed, content, finish_reason };
}

const REASONS: Readonly<Record<RunStatus, FinishReason>> = {
  succeeded: "stop",
  failed: "error",
  cancelled: "cancelled",
  interrupted: "interrupted",
};

function same(recorded: Event | undefined, fed: FedEvent): boolean {
  if (recorded?.type !== fed.type) return false;
  const known = FED[fed.type].safeParse(recorded.payload);
  const meant = fed.type === "agent_completed" ? asRecorded(fed.payload) : fed.payload;
  return known.success && canonicalJson(known.data) === canonicalJson(meant);
}
