/** Steps that mean little alone and seldom meet by chance: what has to come in this order to be worth anything. */
import type { Step, StepName } from "./steps.ts";

/** Each step with its `b`; which tab it is about, `a`, is chosen for the whole scene. `next` is the tab beside it. */
interface Act {
  readonly do: StepName;
  readonly b?: number;
  readonly next?: true;
}

const SCENES: readonly (readonly Act[])[] = [
  /** A renewed token has to survive the instance that renewed it. */
  [
    { do: "expiring" },
    { do: "renew", b: 0 },
    { do: "evict" },
    { do: "alarm", b: 2 },
    { do: "alarm", b: 2 },
    { do: "say" },
  ],
  /** A socket at which the platform throws, and somebody after it in the list. */
  [
    { do: "connect" },
    { do: "connect", next: true },
    { do: "tear", b: 1 },
    { do: "say", next: true },
    { do: "alarm", b: 3 },
  ],
  /** An answer that is being written is stopped. */
  [{ do: "connect" }, { do: "stuck", b: 1 }, { do: "cancel", b: 1 }],
  /** All that is left is what may go, and the last of it may not. */
  [{ do: "publish" }, { do: "month" }, { do: "alarm", b: 1 }, { do: "alarm", b: 3 }],
  /** A page that was away for longer than anything is kept has to learn what was deleted. */
  [
    { do: "connect" },
    { do: "connect", next: true },
    { do: "say_in", b: 1 },
    { do: "drop" },
    { do: "say", next: true },
    { do: "delete_thread", b: 1, next: true },
    { do: "say", next: true },
    { do: "month" },
    { do: "connect" },
  ],
  /** What is being answered is deleted, and then its tool comes back. */
  [{ do: "connect" }, { do: "stuck" }, { do: "delete_working" }, { do: "release" }],
  /** Asked again, and once more by the answer of before while that is being answered. */
  [
    { do: "connect" },
    { do: "ask" },
    { do: "shut" },
    { do: "regenerate" },
    { do: "regenerate", b: 1 },
    { do: "release" },
  ],
  /** What is said too late: nothing brings a deleted thread back. */
  [
    { do: "connect" },
    { do: "connect", next: true },
    { do: "delete_asked", b: 1 },
    { do: "late", b: 3, next: true },
    { do: "late", b: 1 },
    { do: "release" },
  ],
  /** More threads are answered in than may be at once, and one of them is deleted: the next one's turn comes. */
  [{ do: "connect" }, { do: "ask_many", b: 1 }, { do: "delete_working" }, { do: "release" }],
  /** What was said in it is sent again, under its id. */
  [{ do: "connect" }, { do: "ask" }, { do: "delete_thread" }, { do: "again" }, { do: "order_again" }],
  /** More is said while a question is being answered: the answer follows that. */
  [{ do: "connect" }, { do: "stuck" }, { do: "say" }, { do: "release" }, { do: "reload" }],
  /** Another branch is shown, and somebody else goes on from there. */
  [
    { do: "connect" },
    { do: "say" },
    { do: "anew" },
    { do: "show" },
    { do: "evict" },
    { do: "say" },
    { do: "reload" },
  ],
];

export const SCENE_COUNT = SCENES.length;

export function scene(index: number, a: number): Step[] {
  return (SCENES[index] ?? []).map(({ do: name, b = 0, next }) => ({ do: name, a: next ? a + 1 : a, b }));
}
