/** What steps are made of. */
import type { History } from "./history.ts";
import { insist } from "./insist.ts";
import type { Tab } from "./tab.ts";

/** `a` and `b` choose among what there is, so that a shortened history still makes sense. */
export type Play = (history: History, a: number, b: number) => void;

const QUEUE_EVENTS = 1_000;

export function chosen<T>(from: readonly T[], index: number): T | undefined {
  return from[index % Math.max(1, from.length)];
}

interface Publication {
  readonly ttl_s?: number;
  /** Its content too. */
  readonly key?: string;
  /** It was accepted before under its key: taken again, whatever there is room for. */
  readonly known?: boolean;
}

export function publish(h: History, count: number, { ttl_s, key, known }: Publication = {}): void {
  const notice = { topic: "t", data: key ?? count, ...(ttl_s === undefined ? {} : { ttl_s }) };
  const events = Array.from({ length: count }, () => notice);
  const pending = h.ledger.pending(h.world.now);
  let outcome: string | undefined;
  const idempotency = key === undefined ? {} : { idempotency_key: key };
  const done = h.world.session.requests.publish({ who: SERVICE, events, ...idempotency });
  done.then(
    (result) => {
      outcome = result.ok ? "accepted" : result.refusal.code;
    },
    () => {},
  );
  const expected = known || pending + count <= QUEUE_EVENTS ? "accepted" : "queue_full";
  if (key !== undefined && expected === "accepted" && !known) h.keys.push(key);
  h.afterwards.push(() =>
    insist(outcome === expected, "the queue refuses when it is full, and only then", {
      outcome,
      pending,
      count,
    }),
  );
}

/** What a tab asks for in this step must be refused for this reason. */
export function insistOnRefusal(h: History, tab: Tab, code: string): void {
  const told = h.ledger.refusals.length;
  h.afterwards.push(() => {
    const why = h.ledger.refusals.slice(told);
    insist(!tab.live || why.includes(code), "what must be refused is refused", { code, why });
  });
}

const SERVICE = {
  user_id: "u_service",
  realm: "local",
  sub: "service",
  permissions: ["service" as const],
  plan: "free" as const,
  iat: 0,
  exp: 1e10,
};
