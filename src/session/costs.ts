/** What a run has cost so far: what models answered lies in its journal, or is about to. */
import type { ModelUsage } from "../agents/models/model.ts";
import { costsOf, usageEntries } from "./journal-entry.ts";
import type { LogReader } from "./log-reader.ts";
import type { Ending, Run } from "./run.ts";
import { saidUsage } from "./usage.ts";

/** What a run has cost that its journal does not say. */
export type Expense = Pick<Ending, "models" | "spent">;

/** All of it. */
export function spentBy(log: LogReader, run: Run, expense: Expense): ModelUsage[] {
  return [...spentAfter(log, run, run.start_seq, expense), ...saidUsage(run.said ?? [])];
}

/** What is not in the days of its user yet: those have what it had cost whenever it began to wait. */
export function uncounted(log: LogReader, run: Run, expense: Expense): ModelUsage[] {
  return spentAfter(log, run, run.counted_to ?? run.start_seq, expense);
}

function spentAfter(log: LogReader, { run_id }: Run, seq: number, { models = [], spent = [] }: Expense) {
  return [...log.journalOf(run_id, seq).flatMap(usageEntries), ...costsOf(models), ...spent];
}
