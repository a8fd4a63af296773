/** Faults of conversations: branches, answers asked for again, and what was deleted. */
import { type Mutant, mutant, session } from "./mutant.ts";

export const MUTANTS_THREADS: readonly Mutant[] = [
  mutant(
    "deletion leaves the text in the inbox",
    session("log.ts", '"UPDATE inbox SET request = NULL WHERE', '"UPDATE inbox SET request = request WHERE'),
  ),
  mutant(
    "deletion forgets which commands there were",
    session("log.ts", '"UPDATE inbox SET request = NULL WHERE', '"DELETE FROM inbox WHERE'),
  ),
  mutant(
    "deletion leaves the journal",
    session("log.ts", "expires_at = NULL, frame = '', journal = NULL", "expires_at = NULL, frame = ''"),
    session("log.ts", "      event.journal ?? null,\n", '      event.journal ?? "[]",\n'),
  ),
  mutant(
    "a deleted thread comes back with a late message",
    session(
      "commands/saying.ts",
      "isNewThreadId(thread_id) && !threads.wasDeleted(thread_id, tx)",
      "isNewThreadId(thread_id) && tx !== threads",
    ),
  ),
  mutant(
    "a thread that was deleted can be made again",
    session("commands/threads.ts", " || threads.wasDeleted(thread_id, tx)", ""),
  ),
  mutant(
    "tombstones stay for ever",
    session("retention.ts", "WHERE title IS NULL AND updated_at < ?", "WHERE title IS NULL AND touched > ?"),
  ),
  mutant(
    "a hole of erased events is called trimmed",
    session("passage.ts", 'this.skip(row.seq, "erased")', 'this.skip(row.seq, "trimmed")'),
  ),
  mutant(
    "an erased event is sent",
    session(
      "transaction.ts",
      "if (row.thread_id === thread_id) this.rows[index]",
      "if (index < 0) this.rows[index]",
    ),
  ),
  mutant(
    "an empty row is sent",
    session("passage.ts", 'if (isErased(row)) return this.skip(row.seq, "erased");', "void isErased;"),
  ),
  mutant(
    "that a thread was deleted is forgotten after a month",
    session("log.ts", "'run_resumed', 'notification',", "'run_resumed', 'notification', 'thread_deleted',"),
  ),
  mutant(
    "a run of a deleted thread goes on",
    session("runs.ts", "tx.ended.push(...lost.map(({ run_id }) => run_id));", ""),
  ),
  mutant(
    "a deleted thread's waiting run starts",
    session(
      "runs.ts",
      "const lost = this.unfinished().filter((run) => run.thread_id === thread_id);",
      'const lost = this.unfinished().filter((run) => run.thread_id === thread_id && run.state === "running");',
    ),
  ),
  mutant(
    "who waited behind a deleted thread waits on",
    session("runs.ts", "run_id));\n    this.#startWaiting(tx);\n  }", "run_id));\n  }"),
  ),
  mutant(
    "an answer is hung under the wrong parent",
    session("run-end.ts", "{ prev: parent?.head ?? question, journal", "{ prev: question, journal"),
  ),
  mutant(
    "an answer names the wrong parent",
    session("run-end.ts", "parent?.head_message_id ?? run.question_id", "run.question_id"),
  ),
  mutant(
    "regenerate leaves the thread's head where it was",
    session(
      "commands/asking-again.ts",
      "if (!stays) threads.change(tx, thread, { head: question.seq, head_message_id: question_id });",
      "",
    ),
  ),
  mutant(
    "a message that is being answered is asked again by an answer of before",
    session(
      "commands/asking-again.ts",
      "const named = [message_id, questionOf(context, message_id)?.payload.message_id];",
      "const named = [message_id];",
    ),
  ),
  mutant(
    "switching branches is forgotten with the instance",
    session(
      "threads.ts",
      "  constructor(storage: Storage, log: Log) {",
      "  readonly shown = new Map<string, object>();\n\n  constructor(storage: Storage, log: Log) {",
    ),
    session(
      "threads.ts",
      "tx.threads.set(thread.thread_id, { ...thread, ...change });",
      "this.shown.set(thread.thread_id, change);",
    ),
    session(
      "threads.ts",
      "tx.threads.set(thread.thread_id, { ...thread, ...change, ...touched });",
      "tx.threads.set(thread.thread_id, { ...thread, ...change, ...touched }); this.shown.delete(thread.thread_id);",
    ),
    session(
      "threads.ts",
      ".map(threadRow);",
      ".map((row) => ({ ...threadRow(row), ...this.shown.get(String(row.thread_id)) }));",
    ),
  ),
  mutant(
    "the answer of a regenerated run is put under another question",
    session("run-end.ts", "const question = questionSeq(run);", "const question = run.start_seq;"),
  ),
  mutant(
    "a thread that is named anew moves to the front",
    session(
      "threads.ts",
      "tx.threads.set(thread.thread_id, { ...thread, ...change });",
      "this.touch(tx, thread, change);",
    ),
  ),
  mutant(
    "an edit of the first message follows the newest one",
    session(
      "commands/saying.ts",
      "if (parent_message_id === undefined) return",
      "if (parent_message_id == null) return",
    ),
  ),
];
