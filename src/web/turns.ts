/** Conversation → what is shown, in order: the questions of one branch, and the runs that answer them. */
import { type Conversation, inProgress, type Message, type Run, type Step } from "../client/index.ts";
import type { AnswersGiven } from "./answers.ts";
import type { ListedMessage } from "./api.ts";
import { branchTo, type Versions, versionsBeside, versionsOf } from "./branch.ts";
import type { Pending } from "./pending.ts";
import type { Rating } from "./ratings.ts";
import type { RunNote, Usage } from "./run-notes.ts";

export type Turn = QuestionTurn | RunTurn | PendingTurn;

export interface QuestionTurn {
  readonly kind: "question";
  readonly key: string;
  readonly message: Message;
  readonly versions: Versions | undefined;
}

export interface RunTurn {
  readonly kind: "run";
  readonly key: string;
  readonly run: Run | undefined;
  readonly answer: Message | undefined;
  readonly steps: readonly Step[];
  readonly rating: Rating | undefined;
  /** What is told of the run beside the view. */
  readonly note: RunNote | undefined;
  readonly usage: readonly Usage[] | undefined;
  /** What was answered here to what runs wait for. */
  readonly answers: AnswersGiven;
  readonly versions: Versions | undefined;
}

export interface PendingTurn {
  readonly kind: "pending";
  readonly key: string;
  readonly pending: Pending;
}

export interface Shown {
  readonly thread_id: string;
  /** The message that ends the branch; where it is not known, the newest one that is. */
  readonly head?: string | null | undefined;
  /** What is on its way in this thread. */
  readonly pending: readonly Pending[];
  /** What the server listed with a message. */
  readonly listed?: (message_id: string) => ListedMessage | undefined;
  /** How an answer was rated here, where the view does not have that yet. */
  readonly rated?: (message_id: string) => Rating | undefined;
  readonly noted?: (run_id: string | undefined) => RunNote | undefined;
  readonly answers?: AnswersGiven;
}

const NO_STEPS: readonly Step[] = [];
const NO_ANSWERS: AnswersGiven = new Map();

export function turnsOf(view: Conversation, shown: Shown): Turn[] {
  const { pending, listed = () => undefined, rated = () => undefined } = shown;
  const { noted = () => undefined, answers = NO_ANSWERS } = shown;
  const isOf = (of: { readonly thread_id: string }) => of.thread_id === shown.thread_id;
  const messages = view.messages.filter(isOf);
  const runs = view.runs.filter(isOf);
  const branch = branchOf(messages, shown);
  const answered = new Set<Message>();
  // What stands on the branch itself is no other version of anything there: an answer may come late, behind another question.
  const elsewhere = messages.filter((message) => !branch.includes(message));

  const versions = (message: Message) =>
    versionsOf(messages, message, listed(message.message_id)?.alternatives);
  const answering = (answer: Message): Turn => {
    answered.add(answer);
    const run = runs.find(({ run_id }) => run_id === answer.run_id);
    const live = run?.steps ?? NO_STEPS;
    const steps = live.length > 0 ? live : (listed(answer.message_id)?.steps ?? NO_STEPS);
    const rating = rated(answer.message_id) ?? answer.rating;
    const key = keyOfRun(answer.run_id);
    const note = noted(answer.run_id);
    const usage = note?.usage ?? listed(answer.message_id)?.model_calls;
    const beside = { rating, note, usage, answers, versions: versions(answer) };
    return { kind: "run", key, run, answer, steps, ...beside };
  };
  const working = (run: Run, versions: Versions | undefined): Turn => {
    const unanswered = { answer: undefined, rating: undefined, usage: undefined };
    const key = keyOfRun(run.run_id);
    const note = noted(run.run_id);
    return { kind: "run", key, run, ...unanswered, steps: run.steps, note, answers, versions };
  };
  const answersOf = (question: Message): Turn[] => {
    const asked = runs.filter(({ question_id }) => question_id === question.message_id);
    const ids = new Set([question.run_id, ...asked.map(({ run_id }) => run_id)]);
    const found = branch.filter((message) => message.role === "assistant" && ids.has(message.run_id));
    if (found.length > 0) return found.map(answering);
    return asked
      .filter(inProgress)
      .map((run) => working(run, versionsBeside(elsewhere, question.message_id)));
  };
  const stored = branch.flatMap((message): Turn[] => {
    if (message.role === "assistant") return answered.has(message) ? [] : [answering(message)];
    const turn: Turn = {
      kind: "question",
      key: `message ${message.message_id}`,
      message,
      versions: versions(message),
    };
    return [turn, ...answersOf(message)];
  });
  // Runs whose question is not in view: started by a service, or cut off by a snapshot.
  const known = new Set(messages.map(({ message_id }) => message_id));
  const others = runs.filter((run) => inProgress(run) && !known.has(run.question_id));
  return [
    ...stored,
    ...others.map((run) => working(run, undefined)),
    ...pending.map((one): Turn => ({ kind: "pending", key: `pending ${one.key}`, pending: one })),
  ];
}

/** What is being said in the place of something else already stands there, while it is on its way. */
function branchOf(messages: readonly Message[], { head, pending }: Shown): Message[] {
  const edit = pending.findLast(
    ({ parent_message_id, problem }) => parent_message_id !== undefined && problem === undefined,
  );
  if (edit !== undefined) return branchTo(messages, edit.parent_message_id);
  const whole = branchTo(messages, head);
  return whole.length > 0 ? whole : branchTo(messages, messages.at(-1)?.message_id);
}

function keyOfRun(run_id: string | undefined): string {
  return `run ${run_id}`;
}

/** What works is stopped before what waits for somebody: that one costs nothing, and does not keep others from working. */
export function firstToStop(runs: readonly Run[]): Run | undefined {
  const stoppable = runs.filter(inProgress);
  return stoppable.find(({ status }) => status !== "waiting") ?? stoppable[0];
}
