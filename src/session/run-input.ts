/** What an agent is given: the question and what was said before it, as it stands in the log. */
import type { AgentInput, HistoryMessage } from "../agents/agent.ts";
import type { Log } from "./log.ts";
import { questionSeq, type Run } from "./run.ts";
import { readEvent } from "./stored-event.ts";
import { messageView, type Threads } from "./threads.ts";

/** Enough for a conversation to make sense; models cut it further by tokens. */
const MAX_HISTORY_MESSAGES = 40;

/** The same for every attempt of a run: built from rows that do not change, and the limit of its plan. */
export function runInput(run: Run, log: Log, threads: Threads, max_steps: number): AgentInput {
  const stored = log.at(questionSeq(run));
  const question = readEvent(stored);
  if (question?.type !== "user_message") throw new Error("a run without its question");
  const { content, data } = question.payload;
  return Object.freeze({
    run_id: run.run_id,
    thread_id: run.thread_id,
    question: content,
    ...(data === undefined ? {} : { data }),
    history: history(threads, stored?.prev),
    now: new Date(run.accepted_at).toISOString(),
    max_steps,
  });
}

function history(threads: Threads, seq: number | undefined): HistoryMessage[] {
  return threads
    .history(seq, MAX_HISTORY_MESSAGES)
    .map(messageView)
    .filter((message) => message !== undefined)
    .map(({ role, content }) => ({ role, content }))
    .reverse();
}
