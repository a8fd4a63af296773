/** What prompt caching saves: cached reads are cheaper, cache writes may cost more, and what is cached already counts no more. */
import * as z from "zod/mini";
import { amount, clamp, dollars, percent, percents, savingOf, share, shares, simulator } from "./savings.ts";

const input = z.object({
  /** Monthly spend on the calls in question. */
  spend: amount,
  /** Part of that spend that pays for input tokens. */
  input_share: share,
  /** Part of the input tokens that repeats between calls. */
  repeated: shares,
  hits: shares,
  /** Part of the input tokens that is read from a cache already. */
  cached_now: z.optional(share),
  /** $ per million input tokens: plain, read from the cache, written to it. */
  price_in: amount,
  price_cached: amount,
  price_write: amount,
});

const HIT_RATES = [0.3, 0.5, 0.7, 0.9];

export const simulateCaching = simulator(
  "simulate_caching",
  input,
  ({ spend, input_share, repeated, hits, cached_now = 0, price_in, price_cached, price_write }) => {
    const paid = (1 - cached_now) * price_in + cached_now * price_cached;
    const tokens = paid > 0 ? input_share / paid : 0;
    const extra = Math.max(0, price_write - price_in);
    const net = (part: number, hit: number) => {
      const gained = Math.max(0, part * hit - cached_now);
      const fresh = part * hit > 0 ? gained / (part * hit) : 0;
      const writes = (cached_now > 0 ? fresh : 1) * part * (1 - hit) * extra;
      return tokens * (gained * (price_in - price_cached) - writes);
    };
    const now = cached_now > 0 ? `, ${percent(cached_now)} of input is cached already` : "";
    const how = `${percent(input_share)} of cost is input × ${percents(repeated)} repeats × ${percents(hits)} hits at ${dollars(price_cached)} instead of ${dollars(price_in)} per 1M, less writes${now}`;
    const break_even = price_cached < price_in ? clamp(extra / (price_in + extra - price_cached)) : 1;
    const part = (repeated[0] + repeated[1]) / 2;
    const table = HIT_RATES.map((hit) => `${percent(hit)} hits: ${percent(clamp(net(part, hit)))}`);
    return {
      levers: [savingOf("cache", spend, [net(repeated[0], hits[0]), net(repeated[1], hits[1])], how)],
      break_even_hit_rate: break_even,
      notes: [
        {
          lever: "cache",
          text: `Break-even at a hit rate of ${percent(break_even)}. With ${percent(part)} of input repeating it saves, of this spend: ${table.join(", ")}`,
        },
      ],
    };
  },
);
