/** What a model is told: the conversation so far, the question with its data, and what came of its calls. */
import { beginning, utf8Length } from "../protocol/primitives.ts";
import { parseJson } from "../protocol/pure/json.ts";
import type { AgentInput } from "./agent.ts";
import type { ModelMessage, RequestedCall } from "./models/model.ts";
import type { ModelResult } from "./models/result.ts";
import { BYTES_PER_TOKEN } from "./models/tokens.ts";
import type { ToolOutcome } from "./tool.ts";

/** @param max_data_tokens of the data that came with the question; what is beyond is cut */
export function opening(
  system: string,
  { question, data, history, now }: AgentInput,
  max_data_tokens: number,
): ModelMessage[] {
  const told = data === undefined ? "" : `\n\nData:\n${shortened(JSON.stringify(data), max_data_tokens)}`;
  return [
    // A day, not the time: what a provider caches of a prompt must stay the same from question to question.
    { role: "system", content: `${system}\n\nToday is ${now.slice(0, 10)}.` },
    // An answer that failed before it said anything says nothing here either, and providers refuse empty ones.
    ...history.filter(({ content }) => content !== ""),
    { role: "user", content: question + told },
  ];
}

/** One answer and what came of the calls in it, in their order. */
export function round(
  { text, tool_calls }: ModelResult & { readonly status: "ok" },
  outcomes: readonly ToolOutcome[],
  max_result_tokens: number,
): ModelMessage[] {
  const results = tool_calls.map(
    ({ tool_call_id, tool_name }, index): ModelMessage => ({
      role: "tool",
      tool_call_id,
      tool_name,
      content: shortened(contentOf(outcomes[index]), max_result_tokens),
    }),
  );
  return [{ role: "assistant", content: text, tool_calls: tool_calls.map(readable) }, ...results];
}

/** Servers read the arguments of earlier calls again, and some fail where they are no JSON. */
function readable(call: RequestedCall): RequestedCall {
  return parseJson(call.args_text) === undefined ? { ...call, args_text: "{}" } : call;
}

function contentOf(outcome: ToolOutcome | undefined): string {
  if (outcome === undefined) return "null";
  return JSON.stringify(outcome.status === "ok" ? (outcome.result ?? null) : { error: outcome.error });
}

function shortened(text: string, max_tokens: number): string {
  const bytes = max_tokens * BYTES_PER_TOKEN;
  const start = beginning(text, bytes);
  return start === text ? text : `${start}… (cut: ${bytes} of ${utf8Length(text)} bytes)`;
}
