/**
 * Folds frames into a `Conversation`. Pure: the same frames give the same view
 * everywhere. An event already folded is ignored, so feeding one twice is harmless.
 */
import type {
  Author,
  Conversation,
  Failure,
  Message,
  Report,
  Run,
  RunStatus,
  Step,
  Thread,
  Wait,
} from "./conversation.ts";

interface OfRun {
  readonly run_id: string;
  readonly thread_id: string;
  readonly agent_name: string;
  readonly timestamp: string;
}

interface OfThread {
  readonly thread_id: string;
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
    readonly author?: Author | undefined;
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
    readonly parent_message_id: string;
    readonly status: RunStatus;
    readonly content: string;
    readonly attempts: number;
    readonly error?: Failure | undefined;
  }
>;

interface ThreadChange {
  readonly title?: string | undefined;
  readonly head_message_id?: string | undefined;
  readonly run_id?: string | undefined;
  readonly question_id?: string | undefined;
}

type Waiting = OfRun & Wait & { readonly attempt: number; readonly text?: string | undefined };

/** The part of each event that the view depends on. */
export type FoldedEvent =
  | UserMessage
  | EventOf<"thread_created", OfThread & { readonly title: string }>
  | EventOf<"thread_updated", OfThread & ThreadChange>
  | EventOf<"thread_deleted", OfThread>
  | EventOf<"feedback_recorded", { readonly message_id: string; readonly rating: 1 | -1 }>
  | EventOf<"agent_started", OfRun & { readonly message_id: string }>
  | EventOf<"agent_thinking", OfRun & { readonly step: number; readonly thought: string }>
  | EventOf<"tool_executing", OfTool & { readonly args?: unknown }>
  | ToolCompleted
  | EventOf<"run_waiting", Waiting>
  | EventOf<"run_resumed", OfRun & { readonly wait_id: string }>
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
  if (frame.type === "state_snapshot") {
    const { as_of_seq, threads, messages, runs, notifications } = frame.payload;
    return { last_seq: as_of_seq, threads, messages, runs, notifications };
  }
  if (frame.seq <= view.last_seq) return view;
  return { ...foldEvent(view, frame), last_seq: frame.seq };
}

function foldEvent(view: Conversation, event: FoldedEvent): Conversation {
  switch (event.type) {
    case "user_message":
      return foldUserMessage(view, event);
    case "thread_created":
      return touchThread(view, event.payload, { title: event.payload.title });
    case "thread_updated":
      return foldThreadUpdated(view, event.payload);
    case "thread_deleted":
      return withoutThread(view, event.payload);
    case "agent_started": {
      const { message_id, agent_name } = event.payload;
      return withRun(view, event.payload, () => ({ question_id: message_id, agent_name, status: "running" }));
    }
    case "agent_thinking": {
      const { step, thought } = event.payload;
      const thinking = { kind: "thinking", step, thought } as const;
      return withRun(view, event.payload, ({ steps }) => ({ steps: [...steps, thinking] }));
    }
    case "tool_executing": {
      const { step, tool_call_id, tool_name, args } = event.payload;
      const call = { kind: "tool", step, tool_call_id, tool_name, args, status: "running" } as const;
      return withRun(view, event.payload, ({ steps }) => ({ steps: [...steps, call] }));
    }
    case "tool_completed":
      return withRun(view, event.payload, ({ steps }) => ({ steps: completeTool(steps, event.payload) }));
    case "run_waiting":
      return withRun(view, event.payload, (run) => waiting(run, event.payload));
    case "run_resumed":
      return withRun(view, event.payload, ({ waits = [] }) => {
        const left = waits.filter(({ wait_id }) => wait_id !== event.payload.wait_id);
        return { waits: left, status: left.length > 0 ? "waiting" : "running" };
      });
    case "final_report":
      return withRun(view, event.payload, () => ({ report: event.payload.report }));
    case "agent_completed":
      return foldCompleted(view, event);
    case "feedback_recorded": {
      const { message_id, rating } = event.payload;
      const rated = (message: Message) =>
        message.message_id === message_id ? { ...message, rating } : message;
      return { ...view, messages: view.messages.map(rated) };
    }
    case "notification": {
      const { topic, data, timestamp } = event.payload;
      return { ...view, notifications: [...view.notifications, { seq: event.seq, topic, data, timestamp }] };
    }
    default:
      // An event of a later version: nothing to show, but its seq counts.
      return view;
  }
}

/** The message that an event brings, without the report of its run. */
export function messageOf({ type, seq, payload }: UserMessage | AgentCompleted): Message {
  const { message_id, thread_id, content, parent_message_id, run_id, timestamp } = payload;
  const said = { message_id, thread_id, content, seq, parent_message_id, run_id, timestamp };
  return type === "user_message"
    ? { ...said, role: "user", author: payload.author }
    : { ...said, role: "assistant", error: payload.error, status: payload.status };
}

