/** What waits to be fed: pieces of text that follow each other are one. */
import { type Fed, MAX_FED } from "../../protocol/feeding.ts";

export class Batch {
  #waiting: Fed[] = [];
  #events = false;

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  /** There is something in it that is kept: it goes at once. */
  get hasEvents(): boolean {
    return this.#events;
  }

  add(fed: readonly Fed[]): void {
    for (const one of fed) {
      if (one.type !== "partial_result") this.#events = true;
      if (!this.#joined(one)) this.#waiting.push(one);
    }
  }

  /** At most as much as one batch may have. */
  take(): readonly Fed[] {
    const taken = this.#waiting.slice(0, MAX_FED);
    this.#waiting = this.#waiting.slice(MAX_FED);
    if (this.#waiting.length === 0) this.#events = false;
    return taken;
  }

  #joined(one: Fed): boolean {
    const last = this.#waiting.at(-1);
    if (last?.type !== "partial_result" || one.type !== "partial_result") return false;
    if (!("delta" in last.payload) || !("delta" in one.payload)) return false;
    const { offset, delta } = last.payload;
    const payload = { offset, delta: delta + one.payload.delta };
    this.#waiting[this.#waiting.length - 1] = { type: "partial_result", payload };
    return true;
  }
}
