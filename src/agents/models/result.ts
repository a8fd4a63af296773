/**
 * What came of one call of a model, as it lies in the journal and as an agent is
 * handed it: the very same on replay, for which nobody is asked or paid again.
 */
import * as z from "zod/mini";
import { finishReason } from "../../protocol/run-events.ts";

/** More than anybody's call has cost, and so little that no sum of what is said ever stops being a number. */
export const MAX_AMOUNT = 1e15;

/** Tokens, or dollars. */
const amount = z.number().check(z.gte(0), z.lte(MAX_AMOUNT));

/** Of one call, or of several of the same model together; in AG-UI's words. */
export const usage = z.object({
  provider: z.string(),
  model: z.string(),
  input_tokens: amount,
  output_tokens: amount,
  total_tokens: amount,
  reasoning_tokens: z.optional(amount),
  cached_input_tokens: z.optional(amount),
  cache_write_input_tokens: z.optional(amount),
  cost_usd: z.optional(amount),
  /** The provider said nothing: counted by us. */
  estimated: z.optional(z.literal(true)),
});

const requestedCall = z.object({ tool_call_id: z.string(), tool_name: z.string(), args_text: z.string() });

export const modelResult = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("ok"),
    text: z.string(),
    reasoning: z.string(),
    tool_calls: z.array(requestedCall),
    finish_reason: finishReason,
    usage,
  }),
  z.object({
    status: z.literal("error"),
    error: z.object({
      code: z.string(),
      message: z.string(),
      retryable: z.boolean(),
      retry_after_ms: z.optional(z.number()),
    }),
    /** What had been streamed before it failed. */
    text: z.string(),
    reasoning: z.string(),
    /** Of a call that had begun to answer, and so is paid for. */
    usage: z.optional(usage),
  }),
]);

export type ModelResult = z.infer<typeof modelResult>;
