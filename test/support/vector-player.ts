/**
 * Plays a protocol vector against the real session on the object's real SQLite.
 * Time stands still, ids are counted, and sockets write down what they are sent.
 */
import type { Agent } from "../../src/agents/agent.ts";
import { report, text, think, tool, type Tool } from "../../src/agents/effects.ts";
import * as z from "zod/mini";
import { native } from "../../src/dialects/native.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import type { Socket } from "../../src/session/ports.ts";
import { Session } from "../../src/session/session.ts";

/** Every time in a vector. */
const NOW = Date.parse("2026-01-01T00:00:00.000Z");

const line = z.union([
  z.object({ about: z.string() }),
  z.object({ connect: z.string(), query: z.record(z.string(), z.string()), permissions: z.optional(z.array(z.enum(["chat", "agents"]))) }),
  z.object({ send: z.string(), text: z.string() }),
  z.object({ crash: z.literal(true) }),
  z.object({ expect: z.string(), frames: z.array(z.unknown()) }),
]);

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

class RecordingSocket implements Socket {
  readyState = 1;
  readonly sent: unknown[] = [];
  #attachment: unknown;
  send(frame: string): void {
    this.sent.push(JSON.parse(frame));
  }
  close(code?: number, reason?: string): void {
    this.readyState = 3;
    this.sent.push({ closed: { code, reason } });
  }
  serializeAttachment(attachment: unknown): void {
    this.#attachment = structuredClone(attachment);
  }
  deserializeAttachment(): unknown {
    return this.#attachment;
  }
}

export class VectorPlayer {
  readonly #storage: DurableObjectStorage;
  readonly #sockets = new Map<string, RecordingSocket>();
  readonly #taken = new Map<string, number>();
  readonly #work: Promise<void>[] = [];
  #ids = 0;
  #session: Session;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#session = this.#wake();
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

  async #perform(step: Exclude<z.infer<typeof line>, { expect: string }>): Promise<void> {
    if ("connect" in step) this.#connect(step.connect, step.query, step.permissions ?? ["chat", "agents"]);
    if ("send" in step) await this.#session.intake.receive(this.#socket(step.send), step.text);
    if ("crash" in step) {
      this.#sockets.clear();
      this.#session = this.#wake();
    }
    while (this.#work.length > 0) await Promise.all(this.#work.splice(0));
  }

  #connect(name: string, query: Record<string, string>, permissions: ("chat" | "agents")[]): void {
    const socket = new RecordingSocket();
    this.#sockets.set(name, socket);
    this.#taken.set(name, 0);
    this.#session.reception.connect(socket, {
      codec: "native",
      principal: {
        user_id: "u_vector",
        realm: "local",
        sub: "vector",
        permissions,
        plan: "free",
        iat: NOW / 1_000,
        exp: NOW / 1_000 + 3_600,
      },
      ...query,
    });
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

  #wake(): Session {
    const session = new Session({
      user_id: "u_vector",
      storage: this.#storage,
      sockets: () => [...this.#sockets.values()],
      clock: { now: () => NOW, wait: async () => {}, timer: () => () => {} },
      ids: {
        random: () => {
          this.#ids += 1;
          return `id${this.#ids}`;
        },
      },
      background: (work) => this.#work.push(work),
      agents: [fixed],
      codecs: { native },
      limits: DEFAULT_LIMITS,
      report: () => {},
    });
    session.wake(null);
    return session;
  }
}
