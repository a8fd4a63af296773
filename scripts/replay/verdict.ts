/** What a replay has shown: the run as it was recorded, where it would go on by itself, or where it goes another way. */
import type { Event } from "../../src/protocol/events.ts";
import type { Ending } from "../../src/session/run.ts";
import { inWords } from "./in-words.ts";
import type { Recording } from "./recording.ts";
import type { Replayed } from "./stepping.ts";

export interface Verdict {
  readonly diverged: boolean;
  readonly text: string;
}

export function verdictOf(recording: Recording, replayed: Replayed): Verdict {
  const { ending } = replayed;
  if (ending === undefined) return liveFromHere(recording);
  // Nothing else ends a run of ours as interrupted.
  if (ending.status === "interrupted") return divergence(recording, replayed);
  return endedBy(recording, ending);
}

function liveFromHere({ run, completed, complete }: Recording): Verdict {
  if (completed?.status === "succeeded" && complete) {
    return diverged("the recorded run succeeded here; this agent wants more");
  }
  if (completed !== undefined) {
    const code = completed.error === undefined ? "" : ` (${completed.error.code})`;
    return same(`live from here: the recorded run ended here as ${completed.status}${code}`);
  }
  if (!complete) return same("the file ends here: it has only the first steps of the run");
  if (run.state === "waiting") return same("live from here: the run is waiting for what it asked for last");
  return same(`live from here: the run is ${run.state}`);
}

function divergence({ events }: Recording, { steps, returned }: Replayed): Verdict {
  const last = steps.findLast(({ step }) => step !== undefined);
  if (last?.step === undefined || returned) {
    return diverged(`the agent ended; next in the journal is ${recordedAt(events, (last?.step ?? 0) + 1)}`);
  }
  const { step, effect } = last;
  return diverged(
    `step ${step}: the agent wants ${inWords(effect)}; the journal has ${recordedAt(events, step)}`,
  );
}

function endedBy({ completed }: Recording, ending: Ending): Verdict {
  const how = `${ending.status}, ${ending.finish_reason}`;
  if (completed === undefined) return same(`the agent has ended (${how}); the recorded run had not yet`);
  if (isFromOutside(completed)) {
    const { status } = completed;
    return same(`the agent has ended (${how}); the recorded run had been ended as ${status} before`);
  }
  const differing = [
    completed.status === ending.status ? [] : [`the status (recorded: ${completed.status})`],
    completed.finish_reason === ending.finish_reason
      ? []
      : [`the finish reason (recorded: ${completed.finish_reason})`],
    completed.error?.code === ending.error?.code ? [] : [`the error (recorded: ${completed.error?.code})`],
    completed.content === ending.content ? [] : ["the answer"],
  ].flat();
  if (differing.length === 0) return same(`ends as recorded: ${how}`);
  return diverged(`the agent has ended (${how}); what differs: ${differing.join(", ")}`);
}

/** Not by its agent: what the agent would have come to, nobody knows. */
function isFromOutside({ status, error }: NonNullable<Recording["completed"]>): boolean {
  return status === "cancelled" || status === "interrupted" || error?.code === "timeout";
}

function recordedAt(events: readonly Event[], step: number): string {
  const found = events.filter(({ payload }) => "step" in payload && payload.step === step);
  const kinds = found.map(({ type, payload }) => {
    return "tool_name" in payload ? `${type} ${payload.tool_name}` : type;
  });
  return kinds.length === 0 ? "another step" : [...new Set(kinds)].join(", ");
}

function diverged(text: string): Verdict {
  return { diverged: true, text: `DIVERGED: ${text}` };
}

function same(text: string): Verdict {
  return { diverged: false, text };
}
