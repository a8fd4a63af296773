/**
 * Folds frames into a `Conversation`. Pure: the same frames give the same view
 * everywhere. An event already folded is ignored, so feeding one twice is harmless.
 */
import type { Conversation, Message, Report, Run, RunStatus, Step, Thread } from "./conversation.ts";

interface OfRun {
  readonly run_id: string;
  readonly thread_id: string;
  readonly agent_name: string;
  readonly timestamp: string;
}

interface OfTool extends OfRun {
  readonly step: number;
  readonly tool_call_id: string;
  readonly tool_name: string;
}

type EventOf<Type extends string, Payload> = {
  readonly type: Type;
  readonly seq: number;
  readonly payload: Payload;
};

type UserMessage = EventOf<
  "user_message",
  {
    readonly message_id: string;
    readonly thread_id: string;
    readonly thread?: { readonly title: string } | undefined;
    readonly parent_message_id: string | null;
    readonly run_id?: string | undefined;
    readonly content: string;
    readonly timestamp: string;
  }
>;

type ToolCompleted = EventOf<
  "tool_completed",
  OfTool & {
    readonly status: "ok" | "error" | "denied";
    readonly result?: unknown;
    readonly error?: { readonly code: string; readonly message: string } | undefined;
    readonly duration_ms: number;
  }
>;

type AgentCompleted = EventOf<
  "agent_completed",
  OfRun & {
    readonly message_id: string;
    readonly status: RunStatus;
    readonly content: string;
    readonly attempts: number;
  }
>;

/** The part of each event that the view depends on. */
export type FoldedEvent =
  | UserMessage
  | EventOf<"agent_started", OfRun>
  | EventOf<"agent_thinking", OfRun & { readonly step: number; readonly thought: string }>
  | EventOf<"tool_executing", OfTool & { readonly args?: unknown }>
  | ToolCompleted
  | EventOf<"final_report", OfRun & { readonly report: Report }>
  | AgentCompleted
  | EventOf<"notification", { readonly topic: string; readonly data?: unknown; readonly timestamp: string }>;

/** What is folded besides events. */
export type FoldedStream =
  | { readonly type: "events_skipped"; readonly payload: { readonly to: number } }
  | { readonly type: "partial_result"; readonly payload: PartialResult }
  | {
      readonly type: "state_snapshot";
      readonly payload: Omit<Conversation, "last_seq"> & { readonly as_of_seq: number };
    };

type PartialResult = { readonly run_id: string; readonly attempt: number } & (
  | { readonly offset: number; readonly delta: string }
  | { readonly mode: "set"; readonly text: string }
);

/** Returns the view after `frame`; the very same object for an event that was folded before. */
export function fold(view: Conversation, frame: FoldedEvent | FoldedStream): Conversation {
  if (frame.type === "partial_result") return foldText(view, frame.payload);
  if (frame.type === "events_skipped")
    return { ...view, last_seq: Math.max(view.last_seq, frame.payload.to) };
  if (frame.type === "state_snapshot") return fromSnapshot(frame.payload);
  if (frame.seq <= view.last_seq) return view;
  return { ...foldEvent(view, frame), last_seq: frame.seq };
}

function foldEvent(view: Conversation, event: FoldedEvent): Conversation {
  switch (event.type) {
    case "user_message":
      return foldUserMessage(view, event);
    case "agent_started":
      return withRun(view, event.payload, (run) => ({
        ...run,
        agent_name: event.payload.agent_name,
        status: "running",
      }));
    case "agent_thinking":
      return withStep(view, event.payload, {
        kind: "thinking",
        step: event.payload.step,
        thought: event.payload.thought,
      });
    case "tool_executing":
      return withStep(view, event.payload, toolStep(event.payload));
    case "tool_completed":
      return withRun(view, event.payload, (run) => completeTool(run, event));
    case "final_report":
      return withRun(view, event.payload, (run) => ({ ...run, report: event.payload.report }));
    case "agent_completed":
      return foldCompleted(view, event);
    case "notification":
      return { ...view, notifications: [...view.notifications, notificationOf(event)] };
    default:
      // An event of a later version: nothing to show, but its seq counts.
      return view;
  }
}

