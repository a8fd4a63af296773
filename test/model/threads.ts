/** Steps: threads are made, named, branched, deleted, and what is said too late is said nowhere. */
import type { History } from "./history.ts";
import { insist } from "./insist.ts";
import type { OrderType } from "./orders.ts";
import { chosen, insistOnRefusal, type Play } from "./play.ts";
import type { Tab } from "./tab.ts";

const WAITING_PER_THREAD = 10;

/** @param outcome what must be said to it: "done", or why not; undefined if that depends */
function order(h: History, tab: Tab, type: OrderType, payload: object, outcome?: string): void {
  if (!tab.live) return;
  h.order(tab, h.nextId("o"), type, payload);
  if (outcome !== undefined) insistOnOutcome(h, tab, `o${h.counter}`, outcome);
}

function insistOnOutcome(h: History, tab: Tab, id: string, outcome: string): void {
  h.afterwards.push(() => {
    const told = h.ledger.outcomes.get(id);
    insist(!tab.live || told === outcome, "an order is answered as it must be", { id, told, outcome });
  });
}

/** One that is there, if any is. */
function someThread(h: History, b: number): string {
  return chosen(h.ledger.conversation.threadIds, b) ?? "nowhere";
}

function isThere(h: History, thread_id: string): boolean {
  return h.ledger.conversation.threadIds.includes(thread_id);
}

function remove(h: History, tab: Tab, thread_id: string, outcome?: string): void {
  order(h, tab, "thread_delete", { thread_id }, outcome);
  h.replace(thread_id);
}

export const THREADS = {
  /** Under an id of the server, or of the client's, which may be in use. */
  make_thread: (h, a, b) => {
    const title = b % 2 === 0 ? {} : { title: `title ${b}` };
    if (b % 3 === 0) return order(h, h.tab(a), "thread_create", title, "done");
    const thread_id = chosen([h.place(1 + (b % 2)), ...h.ledger.erasures.threads], b) ?? "";
    const used = isThere(h, thread_id) || h.ledger.erasures.wasDeleted(thread_id);
    const outcome = used === undefined ? undefined : used ? "conflict" : "done";
    order(h, h.tab(a), "thread_create", { thread_id, ...title }, outcome);
  },
  name_thread: (h, a, b) => {
    const thread_id = someThread(h, b);
    const outcome = isThere(h, thread_id) ? "done" : "not_found";
    order(h, h.tab(a), "thread_update", { thread_id, title: `name ${b}` }, outcome);
  },
  /** Another of its branches, or the same again. */
  show: (h, a, b) => {
    const message = chosen([...h.ledger.conversation.messages.values()], b);
    if (message === undefined) return;
    const { thread_id, message_id } = message;
    order(h, h.tab(a), "thread_update", { thread_id, head_message_id: message_id }, "done");
  },
  /** What is no message of the thread cannot be shown in it. */
  show_elsewhere: (h, a, b) => {
    const message = chosen([...h.ledger.conversation.messages.values()], b);
    const thread_id = h.ledger.conversation.threadIds.find((known) => known !== message?.thread_id);
    if (message === undefined || thread_id === undefined) return;
    const payload = { thread_id, head_message_id: message.message_id };
    order(h, h.tab(a), "thread_update", payload, "not_found");
  },
  /** Instead of everything that was said before. */
  anew: (h, a, b) => h.say(h.tab(a), b % 2 === 0, { thread_id: h.place(b), parent_message_id: null }),
  regenerate: (h, a, b) => {
    const { conversation } = h.ledger;
    const message_id = chosen([...conversation.messages.keys()], b) ?? "m_1_x";
    const question = conversation.questionOf(message_id);
    const working = [...conversation.runs.values()].filter(({ state }) => state !== "ended");
    const { thread_id } = conversation.messages.get(message_id) ?? {};
    const waiting = working.filter((run) => run.thread_id === thread_id && run.state === "queued");
    const full = waiting.length >= WAITING_PER_THREAD;
    const answering = working.some((run) => run.question === question);
    const outcome =
      question === undefined ? "not_found" : answering ? "conflict" : full ? "run_queue_full" : "done";
    order(h, h.tab(a), "message_regenerate", { message_id }, outcome);
  },
  delete_thread: (h, a, b) => {
    const thread_id = someThread(h, b);
    remove(h, h.tab(a), thread_id, isThere(h, thread_id) ? "done" : "not_found");
  },
  /** Two at once: one of them comes too late, or is the other's. */
  delete_twice: (h, a, b) => {
    const thread_id = someThread(h, b);
    order(h, h.tab(a), "thread_delete", { thread_id });
    remove(h, h.tab(a + 1), thread_id);
  },
  /** A question that is being answered, one that waits, one elsewhere, and the deletion, all at once. */
  delete_asked: (h, a, b) => {
    const thread_id = h.place(b);
    h.workshop.open = false;
    for (let i = 0; i < 1 + (b % 3); i += 1) h.say(h.tab(a + i), true, { thread_id });
    h.say(h.tab(a), true, { thread_id: h.place(b + 1) });
    remove(h, h.tab(a), thread_id);
    if (b % 4 === 0) h.say(h.tab(a + 1), false, { thread_id });
  },
  /** What is being answered there, if anything is. */
  delete_working: (h, a, b) => {
    const working = [...h.ledger.conversation.runs.values()].filter(({ state }) => state !== "ended");
    const thread_id = chosen(working, b)?.thread_id;
    if (thread_id !== undefined) remove(h, h.tab(a), thread_id, "done");
  },
  /** The instance dies with the deletion on its way, or on disk and not a word said. */
  delete_crash: (h, a, b) => {
    const thread_id = someThread(h, b);
    h.socketsSurvive = b % 2 === 0;
    h.world.dyingAfterCommit = b % 3 > 0;
    if (b % 3 === 0) h.say(h.tab(a), true, { thread_id });
    remove(h, h.tab(a), thread_id);
    if (b % 3 === 0) h.crash();
  },
  /** The disk does not take it. */
  delete_failing: (h, a, b) => {
    if (b % 2 === 0) h.world.failingInserts = 1 + (b % 3);
    else h.world.failingCommits = 1 + (b % 3);
    h.excuses.add(4_204);
    h.say(h.tab(a + 1), true, { thread_id: h.place(b) });
    remove(h, h.tab(a), someThread(h, b));
  },
  /** Where everything was deleted: said, asked, named, edited, made again. */
  late: (h, a, b) => {
    const thread_id = chosen(h.ledger.erasures.threads, b);
    const tab = h.tab(a);
    if (thread_id === undefined || !tab.live) return;
    if (b % 4 === 0) return order(h, tab, "thread_update", { thread_id, title: "late" }, "not_found");
    if (b % 4 === 1) return order(h, tab, "thread_create", { thread_id }, "conflict");
    if (b % 4 === 2) return order(h, tab, "thread_delete", { thread_id }, "not_found");
    h.say(tab, b % 3 === 0, { thread_id, ...(b % 8 === 3 ? { parent_message_id: null } : {}) });
    insistOnRefusal(h, tab, "not_found");
  },
  /** Any order again under its id: done once, and forgotten with what it was about. */
  order_again: (h, a, b) => {
    const [id, known] = chosen(h.ledger.orders.known, b) ?? [];
    const tab = h.tab(a);
    if (id === undefined || known === undefined || !tab.live) return;
    h.order(tab, id, known.type, known.payload, known);
    if (known.seq !== undefined) insistOnOutcome(h, tab, id, h.ledger.isErased(id) ? "expired" : "done");
  },
} satisfies Record<string, Play>;
