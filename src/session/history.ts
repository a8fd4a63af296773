/** Reading what was said: threads and their messages, in pages, on any branch, with how an answer came about. */
import { MAX_PAGE_BYTES } from "../protocol/limits.ts";
import { EMPTY_CONVERSATION, type Message } from "../protocol/pure/conversation.ts";
import { fold } from "../protocol/pure/fold.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { page } from "./budget.ts";
import { seqOf } from "./ids.ts";
import { usageEntries } from "./journal-entry.ts";
import type { Log } from "./log.ts";
import type { ListedMessage, MessagePage, MessageQuery, ThreadPage, ThreadQuery } from "./rpc.ts";
import { messagesOf } from "./snapshot.ts";
import { readEvents } from "./stored-event.ts";
import { type Threads, threadView } from "./threads.ts";

/** Newest first; `next` is the `before` of the page after it. */
export function listThreads(threads: Threads, { before, limit }: ThreadQuery): ThreadPage {
  const rows = threads.newest(limit + 1, before);
  const shown = rows.slice(0, limit).map(threadView);
  const last = rows[limit - 1];
  return { threads: shown, ...(rows.length > limit && last !== undefined ? { next: last.touched } : {}) };
}

/** The messages before the one at seq `before`, oldest first; `next` is the `before` of the page before them. */
export function listMessages(log: Log, threads: Threads, query: MessageQuery): Result<MessagePage> {
  const { thread_id, before, limit } = query;
  const thread = threads.get(thread_id);
  if (thread === undefined) return refuse("not_found", "no such thread");
  const field = query.head === undefined ? "through" : "head";
  const named = query[field];
  if (named !== undefined && threads.find(thread_id, named) === undefined) {
    return refuse("not_found", "no such message in this thread", { field });
  }
  const end = field === "through" && named !== undefined ? newestAfter(log, thread_id, named) : named;
  const head = end === undefined ? thread.head : threads.find(thread_id, end)?.seq;
  const branches = query.alternatives ? branchesOf(log, thread_id) : undefined;
  const start = threads.pageStart(thread_id, head, before);
  const view = (message: Message): ListedMessage => {
    const others = branches?.get(message.parent_message_id) ?? [];
    return {
      ...message,
      ...(query.steps && message.role === "assistant" ? wayTo(log, message) : {}),
      ...(others.length > 1 ? { alternatives: others } : {}),
    };
  };
  const listed = page(MAX_PAGE_BYTES, newestFirst(log, threads, { start, limit, view })).reverse();
  const first = listed[0];
  const more = first !== undefined && first.parent_message_id !== null;
  return ok({ messages: listed, ...(more ? { next: first.seq } : {}) });
}

/** Few enough at a time that they may be as long as they can be. */
const READ_AT_ONCE = 16;

interface Reading {
  readonly start: number | undefined;
  readonly limit: number;
  readonly view: (message: Message) => ListedMessage;
}

function* newestFirst(log: Log, threads: Threads, { start, limit, view }: Reading) {
  for (let next = start, left = limit; next !== undefined && left > 0; left -= READ_AT_ONCE) {
    const rows = threads.history(next, Math.min(left, READ_AT_ONCE));
    for (const message of messagesOf(log, rows)) yield view(message);
    next = rows.at(-1)?.prev;
  }
}

/** The answer of a run that has ended, with its report; undefined if there is none. */
export function answerOf(log: Log, run_id: string): ListedMessage | undefined {
  const row = log.answerOf(seqOf(run_id, ["r"]) ?? 0);
  if (row?.run_id !== run_id) return undefined;
  return messagesOf(log, [row])[0];
}

/** How an answer came about, and what models have cost on the way, as far as that is kept. */
function wayTo(log: Log, { run_id, seq }: ListedMessage): Pick<ListedMessage, "steps" | "model_calls"> {
  const start = seqOf(run_id, ["r"]);
  if (run_id === undefined || start === undefined) return { steps: [] };
  const events = readEvents(log.ofRun(run_id, start, seq));
  const steps = events.reduce(fold, EMPTY_CONVERSATION).runs[0]?.steps ?? [];
  const model_calls = log.journalOf(run_id, start, seq).flatMap(usageEntries);
  return { steps, ...(model_calls.length > 0 && { model_calls }) };
}

/** What was said last on any branch that goes through the message, or the message itself. */
function newestAfter(log: Log, thread_id: string, through: string): string {
  const links = log.linksOf(thread_id);
  const after = new Set<string | null>([through]);
  // What follows a message has a higher seq, so one walk finds all of it.
  for (const { message_id, parent_message_id } of links) {
    if (after.has(parent_message_id)) after.add(message_id);
  }
  return links.findLast(({ message_id }) => after.has(message_id))?.message_id ?? through;
}

/** What follows which message, in the order in which it was said; more than one where the thread branches. */
function branchesOf(log: Log, thread_id: string): Map<string | null, string[]> {
  const branches = new Map<string | null, string[]>();
  for (const { message_id, parent_message_id } of log.linksOf(thread_id)) {
    branches.set(parent_message_id, [...(branches.get(parent_message_id) ?? []), message_id]);
  }
  return branches;
}
