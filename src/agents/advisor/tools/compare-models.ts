/** What the same tokens would cost on other models: those that were named, and the cheaper ones of their class. */
import * as z from "zod/mini";
import type { Tool } from "../../tool.ts";
import { type ModelPrice, withOwnPrices } from "../prices.ts";
import { costOf, mixFields } from "./price-lookup.ts";
import { cents, ours } from "./savings.ts";

const input = z.object({
  ...mixFields,
  /** The model paid for now; the dearest where it is absent. */
  current: z.optional(z.string()),
});

export interface Comparison {
  readonly as_of: string;
  /** Cheapest first. `change` is against the current model, −0.4 being 40 % cheaper. */
  readonly models: ReadonlyArray<{
    readonly model: string;
    readonly cost: number;
    readonly change: number;
    readonly named: boolean;
  }>;
  readonly current: string | undefined;
}

const MAX_OTHERS = 3;

export const compareModels: Tool<z.infer<typeof input>, Comparison> = {
  name: "compare_models",
  description: "The same tokens on other models.",
  input,
  output: ours<Comparison>(),
  idempotent: true,
  execute({ models, current, prices, ...mix }) {
    const table = withOwnPrices(prices);
    const cost = (price: ModelPrice) => costOf(price, mix);
    const named = table.models.filter(({ model }) => models.includes(model) || model === current);
    const base =
      named.find(({ model }) => model === current) ?? named.toSorted((a, b) => cost(b) - cost(a))[0];
    const others = table.models
      .filter((price) => price.tier === base?.tier && !named.includes(price) && cost(price) < cost(base))
      .toSorted((a, b) => cost(a) - cost(b))
      .slice(0, MAX_OTHERS);
    const paid = base === undefined ? 0 : cost(base);
    return {
      as_of: table.as_of,
      models: [...named, ...others]
        .toSorted((a, b) => cost(a) - cost(b))
        .map((price) => ({
          model: price.model,
          cost: cents(cost(price)),
          change: paid > 0 ? cents(cost(price) / paid - 1) : 0,
          named: named.includes(price),
        })),
      current: base?.model,
    };
  },
};
