/**
 * A client as the protocol page wants it, sharing no code with the server: one
 * cursor, strict contiguity, every hole announced. Each rule it relies on is
 * insisted upon as frames come in.
 */
import { insist } from "./insist.ts";
import type { Hole } from "./reading.ts";
import type { Sdk } from "./sdk.ts";
import type { AnyFrame, ModelSocket } from "./socket.ts";

export class Tab {
  readonly name: string;
  client_id: string;
  /** Fed the same; it must come to the same. */
  sdk: Sdk | undefined;
  n = 0;
  epoch: string | undefined;
  /** Seq of the last event handed to the application, or covered by a snapshot. */
  cursor = 0;
  /** The position of the last snapshot. */
  adopted = 0;
  socket: ModelSocket | undefined;
  /** False: it acknowledges nothing, and its window fills. */
  acking = true;
  /** False once it has been mute on this socket: then it may have missed text that was not worth keeping. */
  steady = true;
  /** Asked whether it is there, and has not answered. */
  pinged = false;
  /** Exactly what the application was handed in this epoch, by seq. */
  handed = new Map<number, string>();
  /** The answers as they are being written. */
  readonly texts = new Map<string, { attempt: number; text: string }>();
  /** Runs whose attempt may have died since. */
  readonly #orphaned = new Set<string>();
  /** Events handed over since somebody last looked. */
  readonly fresh: number[] = [];
  /** Holes it was told of since somebody last looked. */
  readonly skipped: Hole[] = [];
  /** What it was last told to replace everything by. */
  snapshot: any;
  /** Runs whose question it has seen, and in which thread. */
  readonly #runs = new Map<string, string>();
  greeting: any;
  /** Frames it sent with an id on this socket, and how often. */
  #asked = new Map<string, number>();
  #answered = new Map<string, number>();
  #events = new Map<number, number>();
  #read = 0;
  #greeted = false;
  #awaited = 0;

  constructor(name: string, sdk?: Sdk) {
    this.name = name;
    this.client_id = `client-${name}`;
    this.sdk = sdk;
  }

  get live(): boolean {
    return this.socket !== undefined && this.socket.readyState === 1;
  }

  /** True once everything asked for on this socket has been told. */
  get replayed(): boolean {
    return this.#greeted && this.#awaited === 0;
  }

  attach(socket: ModelSocket): void {
    this.socket = socket;
    this.#asked = new Map();
    this.#answered = new Map();
    this.#events = new Map();
    this.#read = 0;
    this.#greeted = false;
    this.#awaited = 1;
    this.steady = this.acking;
    this.pinged = false;
    this.sdk?.lost();
  }

  /** Whoever was to answer is dead: a client asks again. */
  forgive(): void {
    this.#asked = new Map();
    this.#answered = new Map();
  }

  asked(id: string): void {
    this.#asked.set(id, (this.#asked.get(id) ?? 0) + 1);
  }

  /** A replay that is on its way is dropped for it. */
  resyncing(): void {
    this.#awaited = 1;
  }

  /** Another page load: another client, who knows nothing. */
  reload(client_id: string, sdk: Sdk | undefined): void {
    this.client_id = client_id;
    this.n = 0;
    this.sdk = sdk;
    this.socket = undefined;
    this.forget();
  }

  /** A page that was put to sleep and comes back as it was then; no page of the SDK does. */
  rewind(seq: number): void {
    this.cursor = seq;
    this.sdk = undefined;
    if (seq < this.adopted) this.snapshot = undefined;
    for (const handed of this.handed.keys()) if (handed > seq) this.handed.delete(handed);
  }

  /** What it holds is worth nothing any more. */
  forget(): void {
    this.epoch = undefined;
    this.cursor = 0;
    this.handed = new Map();
    this.snapshot = undefined;
    this.texts.clear();
  }

