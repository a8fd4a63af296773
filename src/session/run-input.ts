/** What an agent is given: the question and what was said before it, as it stands in the log. */
import type { AgentInput } from "../agents/agent.ts";
import type { Answered, RemoteInput } from "../agents/remote/request.ts";
import type { Message } from "../protocol/pure/conversation.ts";
import { isRecord } from "../protocol/pure/json.ts";
import { page } from "./budget.ts";
import { Course } from "./course.ts";
import type { Log } from "./log.ts";
import { questionSeq, type Run } from "./run.ts";
import { readEvent, readEvents } from "./stored-event.ts";
import { messageView, type Threads } from "./threads.ts";
import { type RecordedAnswer, waitedText } from "./waits.ts";

/** Enough for a conversation to make sense; models cut it further by tokens. */
const MAX_HISTORY_MESSAGES = 40;

/** Forty answers may have ten times as much, which an agent would be sent again with every question. */
const MAX_REMOTE_BYTES = 1024 * 1024;

type Asked = Pick<Run, "run_id" | "thread_id" | "question_id" | "start_seq" | "accepted_at">;

/** The same for every attempt of a run: built from rows that do not change, and the limit of its plan. */
export function runInput(run: Asked, log: Log, threads: Threads, max_steps: number): AgentInput {
  const { question, earlier } = conversation(run, log, threads);
  const { content, data } = question;
  return Object.freeze({
    run_id: run.run_id,
    thread_id: run.thread_id,
    question: content,
    ...(data === undefined ? {} : { data }),
    history: earlier.map(({ role, content }) => ({ role, content })).reverse(),
    now: new Date(run.accepted_at).toISOString(),
    max_steps,
  });
}

interface Place {
  readonly log: Log;
  readonly threads: Threads;
  readonly user_id: string;
}

/** What a user's app sends along is under a name of its own: an agent's framework may act on names it knows. */
export function remoteInput(run: Run, { log, threads, user_id }: Place): RemoteInput {
  const { question, earlier } = conversation(run, log, threads);
  const { message_id, content, data } = question;
  // Of an answer that failed at once there is nothing to tell, and some models refuse to hear it.
  const said = earlier.filter((message) => message.content !== "");
  const messages = [{ message_id, role: "user" as const, content }, ...said].map((message) => ({
    id: message.message_id,
    role: message.role,
    content: message.content,
  }));
  return {
    thread_id: `${user_id}:${run.thread_id}`,
    // For the agent it is another run that goes on.
    run_id: run.attempt > 1 ? `${run.run_id}.${run.attempt}` : run.run_id,
    ...(run.attempt > 1 && goingOn(run, log)),
    messages: page(MAX_REMOTE_BYTES, messages).reverse(),
    ...(data === undefined ? {} : { forwarded_props: { data } }),
  };
}

/** What an agent had asked, with the answers, and where its run was. */
function goingOn(run: Run, log: Log): Pick<RemoteInput, "resume" | "so_far"> {
  const rows = log.ofRun(run.run_id, run.start_seq);
  const events = readEvents(rows);
  const answers = new Map(
    events.flatMap(({ type, payload }) => (type === "run_resumed" ? [[payload.wait_id, payload]] : [])),
  );
  const asked = events.flatMap(({ type, payload }) =>
    type === "run_waiting" && payload.attempt === run.attempt - 1 ? [payload] : [],
  );
  const resume = asked.map(({ wait_id, name = "" }) => answered(name, answers.get(wait_id)));
  const args = new Map(
    events.flatMap(({ type, payload }) =>
      type === "tool_executing" ? [[payload.tool_call_id, payload.args]] : [],
    ),
  );
  const so_far = Course.of(rows).soFar(waitedText(log, run), run.attempt - 1);
  // It may ask about them once more: nobody agrees to what is not shown.
  const open = so_far.open.map((call) => ({ ...call, args: args.get(call.tool_call_id) }));
  return { resume, so_far: { ...so_far, open } };
}

/** In the words that agents expect where nothing else was said. */
function answered(interruptId: string, answer: RecordedAnswer | undefined): Answered {
  const { decision = "expired", value } = answer ?? {};
  if (decision === "expired") return { interruptId, status: "cancelled" };
  if (decision === "answered") return { interruptId, status: "resolved", payload: value ?? null };
  // Whoever may say something beside a decision cannot turn it round.
  const payload = { ...(isRecord(value) && value), approved: decision === "approved" };
  return { interruptId, status: "resolved", payload };
}

/** `earlier` has the newest first. */
function conversation(run: Asked, log: Log, threads: Threads) {
  const stored = log.at(questionSeq(run));
  const question = readEvent(stored);
  if (question?.type !== "user_message") throw new Error("a run without its question");
  const earlier: Message[] = threads
    .history(stored?.prev, MAX_HISTORY_MESSAGES)
    .map(messageView)
    .filter((message) => message !== undefined);
  return { question: question.payload, earlier };
}