function foldUserMessage(view: Conversation, { seq, payload }: UserMessage): Conversation {
  const { message_id, thread_id, parent_message_id, run_id, content, timestamp } = payload;
  const message: Message = {
    message_id,
    thread_id,
    role: "user",
    content,
    seq,
    parent_message_id,
    ...(run_id === undefined ? {} : { run_id }),
    timestamp,
  };
  const touched = touchThread(view, thread_id, timestamp, payload.thread?.title);
  const seen = { ...touched, messages: [...view.messages, message] };
  return run_id === undefined
    ? seen
    : withRun(seen, { run_id, thread_id, agent_name: "" }, (run) => ({ ...run, status: "queued" }));
}

function foldCompleted(view: Conversation, { seq, payload }: AgentCompleted): Conversation {
  const { run_id, thread_id, message_id, status, content, attempts, timestamp } = payload;
  const ended = withRun(view, payload, (run) => ({ ...run, status, attempt: attempts, text: content }));
  const report = ended.runs.find((run) => run.run_id === run_id)?.report;
  const message: Message = {
    message_id,
    thread_id,
    role: "assistant",
    content,
    seq,
    run_id,
    status,
    ...(report === undefined ? {} : { report }),
    timestamp,
  };
  return touchThread({ ...ended, messages: [...ended.messages, message] }, thread_id, timestamp);
}

/** A delta that does not join the text known so far waits for the `set` that follows a resume. */
function foldText(view: Conversation, part: PartialResult): Conversation {
  const run = view.runs.find((candidate) => candidate.run_id === part.run_id);
  if (run === undefined || part.attempt < run.attempt || !inProgress(run)) return view;
  const known = part.attempt > run.attempt ? "" : run.text;
  if (!("delta" in part)) return replaceRun(view, { ...run, attempt: part.attempt, text: part.text });
  if (part.offset > known.length) return view;
  const text = known.slice(0, part.offset) + part.delta;
  return replaceRun(view, { ...run, attempt: part.attempt, text });
}

function fromSnapshot({ as_of_seq, threads, messages, runs, notifications }: Snapshot): Conversation {
  return { last_seq: as_of_seq, threads, messages, runs, notifications };
}

type Snapshot = Extract<FoldedStream, { readonly type: "state_snapshot" }>["payload"];

export function inProgress(run: Run): boolean {
  return run.status === "queued" || run.status === "running";
}

function touchThread(
  view: Conversation,
  thread_id: string,
  updated_at: string,
  title?: string,
): Conversation {
  const known = view.threads.find((thread) => thread.thread_id === thread_id);
  const touched: Thread = { thread_id, title: title ?? known?.title ?? "", updated_at };
  const others = view.threads.filter((thread) => thread.thread_id !== thread_id);
  return { ...view, threads: [touched, ...others] };
}

/** Changes a run, or starts from an empty one: after a gap its first events may be unknown here. */
function withRun(
  view: Conversation,
  { run_id, thread_id, agent_name }: Pick<OfRun, "run_id" | "thread_id" | "agent_name">,
  change: (run: Run) => Run,
): Conversation {
  const known = view.runs.find((run) => run.run_id === run_id);
  if (known !== undefined) return replaceRun(view, change(known));
  const run: Run = { run_id, thread_id, agent_name, status: "running", attempt: 0, text: "", steps: [] };
  return { ...view, runs: [...view.runs, change(run)] };
}

function replaceRun(view: Conversation, run: Run): Conversation {
  return { ...view, runs: view.runs.map((known) => (known.run_id === run.run_id ? run : known)) };
}

function withStep(view: Conversation, of: OfRun, step: Step): Conversation {
  return withRun(view, of, (run) => ({ ...run, steps: [...run.steps, step] }));
}

function toolStep({ step, tool_call_id, tool_name, args }: OfTool & { readonly args?: unknown }): Step {
  return { kind: "tool", step, tool_call_id, tool_name, args, status: "running" };
}

function completeTool(run: Run, { payload }: ToolCompleted): Run {
  const { tool_call_id, status, result, error, duration_ms } = payload;
  const outcome = {
    status,
    duration_ms,
    ...(result === undefined ? {} : { result }),
    ...(error === undefined ? {} : { error }),
  };
  const steps = run.steps.map((step) =>
    step.kind === "tool" && step.tool_call_id === tool_call_id ? { ...step, ...outcome } : step,
  );
  return { ...run, steps };
}

function notificationOf({ seq, payload }: Extract<FoldedEvent, { readonly type: "notification" }>) {
  return { seq, topic: payload.topic, data: payload.data, timestamp: payload.timestamp };
}
