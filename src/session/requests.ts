/**
 * What the Worker may ask of a session without a socket: reading what is kept,
 * and commands, which go through the same queue as everything else.
 */
import type { Principal } from "../auth/principal.ts";
import type { EffectCommand } from "../protocol/commands.ts";
import type { Plans } from "../protocol/limits.ts";
import type { Ack } from "../protocol/replies.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { Answers } from "./answers.ts";
import { UNKNOWN_MESSAGE } from "./commands/asking-again.ts";
import { ackOf, type Command, eventOf, type Outcome } from "./commands/dispatch.ts";
import { feedFacts, UNKNOWN_RUN } from "./commands/feed.ts";
import { UNKNOWN_WAIT } from "./commands/run-resume.ts";
import { startFacts } from "./commands/run-start.ts";
import type { Connections } from "./connections.ts";
import { answerOf, listMessages, listThreads } from "./history.ts";
import type { Inbox } from "./inbox.ts";
import { exportPage, exportThreads, overview } from "./inspection.ts";
import type { Log } from "./log.ts";
import type { Clock } from "./ports.ts";
import { readEvents } from "./reading.ts";
import type {
  EventPage,
  EventQuery,
  ExportPage,
  FedSoFar,
  Feeding,
  ListedMessage,
  MessagePage,
  MessageQuery,
  Overview,
  Publication,
  Published,
  RunJournal,
  RunRequest,
  RunStarted,
  StatePage,
  ThreadPage,
  ThreadQuery,
  ThreadsPage,
  UsageReport,
  WaitAnswer,
  WaitAnswered,
} from "./rpc.ts";
import { runJournal } from "./run-journal.ts";
import type { Runs } from "./runs.ts";
import type { SharedState } from "./shared-state.ts";
import { refuseSignedOut } from "./sign-out.ts";
import type { Spending } from "./spending.ts";
import type { Storage } from "./storage.ts";
import type { Threads } from "./threads.ts";
import type { Waiters } from "./waiters.ts";

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly threads: Threads;
  readonly runs: Runs;
  readonly spending: Spending;
  readonly answers: Answers;
  readonly shared: SharedState;
  readonly connections: Connections;
  readonly inbox: Inbox;
  readonly waiters: Waiters;
  readonly clock: Clock;
  readonly plans: Plans;
}

export class Requests {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  listThreads(who: Principal, query: ThreadQuery): Result<ThreadPage> {
    return refuseSignedOut(this.#parts.storage, who) ?? ok(listThreads(this.#parts.threads, query));
  }

