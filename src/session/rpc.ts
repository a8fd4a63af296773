/** What the Worker may ask a user's object besides the upgrade: its RPC methods, as the caller sees them. */
import type { Principal } from "../auth/principal.ts";
import type { Notice } from "../protocol/publishing.ts";
import type { Message, Step, Thread } from "../protocol/pure/conversation.ts";
import type { Result } from "../protocol/result.ts";

/** Part of the list of threads. */
export interface ThreadQuery {
  /** Only those in which nothing was said from this seq on. */
  readonly before?: number;
  readonly limit: number;
}

export interface ThreadPage {
  /** Newest first. */
  readonly threads: readonly Thread[];
  /** The value for `before` that continues; absent on the last page. */
  readonly next?: number;
}

/** Part of a thread. */
export interface MessageQuery {
  readonly thread_id: string;
  /** The message that ends the branch to be read; absent: the current one. */
  readonly head?: string;
  /** With how each answer came about, as far as that is kept. */
  readonly steps?: boolean;
  /** With the messages that stand on other branches in the place of this one. */
  readonly alternatives?: boolean;
  /** Only messages with a seq below this one. */
  readonly before?: number;
  readonly limit: number;
}

export interface ListedMessage extends Message {
  readonly steps?: readonly Step[];
  /** Ids of all that follow the same message, this one included; absent if it is the only one. */
  readonly alternatives?: readonly string[];
}

export interface MessagePage {
  readonly messages: readonly ListedMessage[];
  /** The value for `before` that continues; absent on the last page. */
  readonly next?: number;
}

/** Part of the log. */
export interface EventQuery {
  /** The epoch the position belongs to; absent: whatever it is now. */
  readonly epoch?: string;
  /** The seq up to which the reader has everything. */
  readonly since: number;
  readonly limit: number;
}

export interface EventPage {
  /** Absent as long as the user does not exist. */
  readonly epoch?: string;
  readonly head_seq: number;
  /** Frames as a socket would have been sent them, JSON text. */
  readonly events: readonly string[];
  /** The value for `since` that continues; absent on the last page. */
  readonly next?: number;
}

/** The shared state; version 0 and empty until there is one. */
export interface StatePage {
  readonly version: number;
  readonly shared: unknown;
}

/** What a service publishes. */
export interface Publication {
  readonly who: Principal;
  /** The same one again has no second effect. */
  readonly idempotency_key?: string;
  readonly events: readonly Notice[];
}

export interface Published {
  /** Of the last event. */
  readonly seq: number;
  readonly duplicate: boolean;
}

/** Reading never creates a user: one who does not exist has no threads. `who` is the user, whose token must still be good. */
export interface SessionRpc {
  listThreads(who: Principal, query: ThreadQuery): Promise<Result<ThreadPage>>;
  listMessages(who: Principal, query: MessageQuery): Promise<Result<MessagePage>>;
  readEvents(who: Principal, query: EventQuery): Promise<Result<EventPage>>;
  readState(who: Principal): Promise<Result<StatePage>>;
  publish(publication: Publication): Promise<Result<Published>>;
  /** Every client drops what it has and begins anew; nothing else is lost. */
  invalidate(): Promise<Result<void>>;
  /**
   * Ends every connection; what was issued before is refused from then on.
   * @param who the user who asks, whose own token must still be good; absent: an operator does
   */
  signOut(who?: Principal): Promise<Result<void>>;
}
