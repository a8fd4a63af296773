/** Messages that joined a run at work, and which of them its agent has been told. */
import type { SteeringMessage } from "../agents/effects.ts";
import { seqOf } from "./ids.ts";
import { isSteerEntry, journalEntries } from "./journal-entry.ts";
import type { LogReader } from "./log-reader.ts";
import type { Run } from "./run.ts";
import { readEvents } from "./stored-event.ts";
import type { Threads } from "./threads.ts";

/** Those that no later one follows: what answers one of these has what precedes it in its history. */
export function lastOf(messages: readonly SteeringMessage[], threads: Threads): readonly SteeringMessage[] {
  return messages.filter(({ message_id }, index) => {
    const said = seqOf(message_id, ["m"]) ?? 0;
    return !messages.slice(index + 1).some((later) => threads.leadsTo(said, seqOf(later.message_id, ["m"])));
  });
}

/** In the order in which they were said. */
export function unheard(log: LogReader, run: Run): SteeringMessage[] {
  const { run_id, start_seq, heard_to = start_seq } = run;
  const said = readEvents(log.typeOfRun(run_id, heard_to, "user_message"));
  if (said.length === 0) return [];
  const entries = log.journalOf(run_id, start_seq).flatMap(journalEntries);
  const heard = entries.filter(isSteerEntry).flatMap(({ steered }) => steered);
  const known = new Set(heard.map(({ message_id }) => message_id));
  return said.flatMap((event) => {
    if (event.type !== "user_message" || known.has(event.payload.message_id)) return [];
    const { message_id, content } = event.payload;
    return [{ message_id, content }];
  });
}