  listMessages(who: Principal, query: MessageQuery): Result<MessagePage> {
    return (
      refuseSignedOut(this.#parts.storage, who) ?? listMessages(this.#parts.log, this.#parts.threads, query)
    );
  }

  readEvents(who: Principal, query: EventQuery): Result<EventPage> {
    const refused = refuseSignedOut(this.#parts.storage, who);
    if (refused !== undefined) return refused;
    return readEvents(
      this.#parts.log,
      this.#parts.storage.born?.epoch,
      query,
      this.#parts.log.time(this.#parts.clock.now()),
    );
  }

  /** Through the same queue as everything that comes over a socket. */
  async submit(who: Principal, command: EffectCommand): Promise<Result<Ack["payload"]>> {
    const refused = refuseSignedOut(this.#parts.storage, who);
    if (refused !== undefined) return refused;
    const outcome = await this.enqueue(who, command);
    return outcome.ok ? ok(ackOf(command, outcome.value).payload) : outcome;
  }

  async answer(who: Principal, run_id: string): Promise<Result<ListedMessage>> {
    const refused = refuseSignedOut(this.#parts.storage, who);
    if (refused !== undefined) return refused;
    if (this.#parts.runs.get(run_id) !== undefined) await this.#parts.waiters.until(run_id);
    const answer = answerOf(this.#parts.log, run_id);
    return answer === undefined ? refuse("not_found", "no such run") : ok(answer);
  }

  exportPage(who: Principal, after: number, epoch?: string | null): Result<ExportPage> {
    if (this.#isAnother(epoch)) return NOT_THE_SAME;
    const state = this.readState(who);
    return state.ok ? ok(exportPage(this.#parts, state.value, after)) : state;
  }

  exportThreads(who: Principal, after: string, epoch?: string | null): Result<ThreadsPage> {
    if (this.#isAnother(epoch)) return NOT_THE_SAME;
    return refuseSignedOut(this.#parts.storage, who) ?? ok(exportThreads(this.#parts, after));
  }

  overview(): Result<Overview> {
    const found = overview(this.#parts, this.#parts.clock.now());
    return found === undefined ? refuse("not_found", "no such user") : ok(found);
  }

  /** @param who as in `SessionRpc` */
  runJournal(run_id: string, who?: Principal): Result<RunJournal> {
    const refused = who && refuseSignedOut(this.#parts.storage, who);
    return refused ?? runJournal(this.#parts, run_id);
  }

  /** What runs at work have cost is not in it yet; a user who does not exist has spent nothing. */
  readUsage(who: Principal): Result<UsageReport> {
    const refused = refuseSignedOut(this.#parts.storage, who);
    if (refused !== undefined) return refused;
    const { plans, clock, log, spending } = this.#parts;
    return ok(spending.report(plans[who.plan], log.time(clock.now())));
  }

  readState(who: Principal): Result<StatePage> {
    const refused = refuseSignedOut(this.#parts.storage, who);
    if (refused !== undefined) return refused;
    const { version, document } = this.#parts.shared.read();
    return ok({ version, shared: document });
  }

  /** What a service has to say goes through the same queue as everything else. */
  async publish({ who, idempotency_key, events }: Publication): Promise<Result<Published>> {
    const id = idempotency_key === undefined ? {} : { id: idempotency_key };
    const outcome = await this.enqueue(who, { type: "publish", ...id, payload: { events } });
    return outcome.ok
      ? ok({ seq: eventOf(outcome.value.effect).seq, duplicate: outcome.value.duplicate })
      : outcome;
  }

  async startRun({ who, idempotency_key, start }: RunRequest): Promise<Result<RunStarted>> {
    if (this.#parts.storage.born === undefined && start.message_id !== undefined) return UNKNOWN_MESSAGE;
    const id = idempotency_key === undefined ? {} : { id: idempotency_key };
    const outcome = await this.enqueue(who, { type: "run_start", ...id, payload: start });
    if (!outcome.ok) return outcome;
    const { effect, duplicate } = outcome.value;
    const { run_id = "", ...facts } = startFacts(eventOf(effect));
    return ok({ ...facts, run_id, duplicate });
  }

  async answerWait({ who, idempotency_key, answer }: WaitAnswer): Promise<Result<WaitAnswered>> {
    if (this.#parts.storage.born === undefined) return UNKNOWN_WAIT;
    const id = idempotency_key === undefined ? {} : { id: idempotency_key };
    const outcome = await this.enqueue(who, { type: "wait_answer", ...id, payload: answer });
    if (!outcome.ok) return outcome;
    return ok({ seq: eventOf(outcome.value.effect).seq, duplicate: outcome.value.duplicate });
  }

  async feed({ who, run_id, events }: Feeding): Promise<Result<FedSoFar>> {
    if (this.#parts.storage.born === undefined) return UNKNOWN_RUN;
    const outcome = await this.enqueue(who, { type: "feed", payload: { run_id, events } });
    if (!outcome.ok) return outcome;
    return ok({
      ...feedFacts(eventOf(outcome.value.effect)),
      next_offset: this.#parts.answers.textOf(run_id).length,
    });
  }

  /** For who is known already, or is the server itself. */
  async enqueue(who: Principal, command: Command): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    await this.#parts.inbox.submit({ who, client_id: NO_SOCKET, command, reply: resolve });
    return await promise;
  }

  #isAnother(epoch: string | null | undefined): boolean {
    return epoch !== undefined && epoch !== (this.#parts.storage.born?.epoch ?? null);
  }
}

/** What events name as their client where there was none. */
const NO_SOCKET = "http";

/** A copy of two logs would look like one. */
const NOT_THE_SAME = refuse("state_invalidated", "this copy belongs to another epoch; begin anew");
