/** What prompt caching saves: cached reads are cheaper, cache writes may cost more. */
import * as z from "zod/mini";
import { amount, clamp, percent, percents, savingOf, share, shares, simulator } from "./savings.ts";

const input = z.object({
  /** Monthly spend on the calls in question. */
  spend: amount,
  /** Part of that spend that pays for input tokens. */
  input_share: share,
  /** Part of the input tokens that repeats between calls. */
  repeated: shares,
  hits: shares,
  /** $ per million input tokens: plain, read from the cache, written to it. */
  price_in: amount,
  price_cached: amount,
  price_write: amount,
});

export const simulateCaching = simulator(
  "simulate_caching",
  input,
  ({ spend, input_share, repeated, hits, price_in, price_cached, price_write }) => {
    const tokens = price_in > 0 ? input_share / price_in : 0;
    const extra = Math.max(0, price_write - price_in);
    const net = (part: number, hit: number) =>
      tokens * part * (hit * (price_in - price_cached) - (1 - hit) * extra);
    const how = `${percent(input_share)} of cost is input × ${percents(repeated)} repeats × ${percents(hits)} hits at $${price_cached} instead of $${price_in} per 1M, less writes`;
    return {
      levers: [savingOf("cache", spend, [net(repeated[0], hits[0]), net(repeated[1], hits[1])], how)],
      break_even_hit_rate: price_cached < price_in ? clamp(extra / (price_in + extra - price_cached)) : 1,
    };
  },
);
