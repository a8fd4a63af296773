/** What the Worker may ask a user's object besides the upgrade: its RPC methods, as the caller sees them. */
import type { AgentInput } from "../agents/agent.ts";
import type { ModelUsage } from "../agents/models/model.ts";
import type { Principal } from "../auth/principal.ts";
import type { EffectCommand, RunResumeCommand } from "../protocol/commands.ts";
import type { Fed, RunStart } from "../protocol/feeding.ts";
import type { Notice } from "../protocol/publishing.ts";
import type { Message, RunStatus, Step, Thread } from "../protocol/pure/conversation.ts";
import type { Ack } from "../protocol/replies.ts";
import type { Result } from "../protocol/result.ts";
import type { JournalEntry } from "./journal-entry.ts";
import type { RunState } from "./run.ts";

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
  /** In place of `head`: a message the branch goes through, to the newest that was said after it. */
  readonly through?: string;
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
  /** Beside the steps: what each call of a model has cost. */
  readonly model_calls?: readonly ModelUsage[];
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

/** One word on an answer. */
export interface Rating {
  readonly message_id: string;
  readonly thread_id: string;
  readonly run_id: string;
  readonly rating: 1 | -1;
  readonly comment?: string | undefined;
  readonly timestamp: string;
}

/** What models have cost; the cost is of what had a price, and absent if nothing had. */
export interface Spent {
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd?: number;
}

/** Of one model on one UTC day. */
export interface DayUsage extends Spent {
  readonly day: string;
  readonly provider: string;
  readonly model: string;
  /** Of the input. */
  readonly cached_input_tokens: number;
  /** Of the output. */
  readonly reasoning_tokens: number;
}

/** Of runs, up to where each of them last began to wait, or ended. */
export interface UsageOverview {
  /** Today, UTC. */
  readonly day: string;
  readonly today: Spent;
  /** Today included. */
  readonly last_30_days: Spent;
  /** Newest first; days and models with nothing are left out. */
  readonly days: readonly DayUsage[];
}

/** What the user may know of it: the budget of the day too. */
export interface UsageReport extends UsageOverview {
  readonly budget: { readonly tokens_per_day?: number; readonly cost_usd_per_day?: number };
  /** Of each budget there is. */
  readonly left: { readonly tokens?: number; readonly cost_usd?: number };
  readonly resets_at: string;
}

/** One user's session, as an operator sees it: no content but what was said of answers. */
export interface Overview {
  readonly user_id: string;
  readonly epoch: string;
  readonly head_seq: number;
  readonly floor_seq: number;
  /** The highest seq any client has acknowledged, and what waits beyond it. */
  readonly acked_seq: number;
  readonly pending: { readonly events: number; readonly bytes: number };
  readonly connections: ReadonlyArray<{
    readonly connection_id: string;
    readonly client_id: string;
    readonly cursor: number;
    readonly ack: number;
    readonly heard_at: string;
  }>;
  /** Unfinished ones. */
  readonly runs: ReadonlyArray<{
    readonly run_id: string;
    readonly thread_id: string;
    readonly agent_name: string;
    readonly state: "queued" | "running" | "waiting";
    readonly attempt: number;
    readonly accepted_at: string;
  }>;
  readonly usage: UsageOverview;
  /** The last word on each answer. */
  readonly feedback: { readonly good: number; readonly bad: number; readonly newest: readonly Rating[] };
}

/** Part of a copy of all that was said and done. */
export interface ExportPage {
  /** On the first page. */
  readonly facts?: {
    readonly epoch: string | null;
    readonly head_seq: number;
    readonly shared_state: StatePage;
    /** Oldest first. */
    readonly usage: readonly DayUsage[];
  };
  /** Frames as they lie in the log, JSON text. */
  readonly events: readonly string[];
  /** The seq after which the next page begins; absent on the last one. */
  readonly next?: number;
}

