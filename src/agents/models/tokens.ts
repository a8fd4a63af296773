/**
 * How many tokens something is worth, without asking the model's tokenizer: a
 * quarter of its UTF-8 bytes, rounded up, and four for each message around it.
 * Close for English and code; for most other scripts it says more than there
 * are, which errs on the side of fitting.
 */
import { utf8Length } from "../../protocol/primitives.ts";
import type { ModelMessage, RequestedCall, ToolSpec } from "./model.ts";

export const BYTES_PER_TOKEN = 4;
const TOKENS_PER_MESSAGE = 4;

export function textTokens(text: string): number {
  return Math.ceil(utf8Length(text) / BYTES_PER_TOKEN);
}

export function messageTokens(message: ModelMessage): number {
  const calls = message.role === "assistant" ? (message.tool_calls ?? []) : [];
  return TOKENS_PER_MESSAGE + textTokens(message.content) + callTokens(calls);
}

export function callTokens(calls: readonly RequestedCall[]): number {
  return calls.reduce(
    (sum, { tool_name, args_text }) => sum + textTokens(tool_name) + textTokens(args_text),
    0,
  );
}

export function toolTokens(tools: readonly ToolSpec[]): number {
  return tools.reduce((sum, tool) => sum + TOKENS_PER_MESSAGE + textTokens(JSON.stringify(tool)), 0);
}