function foldUserMessage(view: Conversation, event: UserMessage): Conversation {
  const { payload } = event;
  const { message_id, thread } = payload;
  const touched = touchThread(view, payload, { ...thread, head_message_id: message_id });
  return withQueued({ ...touched, messages: [...view.messages, messageOf(event)] }, payload, message_id);
}

/** What is being answered again is asked again. */
function foldThreadUpdated(view: Conversation, payload: OfThread & ThreadChange): Conversation {
  const { thread_id, title, head_message_id } = payload;
  const threads = view.threads.map((thread) =>
    thread.thread_id === thread_id
      ? {
          ...thread,
          title: title ?? thread.title,
          head_message_id: head_message_id ?? thread.head_message_id,
        }
      : thread,
  );
  return withQueued({ ...view, threads }, payload, payload.question_id ?? head_message_id);
}

function withoutThread(view: Conversation, { thread_id }: OfThread): Conversation {
  const others = (of: { readonly thread_id: string }) => of.thread_id !== thread_id;
  const { threads, messages, runs } = view;
  return {
    ...view,
    threads: threads.filter(others),
    messages: messages.filter(others),
    runs: runs.filter(others),
  };
}

function withQueued(
  view: Conversation,
  { thread_id, run_id }: OfThread & Pick<ThreadChange, "run_id">,
  question_id = "",
): Conversation {
  // A run that is there already is told of it, not asked for.
  if (run_id === undefined || view.runs.some((run) => run.run_id === run_id)) return view;
  return withRun(view, { run_id, thread_id, agent_name: "" }, () => ({ question_id, status: "queued" }));
}

function foldCompleted(view: Conversation, event: AgentCompleted): Conversation {
  const { payload } = event;
  const { run_id, thread_id, message_id, parent_message_id, status, content, attempts } = payload;
  const report = view.runs.find((run) => run.run_id === run_id)?.report;
  const said = { ...view, messages: [...view.messages, { ...messageOf(event), report }] };
  const seen = withRun(said, payload, () => ({ status, attempt: attempts, text: content, waits: undefined }));
  // An answer to a branch that was left stays there.
  const thread = view.threads.find((known) => known.thread_id === thread_id);
  const goesOn = thread === undefined || thread.head_message_id === parent_message_id;
  return touchThread(seen, payload, goesOn ? { head_message_id: message_id } : {});
}

function waiting(run: Run, payload: Waiting) {
  const {
    attempt,
    text = run.text,
    wait_id,
    kind,
    tool_call_id,
    tool_name,
    args,
    name,
    reason,
    expires_at,
  } = payload;
  const wait = { wait_id, kind, tool_call_id, tool_name, args, name, reason, expires_at };
  return { status: "waiting", attempt, text, waits: [...(run.waits ?? []), wait] } as const;
}

/** A delta that does not join the text known so far waits for the `set` that follows a resume. */
function foldText(view: Conversation, part: PartialResult): Conversation {
  const { attempt } = part;
  const run = view.runs.find((candidate) => candidate.run_id === part.run_id);
  if (run === undefined || attempt < run.attempt || !inProgress(run)) return view;
  const known = attempt > run.attempt ? "" : run.text;
  if ("delta" in part && part.offset > known.length) return view;
  const text = "delta" in part ? known.slice(0, part.offset) + part.delta : part.text;
  return withRun(view, run, () => ({ attempt, text }));
}

export function inProgress({ status }: Run): boolean {
  return status === "queued" || status === "running" || status === "waiting";
}

function touchThread(
  view: Conversation,
  { thread_id, timestamp }: OfThread,
  change: Partial<Thread>,
): Conversation {
  const known = view.threads.find((thread) => thread.thread_id === thread_id);
  const blank = { thread_id, title: "", head_message_id: null };
  const touched: Thread = { ...blank, ...known, ...change, updated_at: timestamp };
  const others = view.threads.filter((thread) => thread !== known);
  return { ...view, threads: [touched, ...others] };
}

/** Changes a run, or one that begins empty: after a gap its first events may be unknown here. */
function withRun(
  view: Conversation,
  { run_id, thread_id, agent_name }: Pick<OfRun, "run_id" | "thread_id" | "agent_name">,
  change: (run: Run) => Partial<Run>,
): Conversation {
  const { runs } = view;
  const blank: Run = {
    run_id,
    thread_id,
    agent_name,
    question_id: "",
    status: "running",
    attempt: 0,
    text: "",
    steps: [],
  };
  const isIt = (run: Run) => run.run_id === run_id;
  const all = runs.some(isIt) ? runs : [...runs, blank];
  return { ...view, runs: all.map((run) => (isIt(run) ? { ...run, ...change(run) } : run)) };
}

function completeTool(steps: readonly Step[], payload: ToolCompleted["payload"]): Step[] {
  const { tool_call_id, status, result, error, duration_ms } = payload;
  return steps.map((step) =>
    step.kind === "tool" && step.tool_call_id === tool_call_id
      ? { ...step, status, result, error, duration_ms }
      : step,
  );
}
