/**
 * What was asked and what was promised, kept apart from the session: after every
 * step the log on disk is held against it.
 */
import type { Workshop } from "./agent.ts";
import { Conversation } from "./conversation.ts";
import { insist } from "./insist.ts";
import { type Row, select } from "./rows.ts";
import type { AnyFrame } from "./socket.ts";
import type { World } from "./world.ts";

/** What a message says, as it is sent. */
export interface Said {
  readonly content: string;
  readonly respond?: false;
  readonly thread_id?: string;
  readonly parent_message_id?: string;
}

interface Asked {
  readonly said: Said;
  /** On which socket it was first sent, and when among all that was ever sent. */
  readonly socket: number;
  readonly order: number;
}

/** What retention may delete. */
const PASSING = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "notification"];

const ATTEMPTS = 3;

const MONTH_MS = 30 * 86_400_000;

export class Ledger {
  readonly asked = new Map<string, Asked>();
  /** Ids whose acceptance was acknowledged, with their seq. */
  readonly accepted = new Map<string, number>();
  readonly conversation = new Conversation();
  /** Cancels that were accepted: the run, and the seq of its end. */
  readonly cancels = new Map<string, { readonly run_id: string; readonly seq: number | undefined }>();
  readonly runs: string[] = [];
  readonly ended = new Set<string>();
  head = 0;
  /** Runs that have a row. */
  unfinished = 0;
  /** Why commands were refused, in order. */
  readonly refusals: string[] = [];
  /** The highest seq anybody acknowledged, as the session must know it. */
  acked = 0;
  /** The seq of every message in the log, by the id it was sent under. */
  readonly #messages = new Map<string, number>();
  readonly #log = new Map<number, Row>();
  /** The last message of each socket, as a place in the order of sending. */
  readonly #last = new Map<number, number>();
  readonly #runSeqs = new Map<string, number>();
  readonly #aged = new Set<string>();
  readonly #firsts = new Set<string>();
  /** How often each message was sent in this step, and which were refused. */
  readonly #sent = new Map<string, number>();
  readonly #refused: string[] = [];
  /** Keys of publications in the log. */
  readonly #published = new Set<string>();
  #order = 0;

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
    this.cancels.clear();
  }

  /** Ids that must have one effect, however often they are sent. */
  get knownIds(): string[] {
    return [...this.asked.keys()].filter((id) => !this.#aged.has(id));
  }

  replied({ type, reply_to = "", payload }: AnyFrame): void {
    if (type === "error") return this.#refusal(reply_to, payload);
    if (type === "command_ack") return this.#cancelled(reply_to, payload.seq);
    if (type !== "message_ack") return;
    const known = this.accepted.get(reply_to);
    insist(known === undefined || known === payload.seq, "a message has one seq for ever", {
      reply_to,
      known,
    });
    // Tabs are looked at one after the other, so the reply marked as a duplicate may be seen first.
    insist(payload.duplicate || !this.#firsts.has(reply_to), "what was done is not done again", reply_to);
    if (!payload.duplicate) this.#firsts.add(reply_to);
    this.accepted.set(reply_to, payload.seq);
  }

  #refusal(id: string, { code, retryable }: { code: string; retryable: boolean }): void {
    this.refusals.push(code);
    const sound = !this.accepted.has(id) || code === "id_conflict" || retryable;
    insist(sound, "what was accepted is not refused afterwards", { id, code });
    if (code !== "id_conflict") this.#refused.push(id);
  }

  #cancelled(id: string, seq: number | undefined): void {
    const cancel = this.cancels.get(id);
    if (cancel === undefined) return;
    insist(cancel.seq === undefined || cancel.seq === seq, "a run is cancelled once", { id, seq });
    this.cancels.set(id, { ...cancel, seq });
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
    for (const row of select(world, `WHERE seq > ${this.head}`)) this.#take(row, workshop);
    this.#insistOnRefusals(before);
    this.#insistOnCancels();
    for (const [id, seq] of this.accepted) {
      const found = this.#messages.get(id);
      insist(found === seq, "what was acknowledged is in the log", { id, seq, found });
    }
    this.#insistOnRuns(world);
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
  }

  #insistOnCancels(): void {
    for (const [id, { run_id, seq }] of this.cancels) {
      if (seq === undefined) continue;
      const { type, payload } = JSON.parse(this.#log.get(seq)?.frame ?? "{}");
      const done = type === "agent_completed" && payload.run_id === run_id && payload.status === "cancelled";
      insist(done, "what was cancelled has ended as cancelled", { id, run_id, seq });
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
  }

  #insistOnAge({ seq, type, frame }: Row, now: number): void {
    insist(PASSING.includes(type), "nothing but steps is ever deleted", { seq, type });
    const { timestamp, run_id } = JSON.parse(frame).payload;
    insist(now - Date.parse(timestamp) >= MONTH_MS, "nothing is deleted before its time", { seq, timestamp });
    insist(run_id === undefined || this.ended.has(run_id), "the journal of an unfinished run is whole", seq);
    this.#log.delete(seq);
    this.conversation.forget(seq);
  }

  #take(row: Row, workshop: Workshop): void {
    insist(row.seq === this.head + 1, "numbers have no gap", { head: this.head, seq: row.seq });
    insist(row.acked === this.acked, "an event knows what was acknowledged", { row, acked: this.acked });
    this.head = row.seq;
    this.#log.set(row.seq, row);
    const { payload, seq, type } = JSON.parse(row.frame);
    insist(seq === row.seq && type === row.type, "a frame says what its row says", row);
    if (type === "user_message") this.#takeMessage(seq, payload);
    else if (type === "notification") this.#takeNotice(payload);
    else this.#takeStep(type, payload, workshop);
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
    if (payload.run_id === undefined) return;
    this.runs.push(payload.run_id);
    this.#runSeqs.set(payload.run_id, 0);
  }

  #insistOnContent({ content, respond, thread_id = "main", parent_message_id }: Said, payload: any): void {
    insist(content === payload.content, "content arrives unchanged", payload);
    insist((respond !== false) === (payload.run_id !== undefined), "who asks for it gets a run", payload);
    insist(thread_id === payload.thread_id, "a message is where it was said", payload);
    const newest = this.conversation.newestOf(thread_id);
    insist((newest === null) === (payload.thread !== undefined), "a thread is made once", payload);
    const before = parent_message_id ?? newest;
    insist(payload.parent_message_id === before, "a message follows what it should", { before, payload });
  }

  #takeNotice({ data }: any): void {
    if (typeof data !== "string") return;
    insist(!this.#published.has(data), "what is published again under its key is there once", data);
    this.#published.add(data);
  }

  #takeStep(type: string, payload: any, workshop: Workshop): void {
    const { run_id, run_seq } = payload;
    insist(run_seq === this.#runSeqs.get(run_id), "run_seq has no gap", { type, payload });
    insist(!this.ended.has(run_id), "nothing comes after the end of a run", payload);
    insist((run_seq === 0) === (type === "agent_started"), "a run begins once", payload);
    this.#runSeqs.set(run_id, run_seq + 1);
    if (type === "agent_completed") this.ended.add(run_id);
    insist((payload.attempts ?? 1) <= ATTEMPTS, "a run is tried three times at most", payload);
    if (type === "tool_completed" && payload.status === "ok") workshop.completed.add(payload.result);
  }

  #insistOnRuns(world: World): void {
    const unfinished = new Set(world.rows("SELECT run_id FROM runs").map(({ run_id }) => String(run_id)));
    this.unfinished = unfinished.size;
    for (const run_id of this.runs) {
      const ended = this.ended.has(run_id);
      insist(ended || unfinished.has(run_id), "an accepted run is never lost", run_id);
      insist(!(ended && unfinished.has(run_id)), "a run that has ended has no row", run_id);
    }
    for (const run_id of unfinished) insist(this.#runSeqs.has(run_id), "no run without its question", run_id);
  }
}
