/**
 * What was asked and what was promised, kept apart from the session: after every
 * step the log on disk is held against it.
 */
import type { Workshop } from "./agent.ts";
import { Answers } from "./answers.ts";
import { Conversation } from "./conversation.ts";
import { Erasures } from "./erasures.ts";
import { insist } from "./insist.ts";
import { Orders } from "./orders.ts";
import { type Row, select } from "./rows.ts";
import type { AnyFrame } from "./socket.ts";
import type { World } from "./world.ts";

/** What a message says, as it is sent. */
export interface Said {
  readonly content: string;
  readonly respond?: false;
  readonly thread_id?: string;
  readonly parent_message_id?: string | null;
}

interface Asked {
  readonly said: Said;
  /** On which socket it was first sent, and when among all that was ever sent. */
  readonly socket: number;
  readonly order: number;
}

/** What retention may delete. */
const PASSING = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "notification"];

/** What is left of an event whose thread was deleted. */
const ERASED = "erased";

const MONTH_MS = 30 * 86_400_000;

export class Ledger {
  readonly asked = new Map<string, Asked>();
  /** Ids whose acceptance was acknowledged, with their seq. */
  readonly accepted = new Map<string, number>();
  readonly conversation = new Conversation();
  readonly orders = new Orders();
  readonly erasures = new Erasures();
  readonly answers = new Answers();
  head = 0;
  /** Why commands were refused, in order. */
  readonly refusals: string[] = [];
  /** What was last said to a command: "done", or why not. */
  readonly outcomes = new Map<string, string>();
  /** The highest seq anybody acknowledged, as the session must know it. */
  acked = 0;
  /** The seq of every message in the log, by the id it was sent under. */
  readonly #messages = new Map<string, number>();
  readonly #log = new Map<number, Row>();
  /** The last message of each socket, as a place in the order of sending. */
  readonly #last = new Map<number, number>();
  readonly #aged = new Set<string>();
  readonly #firsts = new Set<string>();
  /** How often each message was sent in this step, and which were refused. */
  readonly #sent = new Map<string, number>();
  readonly #refused: string[] = [];
  /** Why what was asked before was refused now. */
  readonly #reasons: [id: string, code: string][] = [];
  /** Keys of publications in the log. */
  readonly #published = new Set<string>();
  #order = 0;
  /** Something was said and deleted since the last time. */
  #unseen = false;

