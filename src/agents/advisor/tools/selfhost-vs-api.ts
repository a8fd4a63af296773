/** From how many tokens on GPUs of one's own are cheaper than an API. */
import * as z from "zod/mini";
import { money, moneyRange } from "../money-text.ts";
import { amount, amounts, cents, dollars, savingOf, share, shares, simulator } from "./savings.ts";

const input = z.object({
  /** Monthly API spend on the work that would move. */
  spend: amount,
  /** $ per million tokens, input and output mixed as they are. */
  api_price: amount,
  gpu_rate: amount,
  hours: amount,
  /** GPUs that are there, or the fewest one would run for redundancy. */
  min_gpus: amount,
  /** Tokens per second and GPU, input and output together, fully loaded. */
  throughput: amounts,
  /** Part of the time that is used. */
  load: share,
  /** Of the work, what an open model can take over. */
  movable: shares,
  /** $ a month for the people who run it. */
  operations: amount,
});

const MIN_PRICE = 0.001;

export const selfhostVsApi = simulator(
  "selfhost_vs_api",
  input,
  ({ spend, api_price, gpu_rate, hours, min_gpus, throughput, load, movable, operations }) => {
    // Cheaper than a tenth of a cent per million is free, and nothing to save on.
    const priced = api_price >= MIN_PRICE;
    const tokens = priced ? (spend / api_price) * 1e6 : 0;
    const per_gpu = gpu_rate * hours;
    const at = (end: 0 | 1) => {
      const capacity = throughput[end] * load * hours * 3_600;
      const moved = tokens * movable[end];
      // A GPU that makes less than a token a month makes none.
      const works = capacity >= 1;
      const gpus = works ? Math.max(min_gpus, Math.ceil(moved / capacity - 1e-9)) : min_gpus;
      const saved = priced && works ? spend * movable[end] - gpus * per_gpu - operations : 0;
      return {
        capacity,
        gpus,
        saved,
        per_million: works ? cents((per_gpu / capacity) * 1e6) : 0,
      };
    };
    const [slow, fast] = [at(0), at(1)];
    const fixed = min_gpus * per_gpu + operations;
    const break_even = priced ? Math.ceil((fixed / api_price) * 1e6) : 0;
    const part = spend >= 0.01 ? 1 / spend : 0;
    const fits = fast.capacity * Math.max(1, min_gpus) >= break_even;
    const how = `${slow.gpus === fast.gpus ? "" : `${Math.min(slow.gpus, fast.gpus)}–`}${Math.max(slow.gpus, fast.gpus)} GPUs × ${money(per_gpu, "USD")} + ${money(operations, "USD")} operations against ${moneyRange([spend * movable[0], spend * movable[1]], "USD")} of API`;
    return {
      levers: [savingOf("selfhost", spend, [slow.saved * part, fast.saved * part], how)],
      notes: [
        {
          lever: "selfhost",
          text: `Break-even is ${billions(break_even)} tokens a month (${min_gpus} GPUs and operations, ${money(fixed, "USD")}, ÷ ${dollars(cents(api_price))} per 1M by API)${fits ? "" : ", more than those GPUs can do"}; you buy about ${billions(tokens)}. A busy GPU makes a million tokens for ${dollars(fast.per_million)}–${dollars(slow.per_million)}`,
        },
      ],
    };
  },
);

export function billions(tokens: number): string {
  const [unit, name] = tokens >= 1e9 ? [1e9, "B"] : [1e6, "M"];
  return `${Math.round((tokens / unit) * 10) / 10}${name}`;
}
