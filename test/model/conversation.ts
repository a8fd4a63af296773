/** What the log comes to, told again from the protocol page: threads, messages, runs. Shares nothing with the fold. */
import { insist, insistSame } from "./insist.ts";

/** What an event of the log is to whoever reads the protocol page. */
export interface LogEvent {
  readonly type: string;
  readonly seq: number;
  readonly payload: any;
  readonly expires_at: number | null;
}

interface ThreadOf {
  title: string;
  updated_at: string;
  /** Seq of what was last said in it. */
  touched: number;
  /** The newest message of the branch that is shown. */
  newest: string | null;
}

export interface RunOf {
  readonly question: string;
  readonly seq: number;
  readonly thread_id: string;
  state: "queued" | "running" | "ended";
  agent_name: string;
  readonly steps: any[];
  /** Steps that are in the log. */
  readonly said: Set<string>;
  report?: unknown;
}

const MESSAGES = 50;
const RUNS_PER_USER = 4;
const WAITING_PER_THREAD = 10;

export class Conversation {
  readonly runs = new Map<string, RunOf>();
  /** By message id, as a snapshot shows them, in the order of the log. */
  readonly messages = new Map<string, any>();
  readonly #threads = new Map<string, ThreadOf>();
  readonly #before = new Map<string, string | null>();
  readonly #notices: LogEvent[] = [];
  #latest = 0;

  /** What a new message without a parent follows. */
  newestOf(thread_id: string): string | null {
    return this.#threads.get(thread_id)?.newest ?? null;
  }

  titleOf(thread_id: string): string | undefined {
    return this.#threads.get(thread_id)?.title;
  }

  get threadIds(): string[] {
    return [...this.#threads.keys()];
  }

  /** What a message asked, or what it answers. */
  questionOf(message_id: string): string | undefined {
    const { role, run_id } = this.messages.get(message_id) ?? {};
    return role === "assistant" ? this.runs.get(run_id)?.question : role && message_id;
  }

  /** The time for what expires: it never goes back. */
  time(now: number): number {
    return Math.max(now, this.#latest);
  }

  take(event: LogEvent): void {
    this.#latest = Math.max(this.#latest, Date.parse(event.payload.timestamp));
    if (event.type === "notification") this.#notices.push(event);
    else if (event.type === "user_message") this.#takeMessage(event);
    else if (event.type === "thread_created") this.#takeThread(event);
    else if (event.type === "thread_updated") this.#takeUpdate(event);
    else if (event.type === "thread_deleted") this.#takeDeletion(event);
    else this.#takeStep(event);
  }

  /** What a snapshot has to show of it, taken when everything up to `acked` was acknowledged. */
  insistOnSnapshot(shown: any, acked: number, now: number): void {
    const threads = [...this.#threads].toSorted(([, one], [, other]) => other.touched - one.touched);
    const listed = threads.map(([thread_id, { title, updated_at, newest }]) => ({
      thread_id,
      title,
      head_message_id: newest,
      updated_at,
    }));
    insistSame(shown.threads, listed, "a snapshot shows every thread, the one that was touched last first");
    const branch = this.#branch(shown.threads[0]?.thread_id);
    insistSame(shown.messages, branch, "a snapshot shows the newest messages of the newest thread");
    const runs = shown.runs.map(({ text: _text, attempt: _attempt, ...run }: any) => run);
    insistSame(runs, this.#inProgress(), "a snapshot shows the runs in progress and their steps");
    const time = this.time(now);
    const unread = this.#notices.filter(
      ({ seq, expires_at }) => seq > acked && (expires_at === null || expires_at > time),
    );
    const notices = unread.map(({ seq, payload }) => ({ seq, ...payload }));
    insistSame(shown.notifications, notices, "a snapshot shows what nobody has read");
  }

  /** One run works in a thread and four for a user; the others wait, in their order, and for nothing else. */
  insistOnTurns(): void {
    const runs = [...this.runs.values()];
    const working = runs.filter(({ state }) => state === "running");
    insist(working.length <= RUNS_PER_USER, "four runs at most work at once", working.length);
    for (const thread_id of new Set(runs.map((run) => run.thread_id))) {
      const [active, ...more] = working.filter((run) => run.thread_id === thread_id);
      insist(more.length === 0, "one run at a time works in a thread", thread_id);
      const waiting = runs.filter((run) => run.thread_id === thread_id && run.state === "queued");
      insist(waiting.length <= WAITING_PER_THREAD, "ten runs at most wait in a thread", waiting.length);
      const [first] = waiting;
      if (first === undefined) continue;
      const mustWait = active !== undefined || working.length === RUNS_PER_USER;
      insist(mustWait, "a run waits only for others", first);
      insist(active === undefined || active.seq < first.seq, "runs of a thread keep their order", first);
    }
  }

  /** Notifications that are gone from the log are gone from snapshots too. */
  forget(seq: number): void {
    const index = this.#notices.findIndex((notice) => notice.seq === seq);
    if (index !== -1) this.#notices.splice(index, 1);
  }

  #takeMessage({ seq, payload }: LogEvent): void {
    const { message_id, thread_id, content, parent_message_id, run_id, timestamp } = payload;
    const run = run_id === undefined ? {} : { run_id };
    const said = { message_id, thread_id, role: "user", content, seq, parent_message_id, ...run, timestamp };
    this.messages.set(message_id, said);
    this.#before.set(message_id, parent_message_id);
    const title = this.#threads.get(thread_id)?.title || content;
    this.#threads.set(thread_id, { title, updated_at: timestamp, touched: seq, newest: message_id });
    this.#takeRun(seq, payload, message_id);
  }

  #takeRun(seq: number, { run_id, thread_id }: any, question: string): void {
    if (run_id === undefined) return;
    const fresh = { question, seq, thread_id, agent_name: "", steps: [], said: new Set<string>() };
    this.runs.set(run_id, { ...fresh, state: "queued" });
  }

  #takeThread({ seq, payload: { thread_id, title, timestamp } }: LogEvent): void {
    insist(!this.#threads.has(thread_id), "a thread is made once", thread_id);
    this.#threads.set(thread_id, { title, updated_at: timestamp, touched: seq, newest: null });
  }

  /** Moves the thread in no list: nothing was said in it. */
  #takeUpdate({ seq, payload }: LogEvent): void {
    const { thread_id, title, head_message_id } = payload;
    const thread = this.#threads.get(thread_id);
    insist(thread !== undefined, "what is not there does not change", payload);
    thread.title = title ?? thread.title;
    if (head_message_id === undefined) return;
    const inThread = this.messages.get(head_message_id)?.thread_id === thread_id;
    insist(inThread, "a thread shows a message of its own", payload);
    thread.newest = head_message_id;
    this.#takeRun(seq, payload, head_message_id);
  }

