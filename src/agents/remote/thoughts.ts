/** What an agent thinks comes in pieces; each thought is told once, when it is whole. */
import { type RunRecord, shortened } from "./run-record.ts";

/** Reasoning and messages have ids of their own. */
type Kind = "reasoning" | "message";

/** Longer ones are cut, and it shows. */
export const MAX_THOUGHT_CHARS = 32 * 1024;

export class Thoughts {
  readonly #record: RunRecord;
  readonly #open = new Map<string, string>();

  constructor(record: RunRecord) {
    this.#record = record;
  }

  has(kind: Kind, id: string): boolean {
    return this.#open.has(keyOf(kind, id));
  }

  /** @param who thinks it, if it is not the agent itself */
  begin(kind: Kind, id: string, who?: string): void {
    const key = keyOf(kind, id);
    if (!this.#open.has(key)) this.#open.set(key, who ? `${who}: ` : "");
  }

  add(kind: Kind, id: string, delta: string): void {
    const key = keyOf(kind, id);
    const thought = this.#open.get(key) ?? "";
    if (thought.length <= MAX_THOUGHT_CHARS) this.#open.set(key, thought + delta);
  }

  end(kind: Kind, id: string): void {
    this.#tell(keyOf(kind, id));
  }

  say(thought: string): void {
    if (thought.trim() === "") return;
    const payload = { step: this.#record.step(), thought: shortened(thought, MAX_THOUGHT_CHARS) };
    this.#record.add({ type: "agent_thinking", payload });
  }

  /** What was not ended was thought all the same. */
  close(): void {
    for (const key of [...this.#open.keys()]) this.#tell(key);
  }

  #tell(key: string): void {
    const thought = this.#open.get(key);
    this.#open.delete(key);
    if (thought !== undefined) this.say(thought);
  }
}

function keyOf(kind: Kind, id: string): string {
  return `${kind} ${id}`;
}
