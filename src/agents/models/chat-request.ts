/** A request in the form of OpenAI's chat completions, which Workers AI takes too. */
import type { ModelMessage, ModelRequest, ToolSpec } from "./model.ts";

/** The part that is the same for everyone who takes this form. */
export function chatRequest({ messages, tools = [], tool_choice, temperature }: ModelRequest) {
  return {
    messages: messages.map(wireMessage),
    // An empty list is refused by some servers, and so is a choice without one.
    ...(tools.length > 0 && { tools: tools.map(wireTool) }),
    ...(tools.length > 0 && tool_choice !== undefined && { tool_choice }),
    ...(temperature !== undefined && { temperature }),
  };
}

function wireMessage(message: ModelMessage) {
  switch (message.role) {
    case "system":
    case "user":
      return { role: message.role, content: message.content };
    case "tool":
      return {
        role: message.role,
        tool_call_id: message.tool_call_id,
        name: message.tool_name,
        content: message.content,
      };
    case "assistant":
      return {
        role: message.role,
        content: message.content,
        ...((message.tool_calls?.length ?? 0) > 0 && {
          tool_calls: message.tool_calls?.map(({ tool_call_id, tool_name, args_text }) => ({
            id: tool_call_id,
            type: "function",
            function: { name: tool_name, arguments: args_text },
          })),
        }),
      };
  }
}

function wireTool({ name, description, parameters }: ToolSpec) {
  return { type: "function", function: { name, description, parameters } };
}
