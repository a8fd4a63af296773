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
  /** Part of the routed calls that escalate: paid on both models. */
  escalation: share,
});

const ESCALATIONS = [0, 0.1, 0.2, 0.3];

export const simulateRouting = simulator(
  "simulate_routing",
  input,
  ({ spend, addressable, price_big, price_small, routed, escalation }) => {
    const ratio = price_big > 0 ? price_small / price_big : 1;
    const at = (e: number): Range => [
      addressable * routed[0] * (1 - e - ratio),
      addressable * routed[1] * (1 - e - ratio),
    ];
    const part = addressable < 1 ? `${percent(addressable)} on the big model × ` : "";
    const how = `${part}${percents(routed)} routed × (${percent(1 - escalation)} kept − ${percent(ratio)} price)`;
    return {
      levers: [savingOf("route", spend, at(escalation), how)],
      break_even_escalation: clamp(1 - ratio),
      sensitivity: ESCALATIONS.map((e) => ({ escalation: e, share: at(e).map(clamp) })),
    };
  },
);
