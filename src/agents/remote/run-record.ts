/**
 * What has been said of a run so far, as events that a feed takes: numbered without
 * a gap, none too large, and not more than a run may have.
 */
import type { Fed, FedEvent } from "../../protocol/feeding.ts";
import { MAX_FED_EVENT_BYTES, MAX_FED_EVENTS, MAX_FED_RUN_CHARS } from "../../protocol/limits.ts";
import { unsafe } from "../../protocol/parse.ts";
import { fitsBytes } from "../../protocol/primitives.ts";
import type { SoFar } from "./so-far.ts";

/** An event that has no number yet. */
type Said = Numberless<FedEvent>;
type Numberless<Event> = Event extends FedEvent ? Omit<Event, "run_seq"> : never;

/** What the server adds to each of them: ids, names, the time. */
const ENVELOPE_CHARS = 1_024;

/** What a person is asked in one run: an agent that asks on and on would be asked on and on. */
export const MAX_ASKINGS = 20;

/** JSON of the arguments of a call, of its result, or of a report; beside it there is room for names and ids. */
export const MAX_VALUE_BYTES = MAX_FED_EVENT_BYTES - 8 * 1024;

export const ARGUMENTS_TOO_LARGE = "arguments_too_large";

export class RunRecord {
  #fresh: Fed[] = [];
  #next: number;
  #chars: number;
  #full = false;
  #step: number;
  readonly #askings: number;
  #begins = true;
  #stepsOpen = 0;

  constructor({ run_seq, chars, step, askings }: SoFar) {
    this.#next = run_seq;
    this.#chars = chars;
    this.#step = step;
    this.#askings = askings;
  }

  /** There was no room for something. */
  get full(): boolean {
    return this.#full;
  }

  /** The agent begins a step of its own: whatever it does until the end of it belongs together. */
  beginStep(): void {
    this.#stepsOpen += 1;
    this.#begins = true;
  }

  endStep(): void {
    this.#stepsOpen = Math.max(0, this.#stepsOpen - 1);
    this.#begins = true;
  }

  /** The step of something new. @param together with what is still going on */
  step(together = false): number {
    if (this.#begins || !(together || this.#stepsOpen > 0)) this.#step += 1;
    this.#begins = false;
    return this.#step;
  }

  /** False if there is no room. What completes a call, or the run, always has it. */
  add(said: Said): boolean {
    const completes = said.type === "tool_completed" || said.type === "agent_completed";
    const chars = said.type === "agent_completed" ? 0 : JSON.stringify(said).length + ENVELOPE_CHARS;
    if (!completes && !this.#hasRoom(chars)) return false;
    this.#chars += chars;
    this.#fresh.push({ ...said, run_seq: this.#next });
    this.#next += 1;
    return true;
  }

  /** False if there is no room for what the run waits for, which is recorded elsewhere, and for its answers. */
  waits(asked: readonly object[], text: string): boolean {
    const events = 2 * asked.length;
    this.#full ||= this.#askings >= MAX_ASKINGS;
    return (
      this.#hasRoom(JSON.stringify([asked, text]).length + events * ENVELOPE_CHARS, events) && !this.#full
    );
  }

  /** Why a value cannot be recorded; nothing if it can. */
  refusal(what: "arguments" | "result", value: unknown): { code: string; message: string } | undefined {
    const json = JSON.stringify(value) ?? "";
    const code = what === "result" ? "result_too_large" : ARGUMENTS_TOO_LARGE;
    if (!fitsBytes(json, MAX_VALUE_BYTES)) {
      return { code, message: `the JSON of ${what} may have ${MAX_VALUE_BYTES} bytes` };
    }
    return this.#hasRoom(json.length) ? undefined : { code, message: "the run has no room left for them" };
  }

  text(offset: number, delta: string): void {
    if (delta !== "") this.#fresh.push({ type: "partial_result", payload: { offset, delta } });
  }

  /** What is new since it was last asked for. */
  take(): Fed[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  #hasRoom(chars: number, events = 1): boolean {
    const fits = this.#next + events <= MAX_FED_EVENTS && this.#chars + chars <= MAX_FED_RUN_CHARS;
    if (!fits) this.#full = true;
    return fits;
  }
}

/** Neither too deep for a client nor of a shape that could hurt it. */
export function isSafe(value: unknown): boolean {
  return unsafe({ payload: { value } }) === undefined;
}

/** The beginning of `text`, for people: never half a character. */
export function shortened(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const code = text.charCodeAt(chars - 2);
  return `${text.slice(0, code >= 0xd800 && code < 0xdc00 ? chars - 2 : chars - 1)}…`;
}
