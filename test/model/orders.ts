/** What was asked besides messages, and what came of it: each once, whatever was lost on the way. */
import { insist } from "./insist.ts";
import type { AnyFrame } from "./socket.ts";

export type OrderType =
  | "run_cancel"
  | "message_regenerate"
  | "thread_create"
  | "thread_update"
  | "thread_delete";

export interface Order {
  readonly type: OrderType;
  readonly payload: any;
  /** What its event must say, whoever asked for it. */
  readonly wish: string;
  /** Of its event, once it has been acknowledged. */
  readonly seq: number | undefined;
}

/** An event of the log, as far as it can have been asked for. */
interface Effect {
  readonly type: string;
  readonly seq: number;
  readonly payload: any;
}

export class Orders {
  readonly #known = new Map<string, Order>();
  readonly #wished = new Map<string, number>();
  readonly #granted = new Map<string, number>();
  readonly #wishes = new Map<number, string>();

  /** Those that must have one effect, however often they are sent. */
  get known(): [string, Order][] {
    return [...this.#known];
  }

  /** @param question what a `message_regenerate` asks for an answer to */
  ask(id: string, type: OrderType, payload: any, question: string | undefined): Order {
    const order = { type, payload, wish: wishOf(type, payload, question), seq: undefined };
    this.#known.set(id, order);
    this.#wished.set(order.wish, (this.#wished.get(order.wish) ?? 0) + 1);
    return order;
  }

  get(id: string): Order | undefined {
    return this.#known.get(id);
  }

  done(id: string, { payload }: AnyFrame): void {
    const order = this.#known.get(id);
    if (order === undefined) return;
    const known = order.seq ?? payload.seq;
    insist(known === payload.seq, "what was ordered is done once", { id, known, payload });
    this.#known.set(id, { ...order, seq: payload.seq });
  }

  /** Nothing happens to a thread, and no run is cancelled, that nobody asked for, or more often than that. */
  take(event: Effect): void {
    const wish = wishGranted(event);
    if (wish === undefined) return;
    const times = (this.#granted.get(wish) ?? 0) + 1;
    this.#granted.set(wish, times);
    this.#wishes.set(event.seq, wish);
    const wished = this.#wished.get(wish) ?? 0;
    insist(times <= wished, "nothing happens that nobody asked for", { wish, times, wished });
  }

  /** @param isErased whether an event was there and has been deleted */
  insistOnEffects(isErased: (seq: number) => boolean): void {
    for (const [id, { seq, wish }] of this.#known) {
      if (seq === undefined || isErased(seq)) continue;
      const granted = this.#wishes.get(seq);
      insist(granted === wish, "what was ordered is what was done", { id, seq, wish, granted });
    }
  }

  /** A month has passed: the ids from before may be forgotten. */
  age(): void {
    this.#known.clear();
  }
}

function wishOf(type: OrderType, payload: any, question: string | undefined): string {
  switch (type) {
    case "run_cancel":
      return `cancel ${payload.run_id}`;
    case "message_regenerate":
      return `regenerate ${question}`;
    case "thread_create":
      return `create ${payload.thread_id ?? "any"} ${payload.title ?? ""}`;
    case "thread_update":
      return `update ${payload.thread_id} ${payload.title} ${payload.head_message_id}`;
    case "thread_delete":
      return `delete ${payload.thread_id}`;
  }
}

function wishGranted({ type, payload }: Effect): string | undefined {
  const { thread_id, title, head_message_id, run_id, status } = payload;
  if (type === "agent_completed" && status === "cancelled") return `cancel ${run_id}`;
  if (type === "thread_created") return `create ${thread_id.startsWith("t_") ? "any" : thread_id} ${title}`;
  if (type === "thread_deleted") return `delete ${thread_id}`;
  if (type !== "thread_updated") return undefined;
  return run_id === undefined
    ? `update ${thread_id} ${title} ${head_message_id}`
    : `regenerate ${head_message_id}`;
}
