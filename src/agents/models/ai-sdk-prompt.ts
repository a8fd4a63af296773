/** Our messages as the prompt of the AI SDK, specification v4. */
import { isRecord, parseJson } from "../../protocol/pure/json.ts";
import type { ModelMessage, RequestedCall } from "./model.ts";

interface TextPart {
  type: "text";
  text: string;
}

interface CallPart {
  type: "tool-call";
  toolCallId: string;
  toolName: string;
  input: unknown;
}

interface ResultPart {
  type: "tool-result";
  toolCallId: string;
  toolName: string;
  output: { type: "text"; value: string };
}

export type AiSdkMessage =
  | { role: "system"; content: string }
  | { role: "user"; content: TextPart[] }
  | { role: "assistant"; content: (TextPart | CallPart)[] }
  | { role: "tool"; content: ResultPart[] };

export function promptOf(messages: readonly ModelMessage[]): AiSdkMessage[] {
  const prompt: AiSdkMessage[] = [];
  for (const message of messages) {
    const converted = converse(message);
    const last = prompt.at(-1);
    // The results of one answer's calls are one message.
    if (converted.role === "tool" && last?.role === "tool") last.content.push(...converted.content);
    else prompt.push(converted);
  }
  return prompt;
}

function converse(message: ModelMessage): AiSdkMessage {
  switch (message.role) {
    case "system":
      return { role: "system", content: message.content };
    case "user":
      return { role: "user", content: [{ type: "text", text: message.content }] };
    case "assistant":
      return {
        role: "assistant",
        content: [
          ...(message.content === "" ? [] : [{ type: "text" as const, text: message.content }]),
          ...(message.tool_calls ?? []).map(callPart),
        ],
      };
    case "tool":
      return {
        role: "tool",
        content: [
          {
            type: "tool-result",
            toolCallId: message.tool_call_id,
            toolName: message.tool_name,
            output: { type: "text", value: message.content },
          },
        ],
      };
  }
}

/** Providers want an object; what the model wrote instead it has been told with the result. */
function callPart({ tool_call_id, tool_name, args_text }: RequestedCall): CallPart {
  const args = parseJson(args_text);
  return {
    type: "tool-call",
    toolCallId: tool_call_id,
    toolName: tool_name,
    input: isRecord(args) ? args : {},
  };
}