  /** Reads what has come; `reply` is told of each reply. */
  digest(reply: (frame: AnyFrame) => void): void {
    const { socket } = this;
    if (socket === undefined) return;
    for (; this.#read < socket.frames.length; this.#read += 1) {
      const frame = socket.frames[this.#read];
      if (frame !== undefined) this.#take(frame, reply);
    }
    this.#insistOnSdk();
    if (socket.closed?.code !== 4_300) return;
    this.forget();
    this.sdk?.invalidated();
  }

  #insistOnSdk(): void {
    const cursor = this.sdk?.view.cursor;
    if (cursor === undefined || !this.#greeted || Number.isNaN(this.cursor)) return;
    const { epoch, cursor: seq } = this;
    insist(cursor.epoch === epoch && cursor.seq === seq, "the SDK is where it should be", {
      cursor,
      epoch,
      seq,
    });
  }

  /** Only when nothing is on its way any more. */
  insistOnReplies(): void {
    if (!this.live) return;
    for (const [id, times] of this.#asked) {
      const got = this.#answered.get(id) ?? 0;
      insist(got === times, "every command gets exactly one reply", { tab: this.name, id, times, got });
    }
  }

  #take(frame: AnyFrame, reply: (frame: AnyFrame) => void): void {
    const { type, seq, payload } = frame;
    this.sdk?.take(this.socket?.texts[this.#read] ?? "");
    if (!this.#greeted) return this.#first(frame);
    insist(type !== "connection_established", "there is one greeting", this.name);
    if (seq !== undefined) this.#event(frame, seq);
    else if (frame.reply_to !== undefined) this.#reply(frame, frame.reply_to, reply);
    else if (type === "events_skipped") this.#skip(payload);
    else if (type === "state_snapshot") this.#adopt(payload);
    else if (type === "replay_completed") this.#completed(payload.seq);
    else if (type === "partial_result") this.#text(payload);
    else if (type === "ping") this.pinged = true;
  }

  #first({ type, payload }: AnyFrame): void {
    insist(type === "connection_established" || type === "error", "the greeting comes first", type);
    if (type === "error") return;
    this.#greeted = true;
    this.greeting = payload;
    if (payload.resume === "resumed") {
      insist(payload.epoch === this.epoch, "only a cursor of this epoch is resumed", payload);
      const missed = payload.head_seq > this.cursor ? { from: this.cursor + 1, to: payload.head_seq } : null;
      const same = JSON.stringify(payload.replay) === JSON.stringify(missed);
      insist(same, "the replay is exactly what was missed", { payload, cursor: this.cursor });
    } else {
      if (payload.epoch !== this.epoch) this.handed = new Map();
      this.epoch = payload.epoch;
      insist(payload.replay === null, "without resuming there is no replay", payload);
      this.#awaitSnapshot();
    }
    this.texts.clear();
  }

  #awaitSnapshot(): void {
    this.cursor = Number.NaN;
  }

  #adopt(payload: any): void {
    this.cursor = payload.as_of_seq;
    this.adopted = payload.as_of_seq;
    this.snapshot = payload;
    this.texts.clear();
    this.#runs.clear();
    for (const { run_id, thread_id } of payload.runs) this.#runs.set(run_id, thread_id);
  }

  #event(frame: AnyFrame, seq: number): void {
    this.#move(seq, seq);
    const text = this.socket?.texts[this.#read] ?? "";
    insist(!this.handed.has(seq), "no event is handed over twice", { tab: this.name, seq });
    this.handed.set(seq, text);
    this.#events.set(seq, this.#read);
    this.fresh.push(seq);
    const handed = this.sdk?.handed.at(-1) ?? seq;
    insist(handed === seq, "the SDK hands over what it is sent", { tab: this.name, handed, seq });
    const { run_id, thread_id } = frame.payload;
    if (frame.type === "user_message" || frame.type === "thread_updated") this.#runs.set(run_id, thread_id);
    if (frame.type === "agent_completed") this.#ended(frame.payload);
    if (frame.type === "thread_deleted") this.#dropThread(thread_id);
  }

  /** From here on no text of it is shown. */
  #dropThread(thread_id: string): void {
    for (const [run_id, known] of this.#runs) {
      if (known !== thread_id) continue;
      this.#runs.delete(run_id);
      this.texts.delete(run_id);
    }
  }

  /** Attempts may have died of a fault of the disk: of a run that ends before the next one, no text is kept. */
  orphan(): void {
    for (const run_id of this.texts.keys()) this.#orphaned.add(run_id);
  }

  /** An answer that was shown as it was written is the answer that is kept. */
  #ended({ run_id, content, status, attempts }: any): void {
    const shown = this.texts.get(run_id);
    this.texts.delete(run_id);
    if (this.#orphaned.delete(run_id) && content === "") return;
    if (shown === undefined || shown.attempt !== attempts || !this.steady) return;
    if (status !== "succeeded" && status !== "cancelled") return;
    insist(shown.text === content, "what was shown is what is kept", {
      tab: this.name,
      shown,
      content,
      status,
    });
  }

  #skip(hole: Hole): void {
    this.#move(hole.from, hole.to);
    this.skipped.push(hole);
  }

  #move(from: number, to: number): void {
    const facts = { tab: this.name, cursor: this.cursor, from, to };
    insist(from === this.cursor + 1 && to >= from, "events come in order and every hole is announced", facts);
    this.cursor = to;
  }

  #reply(frame: AnyFrame, id: string, reply: (frame: AnyFrame) => void): void {
    this.#answered.set(id, (this.#answered.get(id) ?? 0) + 1);
    if (frame.type !== "error" && frame.payload.duplicate === false) {
      const event = this.#events.get(frame.payload.seq);
      insist(event === undefined, "a reply comes before the event it is about", { tab: this.name, frame });
    }
    reply(frame);
  }

  #completed(seq: number): void {
    insist(this.#awaited > 0, "replay_completed comes once", this.name);
    this.#awaited -= 1;
    insist(seq === this.cursor, "replay_completed names the position", { seq, cursor: this.cursor });
    const { replay } = this.greeting;
    insist(replay === null || seq >= replay.to, "replay_completed comes when the replay is complete", {
      replay,
      seq,
    });
  }

  #text({ run_id, attempt, offset, delta, mode, text }: any): void {
    insist(this.replayed, "text comes only to who has caught up", this.name);
    insist(this.#runs.has(run_id), "text comes after the question it answers", { tab: this.name, run_id });
    const known = this.texts.get(run_id);
    if (mode === "set") {
      this.texts.set(run_id, { attempt, text });
      return;
    }
    const before = known !== undefined && known.attempt === attempt ? known.text : "";
    insist(before.length === offset, "a delta joins what was shown", {
      tab: this.name,
      before,
      offset,
      delta,
    });
    this.texts.set(run_id, { attempt, text: before + delta });
  }
}
