/**
 * The calls of a remote agent: written in pieces, then executing, then completed,
 * each once and under an id of its own, whatever the agent calls it.
 */
import { MAX_ID_CHARS } from "../../protocol/primitives.ts";
import { isRecord, parseJson } from "../../protocol/pure/json.ts";
import { isSafe, MAX_VALUE_BYTES, type RunRecord, shortened } from "./run-record.ts";
import type { OpenCall, SoFar } from "./so-far.ts";

interface Writing {
  readonly tool_name: string;
  args: string;
}

interface Open extends OpenCall {
  /** Unknown where the call was begun before the run waited. */
  readonly began_at?: number;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Longer ones are no names. */
const MAX_NAME_CHARS = 200;
const MAX_MESSAGE_CHARS = 500;

export const OUTCOME_UNKNOWN: Failure = {
  code: "outcome_unknown",
  message: "the run ended before the outcome was known",
};

export class ToolCalls {
  readonly #record: RunRecord;
  /** By the ids of the agent. */
  readonly #writing = new Map<string, Writing>();
  readonly #open = new Map<string, Open>();
  /** Our ids, of this run. */
  readonly #used = new Set<string>();

  constructor(record: RunRecord, { open, calls }: SoFar) {
    this.#record = record;
    for (const call of open) this.#open.set(call.tool_call_id, call);
    for (const id of calls) this.#used.add(id);
  }

  /** One that has begun and is not completed, by the agent's id. */
  open(id: unknown): Open | undefined {
    return typeof id === "string" ? this.#open.get(id) : undefined;
  }

  begin(id: string, name: string): void {
    if (!this.#writing.has(id))
      this.#writing.set(id, { tool_name: shortened(name, MAX_NAME_CHARS), args: "" });
  }

  write(id: string, delta: string): void {
    const call = this.#writing.get(id);
    // One piece too many is kept: it tells that there were too many.
    if (call !== undefined && call.args.length <= MAX_VALUE_BYTES) call.args += delta;
  }

  /** Its arguments are complete. */
  execute(id: string, now: number): void {
    const call = this.#writing.get(id);
    if (call === undefined) return;
    this.#writing.delete(id);
    this.#complete(id, now, { status: "error", error: OUTCOME_UNKNOWN });
    const { tool_name } = call;
    const tool_call_id = this.#idFor(id);
    const step = this.#record.step(this.#open.size > 0);
    const args = this.#argsOf(call);
    const added = this.#record.add({
      type: "tool_executing",
      payload: { step, tool_call_id, tool_name, args },
    });
    if (added) this.#open.set(id, { tool_call_id, tool_name, step, args, began_at: now });
  }

  /** @param content a text, or parts */
  result(id: string, content: unknown, error: unknown, now: number): void {
    this.execute(id, now);
    const result = resultOf(content);
    const refused = this.#record.refusal("result", result);
    if (refused !== undefined) return this.#complete(id, now, { status: "error", error: refused });
    if (typeof error !== "string" || error === "") return this.#complete(id, now, { status: "ok", result });
    const message = shortened(error, MAX_MESSAGE_CHARS);
    this.#complete(id, now, { status: "error", result, error: { code: "tool_failed", message } });
  }

  /** Nothing more will be written: what was is as much as there is. */
  executeAll(now: number): void {
    for (const id of [...this.#writing.keys()]) this.execute(id, now);
  }

  /** What is still open will not be completed by the agent. */
  close(now: number, why: (id: string) => Failure): void {
    for (const id of [...this.#open.keys()]) this.#complete(id, now, { status: "error", error: why(id) });
  }

  #complete(
    id: string,
    now: number,
    outcome: { status: "ok" | "error"; result?: unknown; error?: Failure },
  ): void {
    const call = this.#open.get(id);
    if (call === undefined) return;
    this.#open.delete(id);
    const { tool_call_id, tool_name, step, began_at = now } = call;
    const of = { tool_call_id, tool_name, step };
    const payload = { ...of, ...outcome, duration_ms: Math.max(0, now - began_at) };
    this.#record.add({ type: "tool_completed", payload });
  }

  /** Arguments that are not JSON, or not of a kind that is passed on, are shown as they were written. */
  #argsOf({ args }: Writing): unknown {
    const parsed = args === "" ? {} : parseJson(args);
    const value = parsed === undefined || !isSafe(parsed) ? args : parsed;
    const error = this.#record.refusal("arguments", value);
    return error === undefined ? value : { error };
  }

  #idFor(id: string): string {
    let ours = id;
    for (let n = this.#used.size + 1; !isId(ours) || this.#used.has(ours); n += 1) ours = `call-${n}`;
    this.#used.add(ours);
    return ours;
  }
}

function isId(id: string): boolean {
  return id.length > 0 && id.length <= MAX_ID_CHARS;
}

/** An object or a list comes as its JSON: it is shown as what it is. */
function resultOf(content: unknown): unknown {
  if (typeof content !== "string") return partsOf(content);
  const parsed = /^\s*[[{]/.test(content) ? parseJson(content) : undefined;
  return parsed !== undefined && isSafe(parsed) ? parsed : content;
}

function partsOf(content: unknown): unknown {
  if (content === undefined) return null;
  if (!Array.isArray(content) || content.length === 0) return isSafe(content) ? content : null;
  const texts = content.map((part: unknown) =>
    isRecord(part) && part.type === "text" ? part.text : undefined,
  );
  if (texts.every((text) => typeof text === "string")) return texts.join("\n");
  return isSafe(content) ? content : null;
}
