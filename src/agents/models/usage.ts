/** What a provider says of tokens, believed as far as it makes sense. */
import type { Usage } from "./model.ts";
import { MAX_AMOUNT } from "./result.ts";

/** Whose answer it is. */
export interface Origin {
  readonly provider: string;
  readonly model: string;
}

type Count = "input" | "output" | "total" | "reasoning" | "cached" | "cache_write";

/** @returns undefined if it says nothing: then it is better to estimate than to say 0 */
export function countedUsage(origin: Origin, said: Readonly<Record<Count, unknown>>): Usage | undefined {
  const input_tokens = counted(said.input) ?? 0;
  const output_tokens = counted(said.output) ?? 0;
  if (input_tokens + output_tokens === 0) return undefined;
  const reasoning_tokens = counted(said.reasoning);
  const cached_input_tokens = counted(said.cached);
  const cache_write_input_tokens = counted(said.cache_write);
  return {
    ...origin,
    input_tokens,
    output_tokens,
    total_tokens: counted(said.total) ?? input_tokens + output_tokens,
    ...(reasoning_tokens !== undefined && { reasoning_tokens }),
    ...(cached_input_tokens !== undefined && { cached_input_tokens }),
    ...(cache_write_input_tokens !== undefined && { cache_write_input_tokens }),
  };
}

function counted(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_AMOUNT / 2
    ? value
    : undefined;
}