  /** A message is about to be sent; if it is not in the log yet, this is where it belongs. */
  ask(id: string, said: Said, socket: number): void {
    this.#sent.set(id, (this.#sent.get(id) ?? 0) + 1);
    if (this.#messages.has(id)) return;
    this.#order += 1;
    this.asked.set(id, { said, socket, order: this.#order });
  }

  /** A month has passed: who sends an id from before again may not rely on it being known. */
  ageIds(): void {
    for (const id of this.asked.keys()) this.#aged.add(id);
    this.orders.age();
    this.erasures.age();
  }

  /** Ids that must have one effect, however often they are sent. */
  get knownIds(): string[] {
    return [...this.asked.keys()].filter((id) => !this.#aged.has(id));
  }

  replied(frame: AnyFrame): void {
    const { type, reply_to = "", payload } = frame;
    this.outcomes.set(reply_to, type === "error" ? payload.code : "done");
    if (type === "error") return this.#refusal(reply_to, payload);
    // Tabs are looked at one after the other, so the reply marked as a duplicate may be seen first.
    insist(payload.duplicate || !this.#firsts.has(reply_to), "what was done is not done again", reply_to);
    if (payload.duplicate === false) this.#firsts.add(reply_to);
    if (this.orders.get(reply_to) !== undefined) return this.orders.done(reply_to, frame);
    if (type !== "message_ack") return;
    const known = this.accepted.get(reply_to);
    insist(known === undefined || known === payload.seq, "a message has one seq for ever", {
      reply_to,
      known,
    });
    this.accepted.set(reply_to, payload.seq);
  }

  /** Whether what was accepted under this id has been deleted since. */
  isErased(id: string): boolean {
    const seq = this.accepted.get(id) ?? this.#messages.get(id) ?? this.orders.get(id)?.seq;
    return seq !== undefined && this.erasures.has(seq);
  }

  #refusal(id: string, { code, retryable }: { code: string; retryable: boolean }): void {
    this.refusals.push(code);
    const known = this.accepted.has(id) || this.orders.get(id)?.seq !== undefined;
    if (code === "expired" || code === "id_conflict") this.#reasons.push([id, code]);
    else insist(!known || retryable, "what was accepted is not refused afterwards", { id, code });
    if (code !== "id_conflict") this.#refused.push(id);
  }

  at(seq: number): Row | undefined {
    return this.#log.get(seq);
  }

  /** What lies in the log with a seq from `from` to `to`. */
  between(from: number, to: number): Row[] {
    return [...this.#log.values()].filter(({ seq }) => seq >= from && seq <= to);
  }

  /** Unread and alive: what a service's limit counts. */
  pending(now: number): number {
    const alive = (row: Row) => row.seq > this.acked && (row.expires_at === null || row.expires_at > now);
    return [...this.#log.values()].filter(alive).length;
  }

  /** What was written since the last time. */
  audit(world: World, workshop: Workshop): void {
    const before = this.head;
    const rows = select(world, `WHERE seq > ${this.head}`);
    this.#unseen = false;
    for (const row of rows) this.#take(row, workshop);
    if (rows.some(({ type }) => type === "thread_deleted" || type === ERASED)) this.erasures.audit(world);
    this.#insistOnRefusals(before);
    this.orders.insistOnEffects((seq) => this.erasures.has(seq));
    for (const [id, seq] of this.accepted) {
      if (this.erasures.has(seq)) this.#messages.set(id, seq);
      const found = this.#messages.get(id);
      insist(found === seq, "what was acknowledged is in the log", { id, seq, found });
    }
    this.answers.audit(world);
    this.conversation.insistOnTurns();
  }

  /** A step is over. */
  rest(): void {
    this.#sent.clear();
  }

  #insistOnRefusals(before: number): void {
    for (const id of this.#refused.splice(0)) {
      // Somebody else's may have been taken, and the reply lost.
      if (this.#sent.get(id) !== 1) continue;
      const seq = this.#messages.get(id) ?? 0;
      insist(seq <= before, "what was refused has left nothing", { id, seq });
    }
    for (const [id, code] of this.#reasons.splice(0)) {
      const sound = code === "id_conflict" || !this.accepted.has(id) || this.isErased(id);
      insist(sound, "only what was deleted is forgotten", { id, code });
    }
  }

  /** Everything, against everything that was ever seen there. */
  auditAll(world: World): void {
    const rows = new Map(select(world, "").map((row) => [row.seq, row]));
    insist(Math.max(0, ...rows.keys()) === this.head, "the head never goes back", this.head);
    for (const [seq, old] of this.#log) {
      const row = rows.get(seq);
      if (row !== undefined) insist(row.frame === old.frame, "what was written stays as it is", seq);
      else this.#insistOnAge(old, world.now);
    }
    this.erasures.audit(world);
    this.erasures.insistOnAge(rows, world.now);
  }

  #insistOnAge({ seq, type, frame }: Row, now: number): void {
    insist(PASSING.includes(type), "nothing but steps is ever deleted", { seq, type });
    const { timestamp, run_id } = JSON.parse(frame).payload;
    insist(now - Date.parse(timestamp) >= MONTH_MS, "nothing is deleted before its time", { seq, timestamp });
    insist(
      run_id === undefined || this.answers.ended.has(run_id),
      "the journal of an unfinished run is whole",
      seq,
    );
    this.#log.delete(seq);
    this.conversation.forget(seq);
  }

  #take(row: Row, workshop: Workshop): void {
    insist(row.seq === this.head + 1, "numbers have no gap", { head: this.head, seq: row.seq });
    insist(row.acked === this.acked, "an event knows what was acknowledged", { row, acked: this.acked });
    this.head = row.seq;
    // Said and deleted since the last time: nobody knows what it was.
    if (row.type === ERASED) {
      this.#unseen = true;
      return this.erasures.add(row);
    }
    this.#log.set(row.seq, row);
    const { payload, seq, type } = JSON.parse(row.frame);
    insist(seq === row.seq && type === row.type, "a frame says what its row says", row);
    if (type === "user_message") this.#takeMessage(seq, payload);
    else if (type === "notification") this.#takeNotice(payload);
    else if (type.startsWith("thread_")) this.#takeThread(type, seq, payload);
    else this.answers.take(type, payload, workshop);
    this.orders.take({ type, seq, payload });
    this.conversation.take({ type, seq, payload, expires_at: row.expires_at });
  }

  #takeMessage(seq: number, payload: any): void {
    const asked = this.asked.get(payload.id);
    insist(asked !== undefined, "nobody's message is in the log", payload.id);
    insist(!this.#messages.has(payload.id), "a message is in the log once", payload.id);
    this.#messages.set(payload.id, seq);
    this.#insistOnContent(asked.said, payload);
    insist(
      (this.#last.get(asked.socket) ?? 0) < asked.order,
      "messages of one socket keep their order",
      payload.id,
    );
    this.#last.set(asked.socket, asked.order);
    this.answers.ask(payload);
  }

  #takeThread(type: string, seq: number, payload: any): void {
    if (type === "thread_deleted") return this.#takeDeletion(seq, payload);
    this.erasures.insistOnNone(payload.thread_id);
    this.answers.ask(payload);
  }

  /** From here on nothing in the thread is known any more, and no run of it says another word. */
  #takeDeletion(deletion: number, { thread_id }: any): void {
    // It may have been made since the last time, too.
    const there = this.#unseen || this.conversation.threadIds.includes(thread_id);
    insist(there, "what is not there is not deleted", thread_id);
    for (const row of this.#log.values()) {
      if (row.type === "thread_deleted" || JSON.parse(row.frame).payload.thread_id !== thread_id) continue;
      this.#log.delete(row.seq);
      this.erasures.add(row);
    }
    for (const [run_id, run] of this.conversation.runs) {
      if (run.thread_id === thread_id) this.answers.ended.add(run_id);
    }
    this.erasures.delete(thread_id, deletion);
  }

  #insistOnContent({ content, respond, thread_id = "main", parent_message_id }: Said, payload: any): void {
    insist(content === payload.content, "content arrives unchanged", payload);
    insist((respond !== false) === (payload.run_id !== undefined), "who asks for it gets a run", payload);
    insist(thread_id === payload.thread_id, "a message is where it was said", payload);
    this.erasures.insistOnNone(thread_id);
    const titled = (this.conversation.titleOf(thread_id) ?? "") !== "";
    insist(
      titled === (payload.thread === undefined),
      "a thread is named once by what is said in it",
      payload,
    );
    const before =
      parent_message_id === undefined ? this.conversation.newestOf(thread_id) : parent_message_id;
    insist(payload.parent_message_id === before, "a message follows what it should", { before, payload });
  }

  #takeNotice({ data }: any): void {
    if (typeof data !== "string") return;
    insist(!this.#published.has(data), "what is published again under its key is there once", data);
    this.#published.add(data);
  }
}
