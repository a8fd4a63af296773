/** Whether a model has told the user something since the question: then it may end without another word. */
import type { ModelMessage } from "./models/model.ts";
import { PUBLISHED, REPORT_TOOL } from "./report-tool.ts";

export function hasSpoken(messages: readonly ModelMessage[]): boolean {
  const question = messages.findLastIndex(({ role }) => role === "user");
  return messages.slice(question + 1).some(isShown);
}

/** Text, or a report that was published. */
function isShown(message: ModelMessage): boolean {
  if (message.role === "assistant") return message.content !== "";
  return (
    message.role === "tool" && message.tool_name === REPORT_TOOL.name && message.content === PUBLISHED_TEXT
  );
}

const PUBLISHED_TEXT = JSON.stringify(PUBLISHED.result);
