/** An agent that does a little of everything; what it did is kept where no crash can reach it. */
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import { report, text, think, tool } from "../../src/agents/effects.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { blame } from "./insist.ts";

const keyed = z.object({ key: z.string() });

export class Workshop {
  /** Closed, tools wait. */
  open = true;
  /** Closed to what must not be repeated, only that waits. */
  charging = true;
  /** True while the disk has not got everything yet. */
  writing = false;
  readonly charged = new Map<string, number>();
  /** Keys of tool calls whose completion is in the log. */
  readonly completed = new Set<string>();
  #waiting: (() => void)[] = [];

  release(): void {
    this.open = true;
    this.charging = true;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** One of those that wait may go on; the others, and what comes, still wait. */
  releaseOne(): void {
    this.#waiting.shift()?.();
  }

  readonly agent: Agent = workshopAgent(this);

  async work(kind: string, key: string, signal: AbortSignal): Promise<string> {
    if (this.completed.has(`${kind} ${key}`)) blame("no completed tool is repeated", `${kind} ${key}`);
    if (kind === "charge") {
      const times = (this.charged.get(key) ?? 0) + 1;
      this.charged.set(key, times);
      if (times > 1) blame("what must not be repeated is not", key);
    }
    if (!this.open || (kind === "charge" && !this.charging)) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener("abort", () => resolve());
      });
    }
    return `${kind} ${key}`;
  }
}

function workshopAgent(workshop: Workshop): Agent {
  const made = (name: string, idempotent: boolean): Tool<{ key: string }, string> => ({
    name,
    description: name,
    input: keyed,
    output: z.string(),
    idempotent,
    execute: ({ key }, { signal }) => workshop.work(name, key, signal),
  });
  const look = made("look", true);
  const charge = made("charge", false);
  return {
    name: "worker",
    version: "1",
    *run({ run_id, question }) {
      if (workshop.writing) blame("no work begins before its attempt is on disk", question);
      yield* think("Let me see.");
      yield* text("First ");
      const seen = yield* tool(look, { key: run_id });
      yield* text(`${seen}, `);
      if (question.length % 2 === 0) yield* text(`${yield* tool(charge, { key: run_id })}. `);
      yield* report({ summary: seen, findings: [], recommendations: [], assumptions: [], questions: [] });
      yield* text("Done.");
      return { finish_reason: "stop" };
    },
  };
}
