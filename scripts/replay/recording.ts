/** A recorded run, as `GET /v1/runs/{run_id}/journal` answers it, out of what may be anything. */
import * as z from "zod/mini";
import { runJournal } from "../../src/openapi/schemas.ts";
import type { Event } from "../../src/protocol/events.ts";
import type { AgentCompleted } from "../../src/protocol/run-events.ts";
import { readEvents } from "../../src/session/stored-event.ts";

export interface Recording extends Omit<z.infer<typeof runJournal>, "events"> {
  /** Of the run, in order. */
  readonly events: readonly Event[];
  /** How it ended; undefined if the file does not say. */
  readonly completed: AgentCompleted["payload"] | undefined;
}

/** The file, or the agent, is not what the command line says it is. */
export class Unusable extends Error {
  override readonly name = "Unusable";
}

/**
 * @param path what it was read from
 * @throws Unusable
 */
export function recordingIn(value: unknown, path: string): Recording {
  const answer = refusal.safeParse(value);
  if (answer.success) throw new Unusable(`${path} is a refusal: ${answer.data.error.message}`);
  const parsed = runJournal.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
    throw new Unusable(`${path} is not the journal of a run${place}`);
  }
  const events = eventsIn(parsed.data.events);
  const begun = events.every(({ payload }, index) => "run_seq" in payload && payload.run_seq === index);
  if (!begun) throw new Unusable("the steps of this run are no longer kept: there is nothing to replay");
  const completed = events.find((event) => event.type === "agent_completed")?.payload;
  return { ...parsed.data, events, completed };
}

const refusal = z.object({ error: z.object({ message: z.string() }) });

const frame = z.looseObject({ type: z.string(), seq: z.number() });

/** Events of a newer server are none that an agent of this one could have made. */
function eventsIn(frames: readonly unknown[]): Event[] {
  return frames.flatMap((one, index) => {
    const { data } = frame.safeParse(one);
    const events = data === undefined ? [] : readEvents([{ ...data, frame: JSON.stringify(one) }]);
    if (events.length === 0) throw new Unusable(`events.${index} is not an event of this version`);
    return events;
  });
}
