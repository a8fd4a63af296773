/** Faults around delivery: who is let in and let go, what snapshots show, whose turn it is, what the alarm is for. */
import { type Mutant, mutant, session } from "./mutant.ts";

export const MUTANTS_AROUND: readonly Mutant[] = [
  mutant(
    "sockets whose close was never told keep others out",
    session(
      "reception.ts",
      "if (others() >= limit) heartbeat.makeRoom(others() - limit + 1, clock.now());",
      "",
    ),
  ),
  mutant(
    "more room is made than is needed",
    session("heartbeat.ts", "silent.slice(0, count)", "silent.slice(0, count + 1)"),
  ),
  mutant(
    "there is no limit to connections",
    session(
      "reception.ts",
      "if (others() < limit) return ok(undefined);",
      "if (others() < 1_000) return ok(undefined);",
    ),
  ),
  mutant(
    "who is silent is never asked",
    session(
      "heartbeat.ts",
      "now - heard_at >= heartbeat.sweep_ms ? now : undefined",
      "heard_at < 0 ? now : undefined",
    ),
  ),
  mutant(
    "who does not answer stays",
    session("heartbeat.ts", "if (now >= pinged_at + heartbeat.timeout_ms) end(connection, GONE);", ""),
  ),
  mutant(
    "who takes nothing stays",
    session(
      "duties.ts",
      "stalled_at === undefined ? undefined : stalled_at + STALL_LIMIT_MS",
      "stalled_at === undefined ? undefined : stalled_at + 1e6 * STALL_LIMIT_MS",
    ),
  ),
  mutant(
    "events are sent after the end of a token",
    session("pump.ts", "if (now >= endsAt(connection)) return expired(connection);", ""),
  ),
  mutant(
    "a token from before a sign-out is good",
    session(
      "sign-out.ts",
      "loginAt(who) < (storage.born?.not_before ?? 0)",
      "loginAt(who) < 0 * storage.head",
    ),
  ),
  mutant(
    "a sign-out is forgotten with the instance",
    session("storage.ts", "not_before) };\n      this.#certify(this.#born);", "not_before) };"),
  ),
  mutant(
    "a renewed token is not kept with the socket",
    session("renewal.ts", "    connections.save(connection);\n", "    void connections;\n"),
  ),
  mutant(
    "a fault on one connection costs the others",
    session("connections.ts", "failed(connection, cause);", "throw cause ?? failed;"),
  ),
  mutant(
    "ten bad frames are not enough",
    session(
      "intake.ts",
      "if (connection.bad_at.length >= MAX_BAD_FRAMES)",
      "if (connection.bad_at.length > 1e6)",
    ),
  ),
  mutant(
    "events that are there are said to be gone",
    session(
      "passage.ts",
      'this.skip(row.seq - 1, "trimmed");',
      'this.skip(row.seq % 5 === 0 ? row.seq : row.seq - 1, "trimmed");\n    if (this.#position >= row.seq) return;',
    ),
  ),
  mutant(
    "a page without a socket leaves out its first event",
    session("reading.ts", "log.after(passage.position, count)", "log.after(passage.position + 1, count)"),
  ),
  mutant(
    "a snapshot shows what was read",
    session("snapshot.ts", "log.notificationsAfter(log.acked, now)", "log.notificationsAfter(0, now)"),
  ),
  mutant(
    "a snapshot forgets a run in progress",
    session("snapshot.ts", "runs: shown,", "runs: shown.slice(1),"),
  ),
  mutant(
    "a snapshot shows the messages in the wrong order",
    session("snapshot.ts", "messages: [...last, ...rest].reverse()", "messages: [...last, ...rest]"),
  ),
  mutant(
    "an answer moves the thread back to a branch that was left",
    session("run-end.ts", "this.#threads.leadsTo(question, thread?.head);", "question > 0;"),
  ),
  mutant(
    "two runs work in a thread",
    session("places.ts", " && inThread.length < runs_per_thread", " && inThread.length < 2"),
  ),
  mutant(
    "nobody's turn comes",
    session(
      "runs.ts",
      "this.#queueUnheard(tx, run);\n    this.#startWaiting(tx);\n  }",
      "this.#queueUnheard(tx, run);\n  }",
    ),
  ),
  mutant(
    "one run too many may wait",
    session("places.ts", "if (taken(thread_id, crowd) < limit)", "if (taken(thread_id, crowd) <= limit)"),
  ),
  mutant(
    "work begins before its attempt is on disk",
    session("host.ts", "await storage.sync();", "void storage;"),
  ),
  mutant(
    "a call that was cut is repeated, whatever it does",
    session(
      "tool-step.ts",
      'recorded.state === "open" && !effect.idempotent',
      'recorded.state === "open" && effect.tool_name === ""',
    ),
  ),
  mutant(
    "a run is tried for ever",
    session(
      "host.ts",
      "if (attempt - attempts_before < plans[run.plan].run_attempts)",
      "if (attempt < 1_000)",
    ),
  ),
  mutant(
    "what was written is lost when a run is cancelled",
    session(
      "commands/run-cancel.ts",
      "cancelled(context.soFar(run, context.tx))",
      'cancelled({ content: "", spent: [] })',
    ),
  ),
  mutant("a run that has ended goes on", session("settle.ts", "      () => host.stop(run_id),\n", "")),
  mutant(
    "an alarm is set in the past for what has to stay",
    session("deadlines.ts", "Math.max(Math.min(...next), now + PAUSE_MS)", "Math.min(...next)"),
    session("log.ts", "TRIMMABLE} AND seq < ?", "TRIMMABLE} AND seq <= ?"),
    session("retention.ts", "Math.max(this.dueAt(oldest), at + DAY_MS)", "Math.max(this.dueAt(oldest), at)"),
  ),
  mutant(
    "messages are deleted with the steps",
    session("log.ts", "'run_resumed', 'notification',", "'run_resumed', 'notification', 'user_message',"),
  ),
  mutant(
    "the steps of an unfinished run are deleted",
    session("log.ts", "(run_id IS NULL OR run_id NOT IN (SELECT run_id FROM runs))", "TRUE"),
  ),
];
