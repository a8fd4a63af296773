/** What a page shows after all it was sent, told from the protocol page: by message id, what it says. */
import type { Tab } from "./tab.ts";

export function shownBy({ snapshot, handed }: Pick<Tab, "snapshot" | "handed">): Map<string, string> {
  const shown = new Map<string, { thread_id: string; content: string }>();
  for (const message of snapshot?.messages ?? []) shown.set(message.message_id, message);
  for (const seq of [...handed.keys()].sort((one, other) => one - other)) {
    if (seq > (snapshot?.as_of_seq ?? 0)) take(shown, JSON.parse(handed.get(seq) ?? "{}"));
  }
  return new Map([...shown].map(([message_id, { content }]) => [message_id, content]));
}

function take(shown: Map<string, { thread_id: string; content: string }>, { type, payload }: any): void {
  if (type === "user_message" || type === "agent_completed") shown.set(payload.message_id, payload);
  if (type !== "thread_deleted") return;
  for (const [message_id, { thread_id }] of shown) {
    if (thread_id === payload.thread_id) shown.delete(message_id);
  }
}
