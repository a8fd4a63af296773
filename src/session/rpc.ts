/** What the Worker may ask a user's object besides the upgrade: its RPC methods, as the caller sees them. */
import type { Message, Thread } from "../protocol/pure/conversation.ts";
import type { Result } from "../protocol/result.ts";

/** Part of a thread. */
export interface MessageQuery {
  readonly thread_id: string;
  /** Only messages with a seq below this one. */
  readonly before?: number;
  readonly limit: number;
}

export interface MessagePage {
  readonly messages: readonly Message[];
  /** The value for `before` that continues; absent on the last page. */
  readonly next?: number;
}

/** Reading never creates a user: one who does not exist has no threads. */
export interface SessionRpc {
  listThreads(): Promise<{ readonly threads: readonly Thread[] }>;
  listMessages(query: MessageQuery): Promise<Result<MessagePage>>;
}
