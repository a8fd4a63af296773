/** The rows of runs that have not ended: a run has one only while it is unfinished. */
import { detailOf, type Run, runRow } from "./run.ts";
import type { Storage } from "./storage.ts";

export class RunTable {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get(run_id: string): Run | undefined {
    return this.#query("WHERE run_id = ?", run_id)[0];
  }

  /** In the order of their questions. */
  all(): Run[] {
    return this.#query("ORDER BY start_seq");
  }

  insert(run: Run): void {
    this.#storage.write(
      `INSERT INTO runs (run_id, thread_id, state, attempt, agent, version, start_seq, detail)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      run.run_id,
      run.thread_id,
      run.state,
      run.attempt,
      run.agent_name,
      run.agent_version,
      run.start_seq,
      detailOf(run),
    );
  }

  change(run: Run): void {
    this.#storage.write(
      "UPDATE runs SET state = ?, attempt = ?, detail = ? WHERE run_id = ?",
      run.state,
      run.attempt,
      detailOf(run),
      run.run_id,
    );
  }

  delete(run_id: string): void {
    this.#storage.write("DELETE FROM runs WHERE run_id = ?", run_id);
  }

  #query(where: string, ...bindings: string[]): Run[] {
    return this.#storage
      .read(
        `SELECT run_id, thread_id, state, attempt, agent, version, start_seq, detail FROM runs ${where}`,
        ...bindings,
      )
      .map(runRow);
  }
}
