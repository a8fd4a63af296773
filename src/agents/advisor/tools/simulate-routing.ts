/** What sending easy calls to a smaller model saves, counting those that have to be repeated on the big one. */
import * as z from "zod/mini";
import {
  amount,
  clamp,
  percent,
  percents,
  type Range,
  savingOf,
  share,
  shares,
  simulator,
} from "./savings.ts";

const input = z.object({
  spend: amount,
  /** Part of the spend that goes to the big model. */
  addressable: share,
  /** $ per million tokens at the same mix of input and output. */
  price_big: amount,
  price_small: amount,
  routed: shares,
  /** What it is called in the answer: "route" unless said otherwise. */
  lever: z.optional(z.string()),
  /** Which to which, in words. */
  way: z.optional(z.string()),
  /** Part of the routed calls that escalate: paid on both models. */
  escalation: share,
});

const ESCALATIONS = [0, 0.1, 0.2, 0.3];

export const simulateRouting = simulator(
  "simulate_routing",
  input,
  ({ spend, addressable, price_big, price_small, routed, escalation, lever = "route", way }) => {
    // Dearer than twice as much is dear enough.
    const ratio = price_big > 0 ? Math.min(2, price_small / price_big) : 1;
    const at = (e: number): Range => [
      addressable * routed[0] * (1 - e - ratio),
      addressable * routed[1] * (1 - e - ratio),
    ];
    const part = addressable < 1 ? `${percent(addressable)} on the big model × ` : "";
    const how = `${way ? `${way}, ` : ""}${part}${percents(routed)} routed × (${percent(1 - escalation)} kept − ${percent(ratio)} price)`;
    const table = ESCALATIONS.map((e) => {
      const [low, high] = at(e);
      return `${percent(e)} escalate: ${percents([clamp(low), clamp(high)])}`;
    });
    return {
      levers: [savingOf(lever, spend, at(escalation), how)],
      notes: [
        {
          lever,
          text: `Break-even where ${percent(clamp(1 - ratio))} of routed calls escalate. It saves, of this spend: ${table.join(", ")}`,
        },
      ],
    };
  },
);
