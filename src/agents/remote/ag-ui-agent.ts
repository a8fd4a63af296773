/**
 * A run that an AG-UI agent somewhere else executes, as batches for a feed. Nothing
 * is asked of the agent before the first batch is, and nothing is read from it while
 * nobody waits for the next. Nothing is logged: what the agent says is the user's.
 */
import type { Fed } from "../../protocol/feeding.ts";
import { Batch } from "./batch.ts";
import type { Problem } from "./endings.ts";
import { EventsStream } from "./events-stream.ts";
import { ask, type RemoteRequest } from "./request.ts";
import { type Asking, Translation } from "./translation.ts";
import { type Outcome, within } from "./within.ts";

export interface RemoteLimits {
  /** Until the agent begins to answer. */
  readonly headers_ms: number;
  /** Between two pieces of its answer; a comment is one. */
  readonly idle_ms: number;
  /** Between two batches of text; the first one is not waited for. */
  readonly coalesce_ms: number;
  /** Without a batch for this long there is an empty one: the run is still being fed. */
  readonly alive_ms: number;
  /** All it sends. */
  readonly stream_bytes: number;
}

export const REMOTE_LIMITS: RemoteLimits = {
  headers_ms: 30_000,
  // A tool may take minutes, in which most agents say nothing.
  idle_ms: 300_000,
  coalesce_ms: 50,
  alive_ms: 15_000,
  stream_bytes: 64 * 1024 * 1024,
};

export interface RemoteRun extends RemoteRequest {
  /** Whoever aborts it ends the run: there are no more batches, and so no end among them. */
  readonly signal: AbortSignal;
  readonly limits?: Partial<RemoteLimits>;
}

/** The last batch ends the run, unless `signal` was aborted or the agent asks something, which is returned. Never throws. */
export async function* runRemote(run: RemoteRun): AsyncGenerator<readonly Fed[], Asking | undefined, void> {
  const limits = { ...REMOTE_LIMITS, ...run.limits };
  const connection = new AbortController();
  const abort = () => connection.abort();
  run.signal.addEventListener("abort", abort);
  if (run.signal.aborted) abort();
  try {
    if (run.signal.aborted) return undefined;
    const answered = await ask(run, limits.headers_ms, connection.signal);
    if (answered.ok) return yield* new Reading(run, limits, answered.body).batches();
    const { problem } = answered;
    if (problem) yield new Translation(run.input.so_far).fail(problem, run.clock.now());
    return undefined;
  } finally {
    run.signal.removeEventListener("abort", abort);
    connection.abort();
  }
}

type Chunk = ReadableStreamReadResult<Uint8Array>;

/** A stream that is being read, and what has been made of it. */
class Reading {
  readonly #run: RemoteRun;
  readonly #limits: RemoteLimits;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #translation: Translation;
  readonly #stream = new EventsStream();
  readonly #batch = new Batch();
  /** Asked for, and not here yet: a wait that was cut short goes on with it. */
  #next: Promise<Chunk> | undefined;
  #bytes = 0;
  #heard_at: number;
  /** When the last batch was handed over, and when the next one was asked for. */
  #told_at: number;
  #asked_at: number;
  #wrote = false;

  constructor(run: RemoteRun, limits: RemoteLimits, body: ReadableStream<Uint8Array>) {
    this.#run = run;
    this.#limits = limits;
    this.#reader = body.getReader();
    this.#translation = new Translation(run.input.so_far);
    this.#heard_at = run.clock.now();
    this.#told_at = this.#heard_at;
    this.#asked_at = this.#heard_at;
  }

  async *batches(): AsyncGenerator<readonly Fed[], Asking | undefined, void> {
    try {
      while (!this.#translation.ended) {
        const outcome = await this.#wait();
        if (outcome.is === "aborted") return undefined;
        this.#understand(outcome);
        if (this.#isDue()) yield* this.#told();
      }
      while (!this.#batch.empty) yield this.#batch.take();
      return this.#translation.asking;
    } finally {
      // What is still on its way is not wanted; whether it can be stopped is the platform's concern.
      this.#reader.cancel().catch(() => undefined);
    }
  }

  /** For the next piece, or until something else is due. */
  async #wait(): Promise<Outcome<Chunk>> {
    const { clock, signal } = this.#run;
    this.#next ??= this.#reader.read();
    const due = Math.min(this.#toldBy(), this.#heardBy());
    const outcome = await within(this.#next, Math.max(0, due - clock.now()), clock, signal);
    if (outcome.is === "done") this.#next = undefined;
    return outcome;
  }

  #understand(outcome: Exclude<Outcome<Chunk>, { is: "aborted" }>): void {
    const now = this.#run.clock.now();
    if (outcome.is === "late") {
      if (now >= this.#heardBy()) this.#batch.add(this.#translation.fail(SILENT, now));
    } else if (outcome.is === "failed") {
      this.#batch.add(this.#translation.cut(now));
    } else if (outcome.value.done) {
      for (const event of this.#stream.end()) this.#batch.add(this.#translation.add(event, now));
      this.#batch.add(this.#translation.cut(now));
    } else {
      this.#heard_at = now;
      this.#read(outcome.value.value, now);
    }
  }

  #read(bytes: Uint8Array, now: number): void {
    this.#bytes += bytes.byteLength;
    for (const event of this.#stream.read(bytes)) this.#batch.add(this.#translation.add(event, now));
    if (this.#stream.overflown) this.#batch.add(this.#translation.fail(EVENT_TOO_LARGE, now));
    if (this.#bytes > this.#limits.stream_bytes) this.#batch.add(this.#translation.fail(TOO_MUCH, now));
  }

  #isDue(): boolean {
    if (this.#translation.ended) return false;
    if (this.#batch.hasEvents || (!this.#wrote && !this.#batch.empty)) return true;
    return this.#run.clock.now() >= this.#toldBy();
  }

  /** The time in which nobody asks for more is not the agent's silence. */
  async *#told(): AsyncGenerator<readonly Fed[], void, void> {
    this.#wrote ||= !this.#batch.empty;
    this.#told_at = this.#run.clock.now();
    do yield this.#batch.take();
    while (!this.#batch.empty);
    this.#asked_at = this.#run.clock.now();
    this.#heard_at += this.#asked_at - this.#told_at;
  }

  #toldBy(): number {
    const { coalesce_ms, alive_ms } = this.#limits;
    return this.#batch.empty ? this.#asked_at + alive_ms : this.#told_at + coalesce_ms;
  }

  #heardBy(): number {
    return this.#heard_at + this.#limits.idle_ms;
  }
}

const SILENT: Problem = {
  status: "interrupted",
  code: "agent_silent",
  message: "the agent has fallen silent",
  retryable: true,
};

const EVENT_TOO_LARGE: Problem = {
  status: "failed",
  code: "agent_event_too_large",
  message: "the agent sent an event that is too large",
  retryable: false,
};

const TOO_MUCH: Problem = {
  status: "failed",
  code: "agent_too_much",
  message: "the agent sent more than a run may have",
  retryable: false,
};
