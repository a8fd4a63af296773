/**
 * Deliberate faults. A model that finds none of these would find none of ours:
 * `npm run model:mutants` plays each of them until a promise is broken.
 */

import { type Mutant, mutant, session } from "./mutant.ts";
import { MUTANTS_AROUND } from "./mutants-around.ts";
import { MUTANTS_THREADS } from "./mutants-threads.ts";

export const MUTANTS: readonly Mutant[] = [
  mutant(
    "commands are not recognised when they come again",
    session(
      "inbox.ts",
      "id === undefined ? undefined : this.#recall(id, request);",
      "undefined as Result<Event> | undefined;",
    ),
    session("inbox.ts", '"INSERT INTO inbox', '"INSERT OR REPLACE INTO inbox'),
  ),
  mutant(
    "another body under a known id is taken for the same command",
    session("inbox.ts", "if (known !== request) {", "if (id === undefined) {"),
  ),
  mutant(
    "a replay begins one event too early",
    session(
      "resume.ts",
      '{ outcome: "resumed", cursor: since, replay }',
      '{ outcome: "resumed", cursor: Math.max(0, since - 1), replay }',
    ),
  ),
  mutant(
    "a replay begins one event too late",
    session(
      "resume.ts",
      '{ outcome: "resumed", cursor: since, replay }',
      '{ outcome: "resumed", cursor: Math.min(head, since + 1), replay }',
    ),
  ),
  mutant(
    "replies are sent inside the transaction",
    session(
      "inbox.ts",
      "group.map((one) => this.#decide(tx, one))",
      "group.map((one) => { const outcome = this.#decide(tx, one); one.reply(outcome); return outcome; })",
    ),
    session(
      "inbox.ts",
      "if (outcome !== undefined) reply(outcome);",
      "if (outcome === undefined) reply(outcome as never);",
    ),
  ),
  mutant(
    "the head is not restored after a rollback",
    session(
      "log.ts",
      "insert(event: NewEvent): void {",
      "insert(event: NewEvent): void {\n    this.#head = event.seq;",
    ),
  ),
  mutant(
    "a throw in the middle of a group leaves what came before it",
    session(
      "storage.ts",
      "return this.#platform.transactionSync(() => {",
      "return ((run: () => T) => run())(() => {",
    ),
  ),
  mutant(
    "a group that failed is not tried again one by one",
    session("inbox.ts", "for (const submission of group) this.#commitAlone(submission);", ""),
  ),
  mutant(
    "a command overtakes the queue",
    session("inbox.ts", "this.#queue.push(submission);", "this.#queue.unshift(submission);"),
  ),
  mutant(
    "an older upgrade supersedes a newer socket",
    session("reception.ts", "if (n < latest) return this.end(connection, SUPERSEDED);", ""),
  ),
  mutant(
    "a replaced socket stays open",
    session("reception.ts", "for (const replaced of older) this.end(replaced, SUPERSEDED);", ""),
  ),
  mutant(
    "the epoch is ignored",
    session("resume.ts", 'if (epoch !== log.epoch) return gap("epoch_changed", log);', ""),
  ),
  mutant(
    "a cursor ahead of the log is honoured",
    session("resume.ts", 'if (since > log.head) return "ahead";', ""),
  ),
  mutant(
    "an acknowledgement beyond what was sent is taken",
    session("intake.ts", "if (seq > connection.cursor) return this.#refuseAck(connection, reply_to);", ""),
  ),
  mutant(
    "a socket that is gone is not forgotten",
    session("connections.ts", "this.#bySocket.delete(socket);", ""),
  ),
  mutant(
    "events are sent beside the pump",
    session(
      "intake.ts",
      "const reply = (outcome: Outcome) => pump.send(connection, replyTo(frame, outcome));",
      "const reply = (outcome: Outcome) => { pump.send(connection, replyTo(frame, outcome)); if (outcome.ok) pump.send(connection, outcome.value.effect as never); };",
    ),
  ),
  mutant(
    "events come before the reply to what caused them",
    session(
      "inbox.ts",
      "for (const [index, submission] of group.entries()) this.#reply(submission, value[index]);",
      "this.#parts.settle(tx);\n    for (const [index, submission] of group.entries()) this.#reply(submission, value[index]);",
    ),
  ),
  mutant("an instance that wakes does not look whom it owes", session("session.ts", "this.#pump.all();", "")),
  mutant(
    "acknowledgements are not recalled from the sockets",
    session("session.ts", "for (const { ack } of this.connections.all()) this.#log.recall(ack);", ""),
  ),
  mutant(
    "acknowledgements are not recalled from the log",
    session("log.ts", 'last === undefined ? 0 : integer(last, "acked");', "0;"),
  ),
  mutant(
    "the journal is ignored when a run is taken over",
    session(
      "journal.ts",
      "new Journal(readEvents(log.ofRun(run_id, start_seq)), entries)",
      "new Journal([], entries)",
    ),
  ),
  mutant(
    "the numbers of a run begin anew after a crash",
    session("run-log.ts", "this.#log.countOfRun(run.run_id, run.start_seq)", "0 * run.start_seq"),
  ),
  mutant(
    "the cursor is not kept with the socket",
    session("pump.ts", "    connections.save(connection);\n", "    void connections;\n"),
  ),
  mutant("reading over HTTP acknowledges nothing", session("reading.ts", "log.acknowledge(since);", "")),
  mutant("the window is never emptied", session("intake.ts", "connection.unacknowledged = undefined;", "")),
  mutant(
    "an acknowledgement does not set a stalled connection going",
    session("intake.ts", "if (connection.stalled_at !== undefined) pump.pump(connection);", ""),
  ),
  mutant(
    "what has expired is sent",
    session(
      "passage.ts",
      'if (row.expires_at !== undefined && row.expires_at <= now) return this.skip(row.seq, "expired");',
      "",
    ),
  ),
  mutant(
    "a hole in the log is silent",
    session("passage.ts", "if (hole !== undefined) this.#reader.hole(hole);", ""),
  ),
  mutant(
    "replay_completed comes before the replay is complete",
    session(
      "pump.ts",
      "if (replay_to !== undefined && cursor >= replay_to) {",
      "if (replay_to !== undefined) {",
    ),
  ),
  mutant(
    "text goes to connections that are behind",
    session(
      "pump.ts",
      "if (!isBehind(connection)) this.send(connection, frame);",
      "this.send(connection, frame);",
    ),
  ),
  mutant(
    "pending text is not sent before a later event",
    session("settle.ts", "...[...tx.runSeqs.keys()].map((run_id) => () => answers.flush(run_id)),", ""),
  ),
  mutant(
    "a snapshot is one event behind its position",
    session("reception.ts", "connection.cursor = log.head;", "connection.cursor = log.head - 1;"),
  ),
  mutant("the queue never refuses", {
    file: "src/session/commands/publish.ts",
    find: "if (full !== undefined) return full;",
    replace: "",
  }),
  mutant(
    "retention deletes the last event",
    session("log.ts", "TRIMMABLE} AND at < ? AND seq < ?", "TRIMMABLE} AND at < ? AND seq <= ?"),
  ),
  mutant(
    "what was just written is remembered with a hole",
    session("log.ts", "this.#newest.slice(seq + 1 - first)", "this.#newest.slice(seq + 2 - first)"),
  ),
  mutant(
    "a thread forgets what this transaction has said in it",
    session(
      "threads.ts",
      "if (changed !== undefined || tx?.deleted.has(thread_id)) return changed;",
      "void changed;",
    ),
  ),
  mutant(
    "nobody is woken for a run",
    session("settle.ts", "() => tx.started.length > 0 && deadlines.touch(tx.now + RUN_WATCHDOG_MS),", ""),
  ),
  mutant(
    "invalidating keeps the epoch",
    session(
      "storage.ts",
      "this.#born = { ...born, epoch: this.#ids.random() };",
      "this.#born = { ...born };",
    ),
  ),
  ...MUTANTS_AROUND,
  ...MUTANTS_THREADS,
];