/** Part of a copy of all threads. */
export interface ThreadsPage {
  readonly threads: readonly Thread[];
  /** The id after which the next page begins; absent on the last one. */
  readonly next?: string;
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

/** A run that a service wants for a user. */
export interface RunRequest {
  readonly who: Principal;
  /** The same one again has no second effect. */
  readonly idempotency_key?: string;
  readonly start: RunStart;
}

export interface RunStarted {
  readonly run_id: string;
  readonly thread_id: string;
  /** The message that is answered. */
  readonly message_id: string;
  /** Of the event that asks for the run. */
  readonly seq: number;
  readonly duplicate: boolean;
}

/** What a service answers of what a run waits for. */
export interface WaitAnswer {
  readonly who: Principal;
  /** The same one again has no second effect. */
  readonly idempotency_key?: string;
  readonly answer: RunResumeCommand["payload"];
}

export interface WaitAnswered {
  /** Of `run_resumed`. */
  readonly seq: number;
  readonly duplicate: boolean;
}

/** What a service says of a run that it executes. */
export interface Feeding {
  readonly who: Principal;
  readonly run_id: string;
  readonly events: readonly Fed[];
}

/** Where the run is now. */
export interface FedSoFar {
  readonly next_run_seq: number;
  /** Length of the text so far that the server knows, UTF-16 code units. */
  readonly next_offset: number;
  /** Of its newest event. */
  readonly seq: number;
  readonly ended: boolean;
  readonly status?: RunStatus;
}

/** One run as it was recorded: enough to step its agent through it again. */
export interface RunJournal {
  readonly run: JournaledRun;
  /** What its agent was given. */
  readonly input: AgentInput;
  /** Frames as they lie in the log, JSON text. */
  readonly events: readonly string[];
  /** What models answered, in the order of their steps. */
  readonly models: readonly JournalEntry[];
  /** False if something of it is no longer kept, or was left out because all together is too much. */
  readonly complete: boolean;
}

export interface JournaledRun {
  readonly run_id: string;
  readonly thread_id: string;
  readonly agent_name: string;
  /** Absent if it is no longer kept. */
  readonly agent_version?: string;
  readonly question_id: string;
  /** The answer's. */
  readonly message_id: string;
  readonly state: RunState | "ended";
  /** How it ended. */
  readonly status?: RunStatus;
  readonly attempts: number;
  readonly accepted_at: string;
}

/** Reading never creates a user: one who does not exist has no threads. `who` is the user, whose token must still be good. */
export interface SessionRpc {
  listThreads(who: Principal, query: ThreadQuery): Promise<Result<ThreadPage>>;
  listMessages(who: Principal, query: MessageQuery): Promise<Result<MessagePage>>;
  readEvents(who: Principal, query: EventQuery): Promise<Result<EventPage>>;
  /** A command without a socket, in the name of a client that has none. */
  submit(who: Principal, command: EffectCommand): Promise<Result<Ack["payload"]>>;
  /** The answer a run came to, as soon as it has; `not_found` if there is no such run, or it was deleted. */
  answer(who: Principal, run_id: string): Promise<Result<ListedMessage>>;
  /** @param epoch of the page before it */
  exportPage(who: Principal, after: number, epoch?: string | null): Promise<Result<ExportPage>>;
  exportThreads(who: Principal, after: string, epoch?: string | null): Promise<Result<ThreadsPage>>;
  /** Nothing of the user is left. */
  erase(who: Principal): Promise<Result<void>>;
  overview(): Promise<Result<Overview>>;
  /** @param who as in `signOut` */
  runJournal(run_id: string, who?: Principal): Promise<Result<RunJournal>>;
  readState(who: Principal): Promise<Result<StatePage>>;
  /** What models have cost, and what is left of the budget of the plan that `who` has. */
  readUsage(who: Principal): Promise<Result<UsageReport>>;
  publish(publication: Publication): Promise<Result<Published>>;
  startRun(request: RunRequest): Promise<Result<RunStarted>>;
  feed(feeding: Feeding): Promise<Result<FedSoFar>>;
  answerWait(answer: WaitAnswer): Promise<Result<WaitAnswered>>;
  /** Every client drops what it has and begins anew; nothing else is lost. */
  invalidate(): Promise<Result<void>>;
  /**
   * Ends every connection; what was issued before is refused from then on.
   * @param who the user who asks, whose own token must still be good; absent: an operator does
   */
  signOut(who?: Principal): Promise<Result<void>>;
}
