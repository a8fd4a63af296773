/** Walking the tree that the messages of a thread make: each names the one it follows. */
import type { Message } from "../client/index.ts";

/** From the first message to the one that ends the branch; as far back as the messages are known. */
export function branchTo(messages: readonly Message[], head: string | null | undefined): Message[] {
  const byId = new Map(messages.map((message) => [message.message_id, message]));
  const branch: Message[] = [];
  let next = byId.get(head ?? "");
  while (next !== undefined) {
    branch.push(next);
    next = byId.get(next.parent_message_id ?? "");
  }
  return branch.reverse();
}

/**
 * What was said last on any branch that goes through a message, or the message itself.
 * @param messages in order of seq: what follows a message comes after it
 */
export function newestAfter(messages: readonly Message[], through: string): string {
  const after = new Set([through]);
  let newest = through;
  for (const { message_id, parent_message_id } of messages) {
    if (parent_message_id === null || !after.has(parent_message_id)) continue;
    after.add(message_id);
    newest = message_id;
  }
  return newest;
}

/** The versions of one turn, oldest first, and which of them is shown. */
export interface Versions {
  readonly ids: readonly string[];
  readonly index: number;
}

/**
 * Undefined where there is only one.
 * @param listed what the server named as following the same message
 */
export function versionsOf(
  messages: readonly Message[],
  { message_id, parent_message_id }: Message,
  listed: readonly string[] = [],
): Versions | undefined {
  const ids = [...new Set([...listed, ...childrenOf(messages, parent_message_id)])];
  return ids.length > 1 ? { ids, index: ids.indexOf(message_id) } : undefined;
}

/** The versions of an answer whose newest is still being written, and so has no id yet. */
export function versionsBeside(messages: readonly Message[], question_id: string): Versions | undefined {
  const ids = childrenOf(messages, question_id);
  return ids.length > 0 ? { ids, index: ids.length } : undefined;
}

function childrenOf(messages: readonly Message[], parent: string | null): string[] {
  return messages
    .filter(({ parent_message_id }) => parent_message_id === parent)
    .map(({ message_id }) => message_id);
}
