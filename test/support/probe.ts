/**
 * What tests and the Worker under test share: they live in the same isolate. The
 * scripted tools count their executions here and wait here until told to go on.
 */

interface Report {
  readonly level: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

const executions = new Map<string, number>();
const held = new Set<string>();
const reports: Report[] = [];
let idCalls = 0;
let throwingIdCalls: readonly number[] = [];

export const probe = {
  /** How often tools were executed under this key. */
  executions: (key: string) => executions.get(key) ?? 0,
  executed(key: string): void {
    executions.set(key, probe.executions(key) + 1);
  },
  /** From now on the tools `hold` and `charge` wait where they are given this key. */
  hold: (key: string) => held.add(key),
  release: (key: string) => held.delete(key),
  isHeld: (key: string) => held.has(key),
  /** Counted from now, these calls for a new id throw: a bug in the middle of a command. */
  throwAtIdCalls(calls: readonly number[]): void {
    idCalls = 0;
    throwingIdCalls = calls;
  },
  nextId(): undefined {
    idCalls += 1;
    if (throwingIdCalls.includes(idCalls)) throw new Error("an id that could not be made");
  },
  reported: (report: Report) => reports.push(report),
  reports: () => reports as readonly Report[],
};
