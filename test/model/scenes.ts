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
];

export const SCENE_COUNT = SCENES.length;

export function scene(index: number, a: number): Step[] {
  return (SCENES[index] ?? []).map(({ do: name, b = 0, next }) => ({ do: name, a: next ? a + 1 : a, b }));
}
