/** Answers to what runs wait for: on their way, or refused. What became of one that was taken, its run tells. */
import { ClientError } from "../client/index.ts";

export type Verdict = "approved" | "denied" | "answered";

export interface Answer {
  readonly verdict: Verdict;
  /** Why it does not count; absent while it may. */
  readonly problem?: string;
  /** True if no answer will count any more. */
  readonly late?: boolean;
}

/** By the id of the wait. */
export type AnswersGiven = ReadonlyMap<string, Answer>;

const LATE = "Too late: somebody else has answered, its time is over, or the run has ended.";

export class Answers {
  #given: AnswersGiven = new Map();

  /** Another object after each change. */
  get given(): AnswersGiven {
    return this.#given;
  }

  /** False if there is nothing to send: one is on its way, or none will count. */
  begin(wait_id: string, verdict: Verdict): boolean {
    const given = this.#given.get(wait_id);
    if (given !== undefined && (given.problem === undefined || given.late === true)) return false;
    this.#set(wait_id, { verdict });
    return true;
  }

  refused(wait_id: string, verdict: Verdict, error: unknown): void {
    const code = error instanceof ClientError ? error.code : "unknown";
    const late = code === "conflict" || code === "not_found";
    this.#set(wait_id, { verdict, problem: late ? LATE : problemOf(error), late });
  }

  #set(wait_id: string, answer: Answer): void {
    this.#given = new Map(this.#given).set(wait_id, answer);
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof ClientError)) return "Your answer was not sent: something went wrong.";
  return `Your answer ${error.maybe_sent ? "may not have been" : "was not"} taken: ${error.message}.`;
}
