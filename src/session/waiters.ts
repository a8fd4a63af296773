/** Who waits for a run to end without a socket. Only promises: whoever is lost with the instance asks again. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves once the run has ended here, however it did. */
  until(run_id: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const others = this.#waiting.get(run_id) ?? new Set();
    this.#waiting.set(run_id, others.add(resolve));
    return promise;
  }

  /** These runs have ended, and it is on disk. */
  ended(run_ids: readonly string[]): void {
    for (const run_id of run_ids) {
      const waiting = this.#waiting.get(run_id) ?? [];
      this.#waiting.delete(run_id);
      for (const resolve of waiting) resolve();
    }
  }
}
