/** Plays a protocol vector against a session at the desk. */
import * as z from "zod/mini";
import type { Agent } from "../../src/agents/agent.ts";
import { report, text, think, tool } from "../../src/agents/effects.ts";
import type { Tool } from "../../src/agents/tool.ts";
import { Desk, principalWith, type RecordingSocket } from "./desk.ts";

const line = z.union([
  z.object({ about: z.string() }),
  z.object({
    connect: z.string(),
    query: z.record(z.string(), z.string()),
    permissions: z._default(z.array(z.enum(["chat", "agents"])), ["chat", "agents"]),
  }),
  z.object({ send: z.string(), text: z.string() }),
  z.object({ crash: z.literal(true) }),
  z.object({ advance_ms: z.number() }),
  z.object({ alarm: z.literal(true) }),
  z.object({ expect: z.string(), frames: z.array(z.unknown()) }),
]);

type Step = Exclude<z.infer<typeof line>, { expect: string }>;

export interface Mismatch {
  readonly line: number;
  readonly expected: readonly unknown[];
  readonly actual: readonly unknown[];
}

const add: Tool<{ a: number; b: number }, number> = {
  name: "add",
  description: "adds two numbers",
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.number(),
  idempotent: true,
  execute: ({ a, b }) => a + b,
};

/** Answers every question in the same way. */
const fixed: Agent = {
  name: "fixed",
  version: "1",
  *run() {
    yield* think("Adding 2 and 3.");
    const sum = yield* tool(add, { a: 2, b: 3 });
    yield* text(`The sum is ${sum}.`);
    yield* report({ summary: `${sum}`, findings: [], recommendations: [], assumptions: [], questions: [] });
    return { finish_reason: "stop" };
  },
};

export class VectorPlayer {
  readonly #desk: Desk;
  readonly #sockets = new Map<string, RecordingSocket>();
  readonly #taken = new Map<string, number>();

  constructor(storage: DurableObjectStorage) {
    this.#desk = new Desk(storage, fixed);
  }

  /** What was sent otherwise than the vector says; nothing if all is well. */
  async play(vector: string): Promise<Mismatch[]> {
    const mismatches: Mismatch[] = [];
    const lines = vector.split("\n").filter((text) => text.trim() !== "");
    for (const [index, text] of lines.entries()) {
      const step = line.parse(JSON.parse(text));
      if (!("expect" in step)) await this.#perform(step);
      else {
        const actual = this.#take(step.expect);
        if (JSON.stringify(actual) === JSON.stringify(step.frames)) continue;
        mismatches.push({ line: index + 1, expected: step.frames, actual });
      }
    }
    return mismatches;
  }

  async #perform(step: Step): Promise<void> {
    if ("connect" in step) {
      const principal = { ...principalWith(step.permissions), user_id: "u_vector", sub: "vector" };
      this.#sockets.set(step.connect, this.#desk.connect({ principal, ...step.query }));
      this.#taken.set(step.connect, 0);
    }
    if ("send" in step) await this.#desk.send(this.#socket(step.send), step.text);
    if ("advance_ms" in step) this.#desk.advance(step.advance_ms);
    if ("alarm" in step) this.#desk.session.deadlines.fire();
    if ("crash" in step) this.#desk.crash();
    await this.#desk.idle();
  }

  #take(name: string): unknown[] {
    const { sent } = this.#socket(name);
    const fresh = sent.slice(this.#taken.get(name));
    this.#taken.set(name, sent.length);
    return fresh;
  }

  #socket(name: string): RecordingSocket {
    const socket = this.#sockets.get(name);
    if (socket === undefined) throw new Error(`no connection ${name} in this vector`);
    return socket;
  }
}
