/** `run_start`: another service asks for an answer, from an agent of ours or one that it is going to feed. */
import type { Event } from "../../protocol/events.ts";
import type { RunStart } from "../../protocol/feeding.ts";
import { SILENT_AFTER_MS } from "../../protocol/feeding.ts";
import type { MessageAck } from "../../protocol/replies.ts";
import { type Result, refuse } from "../../protocol/result.ts";
import { cancelled } from "../failures.ts";
import { BUSY, type Executor, type Question } from "../planning.ts";
import type { Run } from "../run.ts";
import { refuseIfFull } from "./admission.ts";
import { againFacts, askAgain, questionOf, runAnswering } from "./asking-again.ts";
import type { Context } from "./context.ts";
import { refuseOverBudget } from "./permissions.ts";
import { say } from "./saying.ts";
import { messageFacts } from "./user-message.ts";

/** Not on the wire of the clients: services start runs over HTTP. */
export interface RunStartCommand {
  readonly type: "run_start";
  readonly id?: string;
  readonly payload: RunStart;
}

type Planning = (question: Question, place?: { readonly inPlace: boolean }) => Result<Run>;

/** Whose client a service is: none of the user's, which are all random. */
const CLIENT_ID = "service";

export function runStart(context: Context, { id, payload }: RunStartCommand): Result<Event> {
  const { tx, runs, who, ids } = context;
  const refused = refuseIfFull(context, [payload]) ?? refuseOverspent(context, payload);
  if (refused !== undefined) return refused;
  const plan: Planning = (question, place) =>
    runs.planning.plan(tx, { ...question, plan: who.plan }, executorOf(context, payload), place);
  const { content, message_id } = payload;
  if (message_id !== undefined) return answer(context, payload, message_id, plan);
  if (content === undefined)
    return refuse("invalid_payload", "content is required", { field: "payload.content" });
  const author = { kind: "service", name: who.sub } as const;
  return say(context, { ...payload, content, author, client_id: CLIENT_ID, id: id ?? ids.random() }, plan);
}

/** What its reply says, made from the event so that a duplicate gets the very same one. */
export function startFacts(event: Event): Omit<MessageAck["payload"], "duplicate"> {
  return event.type === "user_message" ? messageFacts(event) : againFacts(event);
}

/** What a service executes itself is its own to pay for. */
function refuseOverspent(context: Context, { executor }: RunStart) {
  return executor === "agent" ? refuseOverBudget(context, context.agent) : undefined;
}

function executorOf({ agent }: Context, start: RunStart): Executor {
  if (start.executor === "agent") return agent;
  const { agent_name = "", agent_version = "", silent_after_ms = SILENT_AFTER_MS } = start;
  return { name: agent_name, version: agent_version, feed: { silent_after_ms } };
}

/** To a message that was said before, in the place of whoever is answering it if that is wanted. */
function answer(
  context: Context,
  { takeover, executor }: RunStart,
  message_id: string,
  plan: Planning,
): Result<Event> {
  const { runs, who } = context;
  const present = runAnswering(context, message_id);
  // Before anything ends: what is kept of the run that is taken over is no answer.
  const keepPlace = !isAnswered(context, message_id);
  const begin = (inPlace: boolean) =>
    askAgain(context, message_id, (question) => plan(question, { inPlace }), { keepPlace });
  if (present === undefined) return begin(false);
  if (!takeover) return refuse("conflict", "this message is being answered", { field: "payload.message_id" });
  if (runs.planning.couldReplace(present, who.plan)) return replace(context, present, () => begin(true));
  return executor === "feed" ? BUSY : NO_TURN;
}

/** A run that is queued has no place to be taken: the one before it has. */
const NO_TURN = refuse("conflict", "the run that is to answer this message waits for another one", {
  field: "takeover",
});

/** What was written so far is kept; the successor begins before anything that waits, what was said to it as well. */
function replace({ tx, runs, soFar }: Context, present: Run, begin: () => Result<Event>): Result<Event> {
  const begun: Result<Event>[] = [];
  const ending = cancelled(soFar(present, tx));
  runs.finish(tx, present, ending, {
    begin: () => begun.push(begin()),
    stopped: false,
  });
  const [result] = begun;
  // Refused now, it would have ended a run for nothing: whoever asks has made sure that it is not.
  if (result?.ok !== true) throw new Error("a run could not be replaced");
  return result;
}

/** By a run that was asked for with it, or later: an answer need not follow its question, if more was said meanwhile. */
function isAnswered(context: Context, message_id: string): boolean {
  const question = questionOf(context, message_id);
  if (question === undefined) return false;
  const { log } = context;
  const starts = [question.seq, ...log.askedAgain(question.payload.thread_id, question.payload.message_id)];
  return starts.some((start) => log.answerOf(start) !== undefined);
}
