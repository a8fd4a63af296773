/** `run_resume`: answers what a run waits for, exactly once, whoever answers and wherever. */
import type { RunResumeCommand } from "../../protocol/commands.ts";
import type { Event } from "../../protocol/events.ts";
import { MAX_TOOL_RESULT_BYTES } from "../../protocol/limits.ts";
import { fitsBytes } from "../../protocol/primitives.ts";
import { ok, type Result, refuse } from "../../protocol/result.ts";
import type { WaitKind } from "../../protocol/run-events.ts";
import { seqOf } from "../ids.ts";
import { readEvent } from "../stored-event.ts";
import type { OpenWait, RecordedAnswer } from "../waits.ts";
import type { Context } from "./context.ts";
import { refuseWithoutAgents } from "./permissions.ts";

type Given = RunResumeCommand["payload"];

/** Not on the wire of the clients: services answer over HTTP. */
export interface WaitAnswerCommand {
  readonly type: "wait_answer";
  readonly id?: string;
  readonly payload: Given;
}

/** Who may not ask for what agents do may not agree to it either. */
export function runResume(context: Context, { payload }: RunResumeCommand): Result<Event> {
  return answerWait(context, payload, ({ kind }) =>
    kind === "approval" && payload.decision === "approved"
      ? refuseWithoutAgents(context.who, "payload.decision", "to approve a call")
      : undefined,
  );
}

/** A service stands for what happens elsewhere, and for no person. */
export function waitAnswer(context: Context, { payload }: WaitAnswerCommand): Result<Event> {
  return answerWait(context, payload, ({ kind }) => (kind === "approval" ? NOT_THE_USER : undefined));
}

function answerWait(
  context: Context,
  payload: Given,
  refusedFor: (wait: OpenWait) => Result<never> | undefined,
): Result<Event> {
  const { log, runs, tx } = context;
  const { wait_id } = payload;
  const asked = readEvent(log.at(seqOf(wait_id, ["w"]) ?? 0));
  if (asked?.type !== "run_waiting" || asked.payload.wait_id !== wait_id) return UNKNOWN_WAIT;
  const run = runs.get(asked.payload.run_id);
  const wait = run?.waits?.find((open) => open.wait_id === wait_id);
  // One whose time is over is as good as expired, even before the alarm says so.
  if (run === undefined || wait === undefined || wait.expires_at <= tx.now) return OVER;
  const refused = refusedFor(wait);
  if (refused !== undefined) return refused;
  const answer = answerOf(wait.kind, payload);
  if (!answer.ok) return answer;
  const place = tx.events.length;
  runs.resume(tx, run, wait_id, answer.value);
  const resumed = tx.events[place];
  if (resumed === undefined) throw new Error("an answer has no event");
  return ok(resumed);
}

/** What fits the kind of the wait. */
function answerOf(kind: WaitKind, { decision, value }: Given): Result<RecordedAnswer> {
  const allowed = DECISIONS[kind];
  if (allowed.length === 0) return refuse("conflict", "nobody answers a timer", { field: "payload.wait_id" });
  const given = decision ?? (allowed[0] === "answered" ? "answered" : undefined);
  const known = allowed.find((one) => one === given);
  if (known === undefined) {
    return refuse("invalid_payload", `payload.decision must be one of ${allowed.join(", ")}`, {
      field: "payload.decision",
    });
  }
  if (known === "denied" && value !== undefined) return NOTHING_TO_SAY;
  if (!fitsBytes(JSON.stringify(value) ?? "", MAX_TOOL_RESULT_BYTES)) return TOO_LARGE;
  return ok({ decision: known, ...(value === undefined ? {} : { value }) });
}

/** The first is meant where nothing is said and there is a value to say. */
const DECISIONS = {
  approval: ["approved", "denied"],
  client_tool: ["answered", "failed"],
  signal: ["answered"],
  timer: [],
} as const satisfies Readonly<Record<WaitKind, readonly RecordedAnswer["decision"][]>>;

export const UNKNOWN_WAIT = refuse("not_found", "nothing waits under this id", { field: "payload.wait_id" });

const NOT_THE_USER = refuse("forbidden", "an approval is the user's own: a service cannot give or deny it", {
  field: "payload.wait_id",
});

const OVER = refuse("conflict", "this was answered already, or its time is over", {
  field: "payload.wait_id",
});

/** An agent that reads the value first would take a refusal for whatever is said there. */
const NOTHING_TO_SAY = refuse("invalid_payload", "a call that is denied has no payload.value", {
  field: "payload.value",
});

const TOO_LARGE = refuse("too_large", `a value may have ${MAX_TOOL_RESULT_BYTES} bytes`, {
  field: "payload.value",
  limit: MAX_TOOL_RESULT_BYTES,
});
