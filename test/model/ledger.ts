/**
 * What was asked and what was promised, kept apart from the session: after every
 * step the log on disk is held against it.
 */
import type { Workshop } from "./agent.ts";
import { type AnyFrame, insist, type World } from "./world.ts";

interface Asked {
  readonly content: string;
  readonly answered: boolean;
  /** On which socket it was first sent, and when among all that was ever sent. */
  readonly socket: number;
  readonly order: number;
}

interface Row {
  readonly seq: number;
  readonly type: string;
  readonly acked: number;
  readonly expires_at: number | null;
  readonly frame: string;
}

/** What retention may delete. */
const PASSING = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "notification"];

const MONTH_MS = 30 * 86_400_000;

export class Ledger {
  readonly asked = new Map<string, Asked>();
  /** Ids whose acceptance was acknowledged, with their seq. */
  readonly accepted = new Map<string, number>();
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
  /** The id of the newest message: all of them are in one thread. */
  #newest: string | null = null;
  #order = 0;

  /** A message is about to be sent; if it is not in the log yet, this is where it belongs. */
  ask(id: string, content: string, answered: boolean, socket: number): void {
    if (this.#messages.has(id)) return;
    this.#order += 1;
    this.asked.set(id, { content, answered, socket, order: this.#order });
  }

  /** A month has passed: who sends an id from before again may not rely on it being known. */
  ageIds(): void {
    for (const id of this.asked.keys()) this.#aged.add(id);
  }

  /** Ids that must have one effect, however often they are sent. */
  get knownIds(): string[] {
    return [...this.asked.keys()].filter((id) => !this.#aged.has(id));
  }

  replied({ type, reply_to = "", payload }: AnyFrame): void {
    if (type === "error") this.refusals.push(payload.code);
    const refused = type === "error" && this.accepted.has(reply_to) && payload.code !== "id_conflict";
    insist(!refused, "what was accepted is not refused afterwards", { reply_to, payload });
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

  frameAt(seq: number): string | undefined {
    return this.#log.get(seq)?.frame;
  }

  /** Nothing is delivered after its time. */
  insistOnLife(seqs: readonly number[], now: number): void {
    for (const seq of seqs) {
      const expires_at = this.#log.get(seq)?.expires_at ?? null;
      insist(expires_at === null || expires_at > now, "what has expired is not sent", {
        seq,
        expires_at,
        now,
      });
    }
  }

  /** Unread and alive: what a service's limit counts. */
  pending(now: number): number {
    const alive = (row: Row) => row.seq > this.acked && (row.expires_at === null || row.expires_at > now);
    return [...this.#log.values()].filter(alive).length;
  }

  /** What was written since the last time. */
  audit(world: World, workshop: Workshop): void {
    for (const row of select(world, `WHERE seq > ${this.head}`)) this.#take(row, workshop);
    for (const [id, seq] of this.accepted) {
      const found = this.#messages.get(id);
      insist(found === seq, "what was acknowledged is in the log", { id, seq, found });
    }
    this.#insistOnRuns(world);
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
  }

  #take(row: Row, workshop: Workshop): void {
    insist(row.seq === this.head + 1, "numbers have no gap", { head: this.head, seq: row.seq });
    insist(row.acked === this.acked, "an event knows what was acknowledged", { row, acked: this.acked });
    this.head = row.seq;
    this.#log.set(row.seq, row);
    const { payload, seq, type } = JSON.parse(row.frame);
    insist(seq === row.seq && type === row.type, "a frame says what its row says", row);
    if (type === "user_message") this.#takeMessage(seq, payload);
    else if (payload.run_id !== undefined) this.#takeStep(type, payload, workshop);
  }

  #takeMessage(seq: number, payload: any): void {
    const asked = this.asked.get(payload.id);
    insist(asked !== undefined, "nobody's message is in the log", payload.id);
    insist(!this.#messages.has(payload.id), "a message is in the log once", payload.id);
    insist(asked.content === payload.content, "content arrives unchanged", payload);
    insist(asked.answered === (payload.run_id !== undefined), "who asks for an answer gets a run", payload);
    insist(
      (this.#last.get(asked.socket) ?? 0) < asked.order,
      "messages of one socket keep their order",
      payload.id,
    );
    this.#last.set(asked.socket, asked.order);
    const first = this.#newest === null;
    insist(first === (payload.thread !== undefined), "a thread is made once, by its first message", payload);
    insist(payload.parent_message_id === this.#newest, "a message follows the newest one", payload);
    this.#newest = payload.message_id;
    this.#messages.set(payload.id, seq);
    if (payload.run_id === undefined) return;
    this.runs.push(payload.run_id);
    this.#runSeqs.set(payload.run_id, 0);
  }

  #takeStep(type: string, payload: any, workshop: Workshop): void {
    const { run_id, run_seq } = payload;
    insist(run_seq === this.#runSeqs.get(run_id), "run_seq has no gap", { type, payload });
    insist(!this.ended.has(run_id), "nothing comes after the end of a run", payload);
    insist((run_seq === 0) === (type === "agent_started"), "a run begins once", payload);
    this.#runSeqs.set(run_id, run_seq + 1);
    if (type === "agent_completed") {
      this.ended.add(run_id);
      this.#newest = payload.message_id;
    }
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

function select(world: World, where: string): Row[] {
  return world
    .rows(`SELECT seq, type, acked, expires_at, frame FROM events ${where} ORDER BY seq`)
    .map((row) => ({
      seq: Number(row.seq),
      type: String(row.type),
      acked: Number(row.acked),
      expires_at: row.expires_at === null ? null : Number(row.expires_at),
      frame: String(row.frame),
    }));
}
