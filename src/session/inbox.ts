/**
 * The one queue of commands with an effect, in order of arrival. Commands that
 * arrive together are committed together; the same `id` has one effect, however
 * often it is sent.
 */
import type { Principal } from "../auth/principal.ts";
import { canonicalJson } from "../protocol/canonical.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import type { State } from "./commands/context.ts";
import { type Command, carryOut, type Effect, type Outcome } from "./commands/dispatch.ts";
import { faultOf } from "./faults.ts";
import type { Log } from "./log.ts";
import type { Clock, Logger } from "./ports.ts";
import { optionalInteger, optionalText } from "./rows.ts";
import type { Storage } from "./storage.ts";
import { readEvent } from "./stored-event.ts";
import { commit, type Transaction } from "./transaction.ts";

export interface Submission {
  readonly who: Principal;
  readonly client_id: string;
  readonly command: Command;
  /** Called once, after the commit, in the order of arrival. */
  readonly reply: (outcome: Outcome) => void;
}

interface Parts {
  readonly storage: Storage;
  readonly log: Log;
  readonly state: State;
  readonly clock: Clock;
  readonly report: Logger;
  /** Makes what was committed happen; never throws. */
  readonly settle: (tx: Transaction) => void;
}

interface Committed {
  readonly tx: Transaction;
  /** One for each command of the group. */
  readonly value: readonly Outcome[];
}

export class Inbox {
  readonly #parts: Parts;
  #queue: Submission[] = [];
  /** Since somebody began to wait; 0 if nobody does. */
  #arrived = 0;
  /** True if the last time more than one arrived. */
  #crowded = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * What arrives while somebody waits is committed as one group. Waiting costs a
   * lone command more than its own commit, so whether the first to come waits
   * before it commits or afterwards depends on whether the one before it was alone.
   */
  async submit(submission: Submission): Promise<void> {
    this.#queue.push(submission);
    this.#arrived += 1;
    if (this.#arrived > 1) return;
    try {
      if (!this.#crowded) this.#flush();
      await this.#parts.clock.wait(0);
      this.#crowded = this.#arrived > 1;
      if (this.#queue.length > 0) this.#flush();
    } finally {
      this.#arrived = 0;
    }
  }

  #flush(): void {
    const group = this.#queue;
    this.#queue = [];
    const committed = this.#commit(group, "warn");
    if (committed !== undefined) return this.#speak(group, committed);
    for (const submission of group) this.#commitAlone(submission);
  }

  /** The second try: whatever throws harms nobody but the one that asked for it. */
  #commitAlone(submission: Submission): void {
    const committed = this.#commit([submission], "error");
    if (committed !== undefined) return this.#speak([submission], committed);
    submission.reply(refuse("internal", "the command failed; nothing was changed"));
  }

  /** Undefined if anything threw: then nothing has happened. */
  #commit(group: readonly Submission[], severity: "warn" | "error"): Committed | undefined {
    const { storage, log, clock, report } = this.#parts;
    try {
      return commit(storage, log, clock.now(), (tx) => group.map((one) => this.#decide(tx, one)));
    } catch (cause) {
      report(severity, "commands were rolled back", { commands: group.length, ...faultOf(cause) });
      return undefined;
    }
  }

  /** Replies first, in order of arrival, then the events they caused. */
  #speak(group: readonly Submission[], { tx, value }: Committed): void {
    for (const [index, submission] of group.entries()) this.#reply(submission, value[index]);
    this.#parts.settle(tx);
  }

  /** What was committed must be made to happen, even if somebody cannot be told. */
  #reply({ reply }: Submission, outcome: Outcome | undefined): void {
    try {
      if (outcome !== undefined) reply(outcome);
    } catch (cause) {
      this.#parts.report("error", "a reply could not be given", { ...faultOf(cause) });
    }
  }

  #decide(tx: Transaction, { who, client_id, command }: Submission): Outcome {
    const { id, type, payload } = command;
    const request = id === undefined ? "" : canonicalJson({ type, payload });
    const known = id === undefined ? undefined : this.#recall(id, request);
    const effect = known ?? carryOut({ ...this.#parts.state, tx, who, client_id }, command);
    if (!effect.ok) return effect;
    const duplicate = known !== undefined;
    if (id !== undefined && !duplicate) this.#remember(tx, id, numberOf(effect.value), request);
    return ok({ effect: effect.value, duplicate });
  }

  /** What an earlier command of the same id did. Bodies are compared, not hashed: hashing is asynchronous here. */
  #recall(id: string, request: string): Result<Effect> | undefined {
    const [row] = this.#parts.storage.read("SELECT seq, request FROM inbox WHERE id = ?", id);
    if (row === undefined) return undefined;
    const known = optionalText(row, "request");
    // What was said in a thread that has been deleted is not kept, here neither.
    if (known === undefined) return EXPIRED;
    if (known !== request) {
      return refuse("id_conflict", "this id was used for another command", { field: "id" });
    }
    const number = optionalInteger(row, "seq") ?? 0;
    if (number < 0) return ok({ type: "shared_version", version: -number });
    const event = readEvent(this.#parts.log.at(number));
    return event === undefined ? EXPIRED : ok(event);
  }

  #remember(tx: Transaction, id: string, seq: number, request: string): void {
    this.#parts.storage.write(
      "INSERT INTO inbox (id, at, seq, request) VALUES (?, ?, ?, ?)",
      id,
      tx.now,
      seq,
      request,
    );
  }
}

/** What an effect is known by in the column `seq`: versions are negative, so that none is taken for an event's seq. */
function numberOf(effect: Effect): number {
  return effect.type === "shared_version" ? -effect.version : effect.seq;
}

const EXPIRED = refuse("expired", "the command was accepted, its event is gone");