  #takeDeletion({ payload: { thread_id } }: LogEvent): void {
    this.#threads.delete(thread_id);
    for (const [message_id, message] of this.messages) {
      if (message.thread_id === thread_id) this.messages.delete(message_id);
    }
    for (const [run_id, run] of this.runs) if (run.thread_id === thread_id) this.runs.delete(run_id);
  }

  #takeStep({ type, seq, payload }: LogEvent): void {
    const run = this.runs.get(payload.run_id);
    insist(run !== undefined, "no step without its question", payload);
    this.#insistOnStep(run, type, payload);
    if (type === "agent_started") run.state = "running";
    if (type === "agent_started") run.agent_name = payload.agent_name;
    if (type === "agent_thinking")
      run.steps.push({ kind: "thinking", step: payload.step, thought: payload.thought });
    if (type === "tool_executing") run.steps.push(toolOf(payload));
    if (type === "tool_completed") completeTool(run, payload);
    if (type === "final_report") run.report = payload.report;
    if (type === "agent_completed") this.#takeAnswer(run, seq, payload);
  }

  /** Whatever an attempt does again, it does not say again. */
  #insistOnStep(run: RunOf, type: string, { step, tool_call_id }: any): void {
    if (type === "tool_completed" || step === undefined) return;
    const key = tool_call_id ?? `${step}`;
    insist(!run.said.has(key), "no step is said twice", { type, key });
    run.said.add(key);
  }

  /** An answer to a branch that was left stays there, and moves nothing. */
  #takeAnswer(run: RunOf, seq: number, payload: any): void {
    const { message_id, thread_id, parent_message_id, content, run_id, status, error, timestamp } = payload;
    run.state = "ended";
    const report = run.report === undefined ? {} : { report: run.report };
    const answer = { message_id, thread_id, role: "assistant", content, seq, run_id, status, timestamp };
    const why = error === undefined ? {} : { error };
    this.messages.set(message_id, { ...answer, ...why, parent_message_id, ...report });
    const thread = this.#threads.get(thread_id);
    insist(thread !== undefined, "no answer without a thread", payload);
    thread.updated_at = timestamp;
    thread.touched = seq;
    const goesOn = this.#path(thread.newest).includes(run.question);
    const before = goesOn ? thread.newest : run.question;
    insist(parent_message_id === before, "an answer follows what it should", { before, payload });
    this.#before.set(message_id, before);
    if (goesOn) thread.newest = message_id;
  }

  /** From a message back to the first of its thread. */
  #path(message_id: string | null): string[] {
    const path: string[] = [];
    for (let next = message_id; next !== null; next = this.#before.get(next) ?? null) path.push(next);
    return path;
  }

  #branch(thread_id: string | undefined): unknown[] {
    const newest = thread_id === undefined ? null : this.newestOf(thread_id);
    return this.#path(newest)
      .slice(0, MESSAGES)
      .map((message_id) => this.messages.get(message_id))
      .reverse();
  }

  #inProgress(): unknown[] {
    return [...this.runs]
      .filter(([, { state }]) => state !== "ended")
      .map(([run_id, { thread_id, question, agent_name, state, steps, report }]) => {
        const known = report === undefined ? {} : { report };
        return { run_id, thread_id, question_id: question, agent_name, status: state, steps, ...known };
      });
  }
}

function toolOf({ step, tool_call_id, tool_name, args }: any): unknown {
  return { kind: "tool", step, tool_call_id, tool_name, args, status: "running" };
}

function completeTool(run: RunOf, { tool_call_id, status, result, error, duration_ms }: any): void {
  const index = run.steps.findIndex((step) => step.tool_call_id === tool_call_id);
  insist(index !== -1, "no tool completes that was not begun", tool_call_id);
  insist(run.steps[index].status === "running", "a tool completes once", tool_call_id);
  const outcome = { status, duration_ms, ...(result === undefined ? { error } : { result }) };
  run.steps[index] = { ...run.steps[index], ...outcome };
}
