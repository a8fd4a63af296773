/** Waits for something that comes from outside: not longer than it may take, and not after it is no longer wanted. */

/** The part of the session's clock that is used. */
export interface Clock {
  now(): number;
  /** Calls `due` once after `ms` unless cancelled. */
  timer(ms: number, due: () => void): () => void;
}

export type Outcome<T> =
  | { readonly is: "done"; readonly value: T }
  | { readonly is: "failed" }
  | { readonly is: "late" }
  | { readonly is: "aborted" };

/** Never rejects: what the outside throws can hold anything, and is nobody's to read. */
export function within<T>(
  work: Promise<T>,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Outcome<T>> {
  return new Promise((resolve) => {
    const settle = (outcome: Outcome<T>) => {
      cancel();
      signal.removeEventListener("abort", aborted);
      resolve(outcome);
    };
    const aborted = () => settle({ is: "aborted" });
    const cancel = clock.timer(ms, () => settle({ is: "late" }));
    signal.addEventListener("abort", aborted);
    work.then(
      (value) => settle(signal.aborted ? { is: "aborted" } : { is: "done", value }),
      () => settle({ is: signal.aborted ? "aborted" : "failed" }),
    );
    if (signal.aborted) aborted();
  });
}
